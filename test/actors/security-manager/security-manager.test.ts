/**
 * Goal: the design document's security manager, as it writes it, with real results (SEC-1..5, SEC-31..36). Method: the manager on a
 * simulated backend, where every participant is an actor on a virtual thread; test/threads/security-manager runs it on real ones.
 */
import { describe, expect, it } from "vitest";
import {
	forwardBackupPiece,
	KeyHolder,
	keyHolderModule,
	SecurityManager,
	type SecurityManagerOptions,
} from "../../../actors/security-manager/index.ts";
import { QuorateError } from "../../../protocols/core/index.ts";
import { verifySignature } from "../../../protocols/security/index.ts";
import { generateAgreementKey } from "../../../runtime/crypto/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";

const participants = ["node-1", "node-2", "node-3", "node-4"];
const message = new TextEncoder().encode("decision 7");

class World {
	readonly simulation = new Simulation({ seed: 5, modules: new Map([[keyHolderModule, { KeyHolder }]]) });
	readonly manager: SecurityManager;

	constructor(options: SecurityManagerOptions = {}) {
		this.manager = new SecurityManager({ backend: this.simulation.backend, ...options });
	}

	run<T>(promise: Promise<T>): Promise<T> {
		return this.simulation.complete(promise);
	}

	async codeOf(promise: Promise<unknown>): Promise<string> {
		try {
			await this.run(promise);
		} catch (error) {
			if (error instanceof QuorateError) return error.code;
			throw error;
		}
		return "none";
	}

	async kill(node: string): Promise<void> {
		const thread = this.simulation.threads.status().find(({ spec }) => spec.name === `security/${node}`);
		await this.run(this.simulation.threads.kill(thread!.slot, "killed"));
	}
}

async function withKey(options: SecurityManagerOptions = {}): Promise<World> {
	const world = new World(options);
	await world.run(world.manager.generateDistributedKeys(participants, 3));
	return world;
}

describe("SEC-1: generateDistributedKeys", () => {
	it("gives a key that all participants have confirmed, and threshold signatures verify under it", async () => {
		const { manager, run } = bound(new World());
		const key = await run(manager.generateDistributedKeys(participants, 3));
		expect(key).toMatchObject({ suite: "ristretto255", epoch: 0, threshold: 3, faults: [] });
		expect(key.members.map(({ node }) => node)).toEqual(participants);
		expect(key.certificate.confirmations).toHaveLength(4);
		const signed = await run(manager.createThresholdSignature(message));
		expect(signed).toMatchObject({ epoch: 0, publicKey: key.publicKey, culprits: [] });
		expect(manager.verifyThresholdSignature(message, signed.signature)).toBe(true);
		expect(manager.verifyThresholdSignature(new Uint8Array(1), signed.signature)).toBe(false);
		expect(verifySignature("ristretto255", key.publicKey, message, signed.signature)).toBe(true);
	});

	it("ed25519 keys sign as RFC 8032 has it", async () => {
		const { manager, run } = bound(new World({ suite: "ed25519" }));
		const key = await run(manager.generateDistributedKeys(["a", "b"], 2));
		const { signature } = await run(manager.createThresholdSignature(message));
		expect(verifySignature("ed25519", key.publicKey, message, signature)).toBe(true);
	});

	it.each([
		[[], 1, "participants-invalid"],
		[["a", "a"], 1, "participants-invalid"],
		[["a b"], 1, "participants-invalid"],
		[["a", "b"], 3, "threshold-invalid"],
		[["a", "b"], 0, "threshold-invalid"],
	])("refuses %o with threshold %i", async (wrong, threshold, code) => {
		const world = new World();
		expect(await world.codeOf(world.manager.generateDistributedKeys(wrong, threshold))).toBe(code);
	});

	it("refuses to be used before, and after it was shut down", async () => {
		const world = new World();
		expect(await world.codeOf(world.manager.createThresholdSignature(message))).toBe("no-group-key");
		expect(world.manager.verifyThresholdSignature(message, new Uint8Array(64))).toBe(false);
		await world.run(world.manager.shutdown());
		expect(await world.codeOf(world.manager.generateDistributedKeys(participants, 3))).toBe("security-manager-stopped");
		await world.run(world.manager.shutdown());
		expect(() => new SecurityManager({ phaseMs: 0 })).toThrow("phaseMs");
	});
});

describe("SEC-3: createThresholdSignature", () => {
	it("goes on with a participant dead, and says so with two dead", async () => {
		const world = await withKey({ signingTimeoutMs: 200 });
		await world.kill("node-2");
		const { signature } = await world.run(world.manager.createThresholdSignature(message));
		expect(world.manager.verifyThresholdSignature(message, signature)).toBe(true);
		await world.kill("node-3");
		expect(await world.codeOf(world.manager.createThresholdSignature(message))).toBe("signing-failed");
	});

	it("signs many messages, also at the same time, each with nonces of its own", async () => {
		const world = await withKey();
		const messages = Array.from({ length: 12 }, (_, number) => new Uint8Array([number]));
		const signed = await world.run(Promise.all(messages.map((one) => world.manager.createThresholdSignature(one))));
		for (const [at, { signature }] of signed.entries())
			expect(world.manager.verifyThresholdSignature(messages[at]!, signature)).toBe(true);
		// R is the first half: two signatures with one R would have shared their nonces.
		const commitments = signed.map(({ signature }) => Buffer.from(signature.subarray(0, 32)).toString("hex"));
		expect(new Set(commitments).size).toBe(12);
	});

	it("with the signers that it is told, if they are enough", async () => {
		const world = await withKey();
		const { signature } = await world.run(
			world.manager.createThresholdSignature(message, ["node-4", "node-2", "node-1"]),
		);
		expect(world.manager.verifyThresholdSignature(message, signature)).toBe(true);
		expect(await world.codeOf(world.manager.createThresholdSignature(message, ["node-1", "node-2"]))).toBe(
			"signing-failed",
		);
	});
});

describe("SEC-32, SEC-33: the life of a key", () => {
	it("a refresh keeps the public key and what was signed, and forgets the old shares", async () => {
		const world = await withKey();
		const before = world.manager.key;
		const { signature } = await world.run(world.manager.createThresholdSignature(message));
		const after = await world.run(world.manager.refreshShares());
		expect(after.publicKey).toEqual(before.publicKey);
		expect(after.epoch).toBe(1);
		expect(world.manager.verifyThresholdSignature(message, signature)).toBe(true);
		const again = await world.run(world.manager.createThresholdSignature(message));
		expect(again.epoch).toBe(1);
		expect(world.manager.verifyThresholdSignature(message, again.signature)).toBe(true);
		expect(await world.run(world.manager.keyStatus(before))).toBe("overlapping");
	});

	it("is handed over to other participants, who sign on their own", async () => {
		const world = await withKey();
		const before = world.manager.key;
		const after = await world.run(world.manager.reshare(["node-3", "node-5", "node-6"], 2));
		expect(after.publicKey).toEqual(before.publicKey);
		expect(after.members.map(({ node }) => node)).toEqual(["node-3", "node-5", "node-6"]);
		for (const node of ["node-1", "node-2", "node-4"]) await world.run(world.manager.dismiss(node));
		const { signature } = await world.run(world.manager.createThresholdSignature(message));
		expect(verifySignature("ristretto255", before.publicKey, message, signature)).toBe(true);
	});

	it("a rotation makes another key; the old one verifies for its overlap and no longer", async () => {
		const world = await withKey({ overlapMs: 1_000 });
		const before = world.manager.key;
		const { signature } = await world.run(world.manager.createThresholdSignature(message));
		const after = await world.run(world.manager.rotateKeys());
		expect(after.publicKey).not.toEqual(before.publicKey);
		expect(world.manager.verifyThresholdSignature(message, signature)).toBe(false);
		expect(world.manager.verifyThresholdSignature(message, signature, before)).toBe(true);
		expect(await world.run(world.manager.keyStatus(before))).toBe("overlapping");
		await world.simulation.run({ untilMs: world.simulation.nowMs + 1_001 });
		expect(await world.run(world.manager.keyStatus(before))).toBe("retired");
		expect(await world.run(world.manager.keyStatus(after))).toBe("current");
	});

	it("a participant that is dead is left out of a refresh, by name, and the key goes on without it", async () => {
		const world = await withKey({ phaseMs: 500 });
		await world.kill("node-4");
		const after = await world.run(world.manager.refreshShares());
		expect(after.members.map(({ node }) => node)).toEqual(["node-1", "node-2", "node-3"]);
		expect(after.faults.map(({ node, kind }) => `${node}: ${kind}`)).toEqual(["node-4: absent"]);
		const { signature } = await world.run(world.manager.createThresholdSignature(message));
		expect(world.manager.verifyThresholdSignature(message, signature)).toBe(true);
	});

	it("with too few left there is no refresh, and the key stays as it was", async () => {
		const world = await withKey({ phaseMs: 500 });
		const before = world.manager.key;
		await world.kill("node-3");
		await world.kill("node-4");
		expect(await world.codeOf(world.manager.refreshShares())).toBe("ceremony-failed");
		expect(world.manager.key).toEqual(before);
	});
});

describe("SEC-35, SEC-36: backup and recovery", () => {
	it("a share that died with its actor comes back from a threshold of custodians", async () => {
		const world = await withKey();
		const keys = ["x", "y", "z"].map((name) => ({ name, key: generateAgreementKey() }));
		const custodians = keys.map(({ name, key }) => ({ name, publicKey: key.publicKey }));
		const pieces = await world.run(world.manager.backupKeyShare("node-1", custodians, 2));
		await world.run(world.manager.dismiss("node-1"));
		expect(await world.codeOf(world.manager.createThresholdSignature(message, ["node-1", "node-2", "node-3"]))).toBe(
			"signing-failed",
		);
		const recipient = await world.run(world.manager.recoveryKey("node-1"));
		const forward = (at: number) => forwardBackupPiece(pieces[at]!, keys[at]!.key, recipient);
		expect(await world.codeOf(world.manager.recoverFromBackup("node-1", [forward(0)]))).toBe("backup-invalid");
		await world.run(world.manager.recoverFromBackup("node-1", [forward(0), forward(2)]));
		const { signature } = await world.run(
			world.manager.createThresholdSignature(message, ["node-1", "node-2", "node-3"]),
		);
		expect(world.manager.verifyThresholdSignature(message, signature)).toBe(true);
		expect(await world.codeOf(world.manager.recoveryKey("stranger"))).toBe("participants-invalid");
	});
});

/** The manager and its world, for tests that use both as plain functions. */
function bound(world: World): {
	readonly manager: SecurityManager;
	readonly run: <T>(promise: Promise<T>) => Promise<T>;
} {
	return { manager: world.manager, run: (promise) => world.run(promise) };
}
