/**
 * Goal: each part of a range proof by bits is needed: the bits must add up to the commitment, from below and from above (SEC-8). Method: a prover
 * of the test's own makes bits for whatever it likes, under the very transcripts that the verifier uses.
 */
import { expect, it } from "vitest";
import { uint53 } from "../../../../protocols/security/bytes.ts";
import { type BitRangeProof, ciphersuite, verifyRangeByBits } from "../../../../protocols/security/index.ts";
import { blindingGenerator, commit } from "../../../../protocols/security/proofs/pedersen.ts";
import { Transcript } from "../../../../protocols/security/proofs/transcript.ts";

const suite = ciphersuite("ristretto255");
const context = Uint8Array.of(3);
const range = { min: 5, max: 10 };
/** 11 is above the range, and 6 above its lower end: three bits, as the range takes. */
const opening = { value: 11n, blinding: 1_000n };
const commitment = commit(opening);
type Side = "above-min" | "below-max";
type Opening = typeof opening;

/** Shows that each of these openings is of 0 or 1. */
function bitsOf(side: Side, openings: readonly Opening[]): BitRangeProof["aboveMin"] {
	const commitments = openings.map(commit);
	const transcript = new Transcript(suite, `range-bits/${side}`, context)
		.appendElements("commitment", commitment)
		.append("range", uint53(range.min), uint53(range.max))
		.appendElements("bits", ...commitments);
	return openings.map(({ value, blinding }, at) => {
		const statements = [commitments[at]!, commitments[at]!.subtract(suite.generator)];
		const real = Number(value);
		const [nonce, simulatedChallenge, simulatedResponse] = [7n + BigInt(at), 11n, 13n];
		const honest = blindingGenerator().multiply(nonce);
		const simulated = blindingGenerator()
			.multiply(simulatedResponse)
			.subtract(statements[1 - real]!.multiply(simulatedChallenge));
		transcript.appendElements("case", ...(real === 0 ? [honest, simulated] : [simulated, honest]));
		const challenge = suite.reduce(transcript.challenge("bit") - simulatedChallenge);
		const response = suite.reduce(nonce + challenge * blinding);
		const inOrder = (own: bigint, other: bigint): readonly [Uint8Array, Uint8Array] =>
			real === 0
				? [suite.encodeScalar(own), suite.encodeScalar(other)]
				: [suite.encodeScalar(other), suite.encodeScalar(own)];
		return {
			commitment: commitments[at]!.toBytes(),
			challenges: inOrder(challenge, simulatedChallenge),
			responses: inOrder(response, simulatedResponse),
		};
	});
}

/** Openings of the bits of a value whose weighted sum has this blinding. */
function openingsOf(value: number, blinding: bigint): readonly Opening[] {
	const upper = [20n, 30n];
	const lowest = suite.reduce(blinding - 2n * upper[0]! - 4n * upper[1]!);
	return [lowest, ...upper].map((each, at) => ({ value: BigInt((value >> at) & 1), blinding: each }));
}

it("a value above the range does not pass with good bits from below alone", () => {
	const aboveMin = bitsOf("above-min", openingsOf(6, opening.blinding));
	const belowMax = bitsOf("below-max", openingsOf(7, suite.reduce(-opening.blinding)));
	expect(verifyRangeByBits(commitment, range, context, { aboveMin, belowMax })).toBe(false);
	expect(verifyRangeByBits(commitment, range, context, { aboveMin, belowMax: aboveMin })).toBe(false);
});

it("nor with bits that are all good and are not those of the commitment", () => {
	const aboveMin = bitsOf("above-min", openingsOf(2, 1n));
	const belowMax = bitsOf("below-max", openingsOf(3, 2n));
	expect(verifyRangeByBits(commitment, range, context, { aboveMin, belowMax })).toBe(false);
});
