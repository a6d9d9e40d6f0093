/**
 * Goal: a shared key signs decisions of its group and nothing else, and a third party is convinced exactly when it should be (SEC-39).
 * Method: decisions that members have really signed, a key that actors on a simulated backend hold, and one thing wrong at a time.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { type SecuredDecision, verifySecuredDecision } from "../../../actors/secure-consensus/index.ts";
import {
	decisionStatement,
	KeyHolder,
	keyHolderModule,
	SecurityManager,
} from "../../../actors/security-manager/index.ts";
import { QuorateError } from "../../../protocols/core/index.ts";
import type { DecisionProof, SequenceNumber, ViewNumber } from "../../../protocols/pbft/index.ts";
import { generateAgreementKey } from "../../../runtime/crypto/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { SigningGroup } from "./signed-proof.ts";

const group = new SigningGroup();
const nodes = group.members;
const { digest } = group.port;

class World {
	readonly simulation = new Simulation({ seed: 7, modules: new Map([[keyHolderModule, { KeyHolder }]]) });
	readonly manager = new SecurityManager({ backend: this.simulation.backend });

	run<T>(promise: Promise<T>): Promise<T> {
		return this.simulation.complete(promise);
	}

	/** Why nobody signs, or "signed". */
	async verdict(message: Uint8Array, proof?: DecisionProof): Promise<string> {
		try {
			await this.run(this.manager.createThresholdSignature(message, undefined, proof));
			return "signed";
		} catch (error) {
			if (error instanceof QuorateError) return error.message;
			throw error;
		}
	}
}

async function restricted(): Promise<World> {
	const world = new World();
	await world.run(world.manager.generateDistributedKeys(nodes, 3));
	await world.run(world.manager.restrictToDecisions(group.trust));
	return world;
}

describe("a key that is restricted to a group's decisions", () => {
	const proof = group.decided("pay 5");
	const statement = decisionStatement(proof, digest);

	it("signs a decision that is shown with its certificate, and nothing without, or beside it", async () => {
		const world = await restricted();
		expect(await world.verdict(statement, proof)).toBe("signed");
		expect(await world.verdict(statement)).toContain("signing-refused");
		expect(await world.verdict(new TextEncoder().encode("anything"), proof)).toContain("signing-refused");
		expect(await world.verdict(statement, group.decided("pay 6"))).toContain("signing-refused");
	});

	it.each([
		["too few commits", group.decided("pay 5", [0, 1])],
		["one commit twice", group.decided("pay 5", [0, 1, 1])],
		["another group's commits", new SigningGroup().decided("pay 5")],
		[
			"another view under the same signatures",
			{ ...proof, certificate: { ...proof.certificate, view: 3 as ViewNumber } },
		],
		["nonsense", 7 as never],
	])("does not sign for %s", async (_what, shown) => {
		const world = await restricted();
		expect(await world.verdict(statement, shown)).toContain("signing-refused");
	});

	it("stays restricted when it is refreshed, handed over, and when a share comes back", async () => {
		const world = await restricted();
		await world.run(world.manager.refreshShares());
		expect(await world.verdict(statement)).toContain("signing-refused");
		expect(await world.verdict(statement, proof)).toBe("signed");
		const custodians = [generateAgreementKey(), generateAgreementKey()];
		await world.run(world.manager.reshare([...nodes.slice(1), "node-5"], 3));
		expect(await world.verdict(statement)).toContain("signing-refused");
		await world.run(
			world.manager.backupKeyShare(
				"node-5",
				custodians.map(({ publicKey }, at) => ({ name: `c${at}`, publicKey })),
				2,
			),
		);
		await world.run(world.manager.dismiss("node-5"));
		await world.run(world.manager.recoveryKey("node-5"));
		expect(await world.verdict(statement)).toContain("signing-refused");
		expect(await world.verdict(statement, proof)).toBe("signed");
	});

	it("can not be turned to another group, and one that is rotated in is free", async () => {
		const world = await restricted();
		await world.run(world.manager.restrictToDecisions(group.trust));
		const other = world.manager.restrictToDecisions(new SigningGroup().trust);
		await expect(world.run(other)).rejects.toMatchObject({ code: "signing-refused" });
		expect(await world.verdict(statement, proof)).toBe("signed");
		await world.run(world.manager.rotateKeys());
		expect(await world.verdict(statement)).toBe("signed");
	});
});

describe("a secured decision before a third party", () => {
	const proof = group.decided("pay 5");
	let good: SecuredDecision;
	let key: SecurityManager["key"];

	beforeAll(async () => {
		const world = await restricted();
		key = world.manager.key;
		const made = world.manager.createThresholdSignature(decisionStatement(proof, digest), undefined, proof);
		const { signature, publicKey, epoch } = await world.run(made);
		const { epoch: groupEpoch, faults, members } = group.trust;
		good = {
			result: { value: null },
			sequence: 5,
			view: 2,
			certificate: { proof, epoch: groupEpoch, faults, members },
			signature: { suite: key.suite, publicKey, keyEpoch: epoch, signature },
		};
	});

	const withProof = (changed: Partial<DecisionProof>): SecuredDecision => ({
		...good,
		certificate: { ...good.certificate, proof: { ...proof, ...changed } },
	});

	it("holds under the key that it trusts", () => {
		expect(verifySecuredDecision(good, key)).toBeNull();
		// The view is no part of what the key has signed, but of what the members have.
		const { certificate } = proof;
		expect(verifySecuredDecision(withProof({ certificate: { ...certificate, view: 3 as ViewNumber } }), key)).toContain(
			"bad-signature",
		);
	});

	it.each<[string, () => SecuredDecision, string]>([
		[
			"another request",
			() => withProof({ request: { ...proof.request, operation: Buffer.from("pay 6") } }),
			"has not signed",
		],
		["another client", () => withProof({ request: { ...proof.request, timestamp: 8 } }), "has not signed"],
		["another place", () => withProof({ index: 1 }), "has not signed"],
		["another group", () => withProof({ cluster: "bunk" }), "has not signed"],
		["another slot", () => ({ ...good, sequence: 6 }), "slot 6"],
		[
			"another slot throughout",
			() => ({ ...withProof({ certificate: { ...proof.certificate, sequence: 6 as SequenceNumber } }), sequence: 6 }),
			"has not signed",
		],
		[
			"too few commits",
			() => withProof({ certificate: { ...proof.certificate, commits: proof.certificate.commits.slice(1) } }),
			"too-few-signers",
		],
		[
			"a spoilt signature",
			() => ({
				...good,
				signature: {
					...good.signature,
					signature: good.signature.signature.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
				},
			}),
			"has not signed",
		],
		["nonsense", () => ({ ...good, certificate: 7 }) as never, "malformed"],
	])("does not hold with %s", (_what, spoilt, fault) => {
		expect(verifySecuredDecision(spoilt(), key)).toContain(fault);
	});

	it("does not hold under another key than the one that is trusted, whatever key it names", async () => {
		const world = new World();
		const other = await world.run(world.manager.generateDistributedKeys(["x", "y"], 2));
		const { signature, publicKey } = await world.run(
			world.manager.createThresholdSignature(decisionStatement(proof, digest)),
		);
		const forged = { ...good, signature: { ...good.signature, signature, publicKey } };
		expect(verifySecuredDecision(forged, { suite: other.suite, publicKey: other.publicKey })).toBeNull();
		expect(verifySecuredDecision(forged, key)).toContain("has not signed");
	});
});
