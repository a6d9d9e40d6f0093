/**
 * Goal: which key signs and verifies when, after rotation, is the replicated log's to say (SEC-32). Method: a register driven by
 * commands with their times; another one from its snapshot, and one that applies the same commands, answer alike.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import { ciphersuite, dealKey, type GroupKeyData, KeyEpochRegister } from "../../../../protocols/security/index.ts";

const suite = ciphersuite("ristretto255");
const members = [1, 2, 3].map((identifier) => ({ node: nodeId(`node-${identifier}`), identifier }));
const keyOf = (secret: bigint, slope: bigint, epoch: number): GroupKeyData => ({
	...dealKey("ristretto255", [secret, slope].map(suite.encodeScalar), members).key.data,
	epoch,
});
const first = keyOf(5n, 1n, 0);
const refreshed = keyOf(5n, 2n, 1);
const other = keyOf(9n, 1n, 0);
const DAY_MS = 86_400_000;
const ask = (register: KeyEpochRegister, { publicKey, epoch }: GroupKeyData, atMs: number) =>
	register.query({ publicKey, epoch, atMs });

describe("SEC-32: key epochs", () => {
	it("a refreshed sharing no longer signs, and what it has signed verifies on, as the key has stayed", () => {
		const register = new KeyEpochRegister();
		expect(register.apply({ type: "install", key: first, atMs: 0 })).toEqual({ isDone: true, generation: 1 });
		expect(ask(register, first, 1)).toEqual({ status: "current", maySign: true, mayVerify: true });
		register.apply({ type: "install", key: refreshed, atMs: 1_000 });
		expect(register.current).toEqual(refreshed);
		expect(ask(register, first, 1_001)).toEqual({ status: "overlapping", maySign: false, mayVerify: true });
		expect(ask(register, first, 1_000 + DAY_MS)).toEqual({ status: "retired", maySign: false, mayVerify: true });
	});

	it("after a rotation to another key the old one verifies for 24 hours, to the millisecond, and then no more", () => {
		const register = new KeyEpochRegister();
		register.apply({ type: "install", key: first, atMs: 0 });
		register.apply({ type: "install", key: other, atMs: 1_000 });
		expect(ask(register, first, 1_000 + DAY_MS - 1)).toEqual({
			status: "overlapping",
			maySign: false,
			mayVerify: true,
		});
		expect(ask(register, first, 1_000 + DAY_MS)).toEqual({ status: "retired", maySign: false, mayVerify: false });
	});

	it("a revoked key ends at once, also the current one, and does not come back", () => {
		const register = new KeyEpochRegister();
		register.apply({ type: "install", key: first, atMs: 0 });
		expect(register.apply({ type: "revoke", publicKey: first.publicKey, atMs: 5 }).isDone).toBe(true);
		expect(ask(register, first, 6)).toEqual({ status: "revoked", maySign: false, mayVerify: false });
		expect(register.current).toBeNull();
		expect(register.apply({ type: "install", key: refreshed, atMs: 7 })).toEqual({ isDone: false, reason: "revoked" });
	});

	it("epochs follow each other without gaps; what is no key, and a key that nobody knows, is refused by the result", () => {
		const register = new KeyEpochRegister();
		expect(register.apply({ type: "install", key: refreshed, atMs: 0 })).toEqual({
			isDone: false,
			reason: "epoch-not-next",
		});
		register.apply({ type: "install", key: first, atMs: 0 });
		expect(register.apply({ type: "install", key: first, atMs: 0 })).toEqual({
			isDone: false,
			reason: "epoch-not-next",
		});
		const broken = { ...refreshed, threshold: 9 };
		expect(register.apply({ type: "install", key: broken, atMs: 0 })).toEqual({ isDone: false, reason: "key-invalid" });
		expect(register.apply({ type: "revoke", publicKey: other.publicKey, atMs: 0 })).toEqual({
			isDone: false,
			reason: "unknown-key",
		});
		expect(ask(register, other, 0)).toEqual({ status: "unknown", maySign: false, mayVerify: false });
	});

	it("time does not go back: a command with an earlier time does not reopen an overlap", () => {
		const register = new KeyEpochRegister();
		register.apply({ type: "install", key: first, atMs: 0 });
		register.apply({ type: "install", key: other, atMs: 1_000 });
		register.apply({ type: "revoke", publicKey: new Uint8Array(32), atMs: 1_000 + DAY_MS });
		expect(ask(register, first, 2_000)).toMatchObject({ status: "retired" });
	});

	it("survives a restart in its snapshot", () => {
		const register = new KeyEpochRegister();
		register.apply({ type: "install", key: first, atMs: 0 });
		register.apply({ type: "install", key: other, atMs: 1_000 });
		const restored = new KeyEpochRegister();
		restored.restoreSnapshot(structuredClone(register.takeSnapshot()));
		for (const atMs of [1_000, 1_000 + DAY_MS - 1, 1_000 + DAY_MS])
			for (const key of [first, other, refreshed]) expect(ask(restored, key, atMs)).toEqual(ask(register, key, atMs));
	});
});
