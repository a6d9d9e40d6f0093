/**
 * Goal: the wrapper refuses keys that can not vouch for its group and decisions that are not its own, and its detectors hear what happens
 * (SEC-39). Method: a coordinator and a manager of the test's own making; test/threads/examples runs real ones.
 */
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import type {
	ByzantineClientOptions,
	ByzantineConsensusCoordinator,
	ByzantineEvent,
	Conviction,
	ObservedAnswer,
} from "../../../actors/byzantine-coordinator/index.ts";
import { encodeValue } from "../../../actors/participant/index.ts";
import { SecureConsensusWrapper } from "../../../actors/secure-consensus/index.ts";
import type { SecurityManager } from "../../../actors/security-manager/index.ts";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	type DecisionProof,
	type Epoch,
	type SequenceNumber,
	statementBytes,
	type ViewNumber,
} from "../../../protocols/pbft/index.ts";
import { commitNonces, type DealtKey, dealKey, SigningSession } from "../../../protocols/security/index.ts";
import { KeyRing, NodeCryptoPort } from "../../../runtime/crypto/index.ts";
import { cluster, SigningGroup } from "./signed-proof.ts";

const scalar = (value: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, at) => (at === 0 ? value : 0));

class Fixture {
	readonly members = new SigningGroup();
	readonly events$ = new Subject<ByzantineEvent>();
	readonly asked: unknown[] = [];
	readonly restrictions: unknown[] = [];
	readonly dealt: DealtKey;
	observe: (answer: ObservedAnswer) => void = () => undefined;
	/** What the group shows for a proposal. */
	proofOf: (proposal: unknown) => DecisionProof;
	threshold: number;

	constructor({ holders = ["node-1", "node-2", "node-3", "node-4"], threshold = 3 } = {}) {
		this.threshold = threshold;
		const coefficients = Array.from({ length: threshold }, (_, at) => scalar(at + 3));
		const members = holders.map((node, at) => ({ node: nodeId(node), identifier: at + 1 }));
		this.dealt = dealKey("ristretto255", coefficients, members);
		this.proofOf = (proposal) => this.members.decided(encodeValue(proposal));
	}

	get coordinator(): ByzantineConsensusCoordinator {
		const { members, events$ } = this;
		const group = {
			nodes: members.members,
			faults: 1,
			trust: members.trust,
			convictions: [],
			events$,
			client: ({ observe }: ByzantineClientOptions) => {
				this.observe = observe as (answer: ObservedAnswer) => void;
				return { id: nodeId("client-1"), close: () => undefined };
			},
			certify: async (_client: unknown, proposal: unknown) => {
				this.asked.push(proposal);
				const { epoch, faults, members: keys } = members.trust;
				const proof = this.proofOf(proposal);
				return { result: "done", sequence: 5, view: 2, certificate: { proof, epoch, faults, members: keys } };
			},
		};
		return { members: members.members, group } as unknown as ByzantineConsensusCoordinator;
	}

	get security(): SecurityManager {
		const { key, shares } = this.dealt;
		const sign = (message: Uint8Array) => {
			const signers = shares.slice(0, this.threshold);
			const nonces = signers.map((share, at) => commitNonces(share, new Uint8Array(64).fill(at + 1)));
			const session = new SigningSession(key, { message, commitments: nonces.map(({ commitment }) => commitment) });
			return session.aggregate(signers.map((share, at) => session.sign(share, nonces[at]!)));
		};
		const manager = {
			key: key.data,
			restrictToDecisions: async (to: unknown) => void this.restrictions.push(to),
			createThresholdSignature: async (message: Uint8Array) => ({
				signature: sign(message),
				publicKey: key.data.publicKey,
				epoch: 0,
			}),
		};
		return manager as unknown as SecurityManager;
	}
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
	promise.then(
		() => "none",
		(error: { code?: string }) => error.code,
	);

describe("SEC-39: a secure consensus", () => {
	it("gives a decision that holds, and restricts the key once before its first use", async () => {
		const fixture = new Fixture();
		const wrapper = new SecureConsensusWrapper(fixture.coordinator, fixture.security);
		const decision = await wrapper.initiateConsensus("pay 5");
		expect(wrapper.verify(decision)).toBeNull();
		expect(decision).toMatchObject({ result: "done", sequence: 5, signature: { keyEpoch: 0 } });
		await wrapper.initiateConsensus("pay 6");
		expect(fixture.restrictions).toEqual([fixture.members.trust]);
	});

	it("refuses what is not to be proposed before anybody hears of it", async () => {
		const fixture = new Fixture();
		const validate = (proposal: unknown) => (proposal === "steal" ? "no" : null);
		const wrapper = new SecureConsensusWrapper(fixture.coordinator, fixture.security, { validate });
		expect(await codeOf(wrapper.initiateConsensus("steal"))).toBe("proposal-refused");
		expect(fixture.asked).toEqual([]);
	});

	it("does not give out the certificate of another proposal", async () => {
		const fixture = new Fixture();
		fixture.proofOf = () => fixture.members.decided(encodeValue("pay 6"));
		const wrapper = new SecureConsensusWrapper(fixture.coordinator, fixture.security);
		expect(await codeOf(wrapper.initiateConsensus("pay 5"))).toBe("decision-not-authentic");
	});

	it("does not give out a decision whose certificate proves nothing", async () => {
		const fixture = new Fixture();
		fixture.proofOf = (proposal) => fixture.members.decided(encodeValue(proposal), [0, 1]);
		const wrapper = new SecureConsensusWrapper(fixture.coordinator, fixture.security);
		expect(await codeOf(wrapper.initiateConsensus("pay 5"))).toBe("decision-not-authentic");
	});

	it.each([
		["liars alone could sign", { threshold: 1 }],
		["silent liars could block", { threshold: 4 }],
		["a stranger holds a share", { holders: ["node-1", "node-2", "node-3", "node-9"] }],
	])("refuses a key with which %s", async (_what, options) => {
		const fixture = new Fixture(options);
		const wrapper = new SecureConsensusWrapper(fixture.coordinator, fixture.security);
		expect(await codeOf(wrapper.initiateConsensus("pay 5"))).toBe("group-key-unfit");
		expect(fixture.asked).toEqual([]);
	});

	it("lets its detectors hear of convictions, late answers and answers of their own", async () => {
		const fixture = new Fixture();
		const wrapper = new SecureConsensusWrapper(fixture.coordinator, fixture.security);
		const answer = (member: NodeId, text: string, delayMs: number): void =>
			fixture.observe({ member, timestamp: 7, delayMs, sequence: 5, data: Buffer.from(text) });
		const [one, two, three, four] = fixture.members.members as [NodeId, NodeId, NodeId, NodeId];
		const round = async (delayMs: number): Promise<void> => {
			// Answers come while the group decides.
			const { proofOf } = fixture;
			fixture.proofOf = (proposal) => {
				answer(one, "done", 4);
				answer(two, "done", delayMs);
				for (const liar of [three, four]) answer(liar, "other", 4);
				return proofOf(proposal);
			};
			await wrapper.initiateConsensus("pay 5");
			fixture.proofOf = proofOf;
		};
		for (let at = 0; at < 12; at++) await round(5);
		expect(wrapper.monitor.alerts).toEqual([]);
		await round(400);
		expect(wrapper.monitor.alerts).toMatchObject([{ kind: "timing", about: [two] }]);
		fixture.events$.next({ type: "member-convicted", conviction: equivocation(fixture.members, 2) } as ByzantineEvent);
		expect(wrapper.monitor.reputation(three)).toBe(0);
		expect(wrapper.monitor.alerts.at(-2)).toMatchObject({ kind: "contradiction", severity: "high", about: [three] });
		wrapper.close();
		fixture.events$.next({ type: "member-convicted", conviction: equivocation(fixture.members, 3) } as ByzantineEvent);
		expect(wrapper.monitor.reputation(four)).toBeGreaterThan(0);
	});
});

/** Two commits that one member has signed for one slot. */
function equivocation({ identities }: SigningGroup, at: number): Conviction {
	const own = identities[at]!;
	const port = new NodeCryptoPort(new KeyRing(cluster, own));
	const said = (text: string) => {
		const digest = port.digest(Buffer.from(text));
		const place = { epoch: 0 as Epoch, view: 0 as ViewNumber, sequence: 9 as SequenceNumber };
		const statement = { type: "commit", ...place, digest } as const;
		return { statement, signature: port.sign(statementBytes(cluster, own.public.id, statement)) };
	};
	const evidence = { type: "equivocation", culprit: own.public.id, first: said("a"), second: said("b") } as const;
	return { culprit: own.public.id, evidence, atMs: 0, toldBy: own.public.id };
}
