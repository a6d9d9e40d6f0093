/**
 * Goal: the verifier of group signatures takes every Ed25519 signature that RFC 8032 prints (SEC-44), and refuses what verifiers are
 * known to disagree on. Method: the figures of §7.1; then each signature with its response enlarged by the group's order.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ciphersuite, verifySignature } from "../../../../protocols/security/index.ts";

interface Vectors {
	readonly section: string;
	readonly vectors: readonly {
		readonly name: string;
		readonly public_key: string;
		readonly message: string;
		readonly signature: string;
	}[];
}

const { section, vectors } = JSON.parse(
	readFileSync(new URL("./rfc8032-vectors.json", import.meta.url), "utf8"),
) as Vectors;
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, "hex"));

describe(`SEC-44: ${section}`, () => {
	it("has all five", () => {
		expect(vectors).toHaveLength(5);
	});

	it.each(vectors)("$name", ({ public_key, message, signature }) => {
		const verdict = (changed: Uint8Array): boolean =>
			verifySignature("ed25519", bytes(public_key), bytes(message), changed);
		expect(verdict(bytes(signature))).toBe(true);
		// s + order satisfies the same equation: who accepts it accepts a second signature that nobody has made (§5.1.7).
		const { order } = ciphersuite("ed25519");
		const s = BigInt(`0x${Buffer.from(bytes(signature).slice(32)).reverse().toString("hex")}`);
		const enlarged = Buffer.from((s + order).toString(16).padStart(64, "0"), "hex").reverse();
		expect(verdict(new Uint8Array([...bytes(signature).slice(0, 32), ...enlarged]))).toBe(false);
	});
});
