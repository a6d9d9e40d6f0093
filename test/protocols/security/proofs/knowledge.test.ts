/**
 * Goal: a proof shows its own statement and nothing else (SEC-6, SEC-7, SEC-10). Method: true proofs verify; each part of proof,
 * statement and context changed in turn does not; and the forgery that a verifier without a challenge of its own lets pass is tried.
 */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
	ciphersuite,
	ProofCache,
	proveEqualLogarithms,
	proveKnowledge,
	verifyEqualLogarithms,
	verifyKnowledge,
} from "../../../../protocols/security/index.ts";

const entropy = (): Uint8Array => new Uint8Array(randomBytes(32));
const context = new TextEncoder().encode("node-1/session-9");
const flips = (proof: Uint8Array): Uint8Array[] =>
	Array.from(proof, (_, at) => proof.map((byte, place) => (place === at ? byte ^ 1 : byte)));

describe.each(["ristretto255", "ed25519"] as const)("%s", (name) => {
	const suite = ciphersuite(name);
	const secret = suite.hashToScalar("test", entropy());
	const element = suite.generator.multiply(secret);

	describe("SEC-6: knowledge of a logarithm (RFC 8235)", () => {
		const proof = proveKnowledge(suite, secret, context, entropy());

		it("verifies for its element and context alone", () => {
			expect(verifyKnowledge(suite, element, context, proof)).toBe(true);
			expect(verifyKnowledge(suite, element.add(suite.generator), context, proof)).toBe(false);
			expect(verifyKnowledge(suite, element, new Uint8Array(), proof)).toBe(false);
			expect(verifyKnowledge(suite, suite.identity, context, proof)).toBe(false);
			// Of the identity anybody "knows" the logarithm: any response with its own commitment would do.
			const anybody = new Uint8Array([...element.toBytes(), ...suite.encodeScalar(secret)]);
			expect(verifyKnowledge(suite, suite.identity, context, anybody)).toBe(false);
		});

		it("SEC-7: fails with any byte changed, cut, or of another type", () => {
			for (const changed of flips(proof)) expect(verifyKnowledge(suite, element, context, changed)).toBe(false);
			for (const changed of [proof.slice(1), new Uint8Array(64), new Uint8Array(64).fill(255), "proof", null])
				expect(verifyKnowledge(suite, element, context, changed as never)).toBe(false);
		});

		it("SEC-7: a proof made from a challenge and a response chosen first is no proof", () => {
			const [challenge, response] = [suite.hashToScalar("c", entropy()), suite.hashToScalar("r", entropy())];
			const commitment = suite.generator.multiply(response).subtract(element.multiply(challenge));
			const forged = new Uint8Array([...commitment.toBytes(), ...suite.encodeScalar(response)]);
			// The equation itself holds, for that challenge:
			expect(suite.generator.multiply(response).equals(commitment.add(element.multiply(challenge)))).toBe(true);
			expect(verifyKnowledge(suite, element, context, forged)).toBe(false);
		});

		it("is a new one each time, refuses a secret of zero and too little entropy", () => {
			expect(proveKnowledge(suite, secret, context, entropy())).not.toEqual(proof);
			expect(() => proveKnowledge(suite, 0n, context, entropy())).toThrow("zero");
			expect(() => proveKnowledge(suite, secret, context, new Uint8Array(31))).toThrow("entropy");
		});
	});

	describe("equality of logarithms", () => {
		const otherBase = suite.generator.multiply(suite.hashToScalar("base", entropy()));
		const statement = { base: suite.generator, first: element, otherBase, second: otherBase.multiply(secret) };
		const proof = proveEqualLogarithms(suite, statement, secret, context, entropy());

		it("verifies for its statement and context alone", () => {
			expect(verifyEqualLogarithms(suite, statement, context, proof)).toBe(true);
			expect(verifyEqualLogarithms(suite, statement, new Uint8Array(), proof)).toBe(false);
			for (const part of ["base", "first", "otherBase", "second"] as const)
				for (const other of [statement[part].add(suite.generator), suite.identity])
					expect(verifyEqualLogarithms(suite, { ...statement, [part]: other }, context, proof)).toBe(false);
			const exchanged = { base: otherBase, first: statement.second, otherBase: suite.generator, second: element };
			expect(verifyEqualLogarithms(suite, exchanged, context, proof)).toBe(false);
		});

		it("fails with any byte changed or of another type", () => {
			for (const changed of [...flips(proof), proof.slice(1), new Uint8Array(64).fill(255), null])
				expect(verifyEqualLogarithms(suite, statement, context, changed as never)).toBe(false);
		});

		it("can not be made where it does not hold", () => {
			const false_ = { ...statement, second: statement.second.add(suite.generator) };
			expect(() => proveEqualLogarithms(suite, false_, secret, context, entropy())).toThrow("logarithm of both");
		});
	});
});

describe("SEC-10: cached verdicts", () => {
	const suite = ciphersuite("ristretto255");

	it("are of the whole statement: another element, context or proof is verified anew, and never gets the verdict of the first", () => {
		const cache = new ProofCache();
		const proof = proveKnowledge(suite, 7n, context, entropy());
		const verdict = (scalar: bigint, about: Uint8Array, given: Uint8Array): boolean => {
			const element = suite.generator.multiply(scalar);
			return cache.verdict("knowledge", [element.toBytes(), about, given], () =>
				verifyKnowledge(suite, element, about, given),
			);
		};
		expect(verdict(7n, context, proof)).toBe(true);
		expect(verdict(7n, context, proof)).toBe(true);
		expect(cache.hits).toBe(1);
		expect(verdict(8n, context, proof)).toBe(false);
		expect(verdict(7n, new Uint8Array(), proof)).toBe(false);
		expect(
			verdict(
				7n,
				context,
				proof.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
			),
		).toBe(false);
		expect(cache.hits).toBe(1);
		// Parts that would join to the same bytes are other statements.
		const [a, b] = [new Uint8Array([1, 2]), new Uint8Array([3])];
		expect(cache.verdict("x", [a, b], () => true)).toBe(true);
		expect(cache.verdict("x", [new Uint8Array([1]), new Uint8Array([2, 3])], () => false)).toBe(false);
		// And so is a proof of another kind with the same parts.
		expect(cache.verdict("y", [a, b], () => false)).toBe(false);
	});

	it("are bounded, the least recently used goes first", () => {
		const cache = new ProofCache(2);
		const ask = (value: number, answer: boolean): boolean =>
			cache.verdict("x", [new Uint8Array([value])], () => answer);
		ask(1, true);
		ask(2, true);
		ask(1, true);
		ask(3, true);
		expect(cache.size).toBe(2);
		expect(ask(1, false)).toBe(true);
		expect(ask(2, false)).toBe(false);
		expect(() => new ProofCache(0)).toThrow("capacity");
	});
});
