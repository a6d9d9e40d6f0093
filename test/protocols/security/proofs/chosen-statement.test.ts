/**
 * Goal: nobody proves anything of an element that was made to fit the proof (SEC-6, SEC-7): Fiat and Shamir's transform must hash
 * the statement (Bernhard, Pereira and Warinschi, ASIACRYPT 2012). Method: the forgery against a challenge without the element.
 */
import { describe, expect, it } from "vitest";
import { frame } from "../../../../protocols/security/bytes.ts";
import { ciphersuite, verifyEqualLogarithms, verifyKnowledge } from "../../../../protocols/security/index.ts";

describe.each(["ristretto255", "ed25519"] as const)("%s", (name) => {
	it("an element that is made after its proof is not proved", () => {
		const suite = ciphersuite(name);
		const context = Uint8Array.of(1);
		const commitment = suite.generator.multiply(suite.hashToScalar("c", context));
		const response = suite.hashToScalar("r", context);
		const weak = frame(suite.generator.toBytes(), commitment.toBytes(), context);
		const challenge = suite.hashToScalar("schnorr-proof", weak);
		const difference = suite.generator.multiply(response).subtract(commitment);
		const element = difference.multiply(suite.invert(challenge));
		// The equation holds for the challenge that leaves the element out.
		expect(commitment.add(element.multiply(challenge)).equals(suite.generator.multiply(response))).toBe(true);
		const proof = new Uint8Array([...commitment.toBytes(), ...suite.encodeScalar(response)]);
		expect(verifyKnowledge(suite, element, context, proof)).toBe(false);
	});

	it("a second pair that is made after its proof does not have the first one's logarithm", () => {
		const suite = ciphersuite(name);
		const context = Uint8Array.of(2);
		const scalar = (label: string): bigint => suite.hashToScalar(label, context);
		const [secret, nonce] = [scalar("x"), scalar("k")];
		const [base, first] = [suite.generator, suite.generator.multiply(secret)];
		const [commitment, other] = [base.multiply(nonce), base.multiply(scalar("o"))];
		const weak = frame(...[base, first, commitment, other].map((element) => element.toBytes()), context);
		const challenge = suite.hashToScalar("equal-logarithms", weak);
		const response = suite.reduce(nonce - challenge * secret);
		const otherBase = base.multiply(scalar("b"));
		const second = other.subtract(otherBase.multiply(response)).multiply(suite.invert(challenge));
		// Both equations hold for the challenge that leaves the second pair out, and the logarithms differ.
		expect(base.multiply(response).add(first.multiply(challenge)).equals(commitment)).toBe(true);
		expect(otherBase.multiply(response).add(second.multiply(challenge)).equals(other)).toBe(true);
		expect(otherBase.multiply(secret).equals(second)).toBe(false);
		const proof = new Uint8Array([...suite.encodeScalar(challenge), ...suite.encodeScalar(response)]);
		expect(verifyEqualLogarithms(suite, { base, first, otherBase, second }, context, proof)).toBe(false);
	});
});
