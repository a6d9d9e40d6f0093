/**
 * That a committed number lies in a range, shown bit by bit: each bit has a commitment with a proof that it holds 0 or 1 (Cramer,
 * Damgård and Schoenmakers 1994), and the weighted sum of these commitments is the one in question. Both `value − min` and
 * `max − value` are shown to fit the width, so the bounds hold exactly, whatever the width. Linear in the bits: for short ranges;
 * `bulletproof.ts` is for long ones.
 */
import { must } from "../../core/index.ts";
import { requireBytes, uint53 } from "../bytes.ts";
import type { GroupElement } from "../ciphersuite.ts";
import { statementInvalid } from "../errors.ts";
import { CONTEXT_BYTES_MAX } from "../limits.ts";
import { ScalarSource } from "../scalar-source.ts";
import { blindingGenerator, commit, type Opening, proofSuite as suite, times } from "./pedersen.ts";
import { Transcript } from "./transcript.ts";

/** Both ends belong to it; 0 ≤ min ≤ max < 2^53. */
export interface NumberRange {
	readonly min: number;
	readonly max: number;
}

/** One bit's commitment with its proof, encoded: 5 × 32 bytes. */
export interface BitProof {
	readonly commitment: Uint8Array;
	/** Of the cases 0 and 1; they add up to the transcript's. */
	readonly challenges: readonly [Uint8Array, Uint8Array];
	readonly responses: readonly [Uint8Array, Uint8Array];
}

/** The bits of `value − min` and of `max − value`, the lowest first. */
export interface BitRangeProof {
	readonly aboveMin: readonly BitProof[];
	readonly belowMax: readonly BitProof[];
}

/**
 * Proves that the opening's value is in the range.
 * @throws QuorateError `statement-invalid` if it is not, or the range is none; `bytes-malformed`
 */
export function proveRangeByBits(
	opening: Opening,
	range: NumberRange,
	context: Uint8Array,
	entropy: Uint8Array,
): BitRangeProof {
	const width = widthOf(range);
	requireBytes("context", context, 0, CONTEXT_BYTES_MAX);
	const min = BigInt(range.min);
	const max = BigInt(range.max);
	if (opening.value < min || opening.value > max)
		throw statementInvalid({ reason: `the value is outside ${range.min} to ${range.max}` });
	const commitment = commit(opening);
	const secrets = [opening.value, opening.blinding].map((scalar) => suite.encodeScalar(scalar));
	const source = new ScalarSource(suite, "range-bits", entropy, ...secrets);
	const prove = (side: string, value: bigint, blinding: bigint): readonly BitProof[] =>
		proveBits(transcriptOf(side, commitment, range, context), { value, blinding }, width, source);
	return {
		aboveMin: prove("above-min", opening.value - min, opening.blinding),
		belowMax: prove("below-max", max - opening.value, suite.reduce(-opening.blinding)),
	};
}

/** Whether the proof shows that the commitment's value is in the range, in this context. False for anything malformed. */
export function verifyRangeByBits(
	commitment: GroupElement,
	range: NumberRange,
	context: Uint8Array,
	proof: BitRangeProof,
): boolean {
	const width = widthOf(range);
	if (context.length > CONTEXT_BYTES_MAX || typeof proof !== "object" || proof === null) return false;
	const { aboveMin, belowMax } = proof;
	if (![aboveMin, belowMax].every((bits) => Array.isArray(bits) && bits.length === width)) return false;
	const fromMin = commitment.subtract(times(suite.generator, BigInt(range.min)));
	const toMax = times(suite.generator, BigInt(range.max)).subtract(commitment);
	return (
		verifyBits(transcriptOf("above-min", commitment, range, context), fromMin, aboveMin) &&
		verifyBits(transcriptOf("below-max", commitment, range, context), toMax, belowMax)
	);
}

/** Bits that a range takes, at least 1. @throws QuorateError `statement-invalid` */
function widthOf({ min, max }: NumberRange): number {
	if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0 || min > max)
		throw statementInvalid({ reason: `${min} to ${max} is no range of integers from 0 on` });
	return Math.max(1, BigInt(max - min).toString(2).length);
}

function transcriptOf(side: string, commitment: GroupElement, range: NumberRange, context: Uint8Array): Transcript {
	return new Transcript(suite, `range-bits/${side}`, context)
		.appendElements("commitment", commitment)
		.append("range", uint53(range.min), uint53(range.max));
}

function proveBits(transcript: Transcript, opening: Opening, width: number, source: ScalarSource): readonly BitProof[] {
	const bits = Array.from({ length: width }, (_, at) => (opening.value >> BigInt(at)) & 1n);
	// The blindings of the upper bits are free; that of the lowest makes the weighted sum the commitment's own.
	const upper = source.take(width - 1);
	const weighted = upper.reduce((sum, blinding, at) => sum + (blinding << BigInt(at + 1)), 0n);
	const blindings = [suite.reduce(opening.blinding - weighted), ...upper];
	const openings = bits.map((value, at) => ({ value, blinding: must(blindings[at], "one blinding a bit") }));
	const commitments = openings.map(commit);
	transcript.appendElements("bits", ...commitments);
	return openings.map((bit, at) => proveBit(transcript, bit, must(commitments[at], "as many"), source));
}

/** Proves the case that holds, and simulates the other with a challenge of its own choice: the two must add up to the common one. */
function proveBit(
	transcript: Transcript,
	{ value, blinding }: Opening,
	commitment: GroupElement,
	source: ScalarSource,
): BitProof {
	const base = blindingGenerator();
	const cases = [commitment, commitment.subtract(suite.generator)];
	const real = Number(value);
	const other = must(cases[1 - real], "two cases");
	const nonce = source.next();
	const simulatedChallenge = source.next();
	const simulatedResponse = source.next();
	const honest = times(base, nonce);
	const simulated = times(base, simulatedResponse).subtract(times(other, simulatedChallenge));
	transcript.appendElements("case", ...(real === 0 ? [honest, simulated] : [simulated, honest]));
	const challenge = suite.reduce(transcript.challenge("bit") - simulatedChallenge);
	const response = suite.reduce(nonce + challenge * blinding);
	const encode = (honestOne: bigint, simulatedOne: bigint): readonly [Uint8Array, Uint8Array] => {
		const [first, second] = real === 0 ? [honestOne, simulatedOne] : [simulatedOne, honestOne];
		return [suite.encodeScalar(first), suite.encodeScalar(second)];
	};
	return {
		commitment: commitment.toBytes(),
		challenges: encode(challenge, simulatedChallenge),
		responses: encode(response, simulatedResponse),
	};
}

function verifyBits(transcript: Transcript, total: GroupElement, bits: readonly BitProof[]): boolean {
	try {
		const commitments = bits.map(({ commitment }) => suite.decodeElement(commitment, "a bit's commitment"));
		transcript.appendElements("bits", ...commitments);
		const sum = commitments.reduceRight((value, commitment) => value.add(value).add(commitment), suite.identity);
		return sum.equals(total) && bits.every((bit, at) => verifyBit(transcript, bit, must(commitments[at], "as many")));
	} catch {
		// What can not be decoded proves nothing.
		return false;
	}
}

function verifyBit(transcript: Transcript, { challenges, responses }: BitProof, commitment: GroupElement): boolean {
	const scalars = challenges.map((challenge) => suite.decodeScalar(challenge, "a challenge"));
	const commitments = [commitment, commitment.subtract(suite.generator)].map((statement, at) =>
		suite.sumOfProducts(
			[blindingGenerator(), statement],
			[
				suite.decodeScalar(must(responses[at], "two responses"), "a response"),
				suite.reduce(-must(scalars[at], "two challenges")),
			],
		),
	);
	const common = transcript.appendElements("case", ...commitments).challenge("bit");
	return scalars.length === 2 && suite.reduce(scalars.reduce((sum, challenge) => sum + challenge, 0n)) === common;
}
