/**
 * That committed numbers lie in a range, in logarithmic size: Bulletproofs (Bünz, Bootle, Boneh, Poelstra, Wuille and Maxwell, IEEE
 * S&P 2018, §4.1 and §4.3), with generators hashed from a public label and a transcript that holds statement and context. Several
 * numbers share one proof, and several proofs one check.
 *
 * The prover's sums run in time that depends on the secrets: prove on a machine whose timing the adversary can not measure finely.
 */
import { must } from "../../core/index.ts";
import { frame, requireBytes, textBytes, uint32 } from "../bytes.ts";
import type { GroupElement } from "../ciphersuite.ts";
import { statementInvalid } from "../errors.ts";
import { CONTEXT_BYTES_MAX } from "../limits.ts";
import { ScalarSource } from "../scalar-source.ts";
import { type InnerProductProof, innerProduct, proveInnerProduct, replayInnerProduct } from "./inner-product.ts";
import {
	blindingGenerator,
	commit,
	GENERATOR_SEED,
	generatorFromLabel,
	type Opening,
	proofSuite as suite,
} from "./pedersen.ts";
import { Transcript } from "./transcript.ts";

/** Widths in bits that a proof can be of. */
export const BULLETPROOF_WIDTHS = [8, 16, 32, 64] as const;
export type BulletproofWidth = (typeof BULLETPROOF_WIDTHS)[number];
/** Numbers that can share one proof: a power of two up to this. */
export const AGGREGATED_MAX = 16;

/** Encoded elements and scalars: 9 + 2·log2(width · numbers) of them. */
export interface Bulletproof {
	readonly a: Uint8Array;
	readonly s: Uint8Array;
	readonly t1: Uint8Array;
	readonly t2: Uint8Array;
	readonly tHat: Uint8Array;
	readonly tauX: Uint8Array;
	readonly mu: Uint8Array;
	readonly innerProduct: InnerProductProof;
}

/** What one proof is about. */
export interface RangeStatement {
	/** 1, 2, 4, 8 or 16 of them. */
	readonly commitments: readonly GroupElement[];
	readonly width: BulletproofWidth;
	readonly context: Uint8Array;
}

const reduce = (value: bigint): bigint => suite.reduce(value);
const zeros = (length: number): bigint[] => Array.from({ length }, () => 0n);

interface Generators {
	readonly u: GroupElement;
	readonly g: readonly GroupElement[];
	readonly h: readonly GroupElement[];
}

const generatorCache: { g: GroupElement[]; h: GroupElement[] } = { g: [], h: [] };
let innerProductBase: GroupElement | null = null;

function generators(length: number): Generators {
	for (let at = generatorCache.g.length; at < length; at++) {
		generatorCache.g.push(generatorFromLabel(`${GENERATOR_SEED}/g`, at));
		generatorCache.h.push(generatorFromLabel(`${GENERATOR_SEED}/h`, at));
	}
	innerProductBase ??= generatorFromLabel(`${GENERATOR_SEED}/u`, 0);
	return { u: innerProductBase, g: generatorCache.g.slice(0, length), h: generatorCache.h.slice(0, length) };
}

/**
 * Proves that each opening's value is in 0 to 2^width − 1.
 * @throws QuorateError `statement-invalid` if one is not, or for a number of openings or a width that is not offered
 */
export function proveRange(
	openings: readonly Opening[],
	width: BulletproofWidth,
	context: Uint8Array,
	entropy: Uint8Array,
): Bulletproof {
	requireBytes("context", context, 0, CONTEXT_BYTES_MAX);
	if (!isCount(openings.length) || !BULLETPROOF_WIDTHS.includes(width))
		throw statementInvalid({ reason: `${openings.length} numbers of ${width} bits can not share a proof` });
	for (const { value } of openings)
		if (value < 0n || value >> BigInt(width) !== 0n)
			throw statementInvalid({ reason: `a value does not fit ${width} bits` });
	const commitments = openings.map(commit);
	const transcript = transcriptOf({ commitments, width, context });
	const length = width * openings.length;
	const { u, g, h } = generators(length);
	const secrets = openings.flatMap(({ value, blinding }) =>
		[value, blinding].map((scalar) => suite.encodeScalar(scalar)),
	);
	const source = new ScalarSource(suite, "bulletproof", entropy, context, ...secrets);

	const aL = openings.flatMap(({ value }) => Array.from({ length: width }, (_, at) => (value >> BigInt(at)) & 1n));
	const aR = aL.map((bit) => reduce(bit - 1n));
	const [alpha, rho] = [source.next(), source.next()];
	const [sL, sR] = [source.take(length), source.take(length)];
	const vectorCommitment = (blinding: bigint, left: readonly bigint[], right: readonly bigint[]): GroupElement =>
		suite.sumOfProducts([blindingGenerator(), ...g, ...h], [blinding, ...left, ...right]);
	const a = vectorCommitment(alpha, aL, aR);
	const s = vectorCommitment(rho, sL, sR);
	transcript.appendElements("vectors", a, s);
	const y = transcript.challenge("y");
	const z = transcript.challenge("z");

	const yPowers = powers(y, length);
	const ranges = rangeWeights(z, width, openings.length);
	const l0 = aL.map((bit) => reduce(bit - z));
	const r0 = aR.map((bit, at) => reduce(must(yPowers[at], "as many") * (bit + z) + must(ranges[at], "as many")));
	const r1 = sR.map((value, at) => reduce(value * must(yPowers[at], "as many")));
	const [tau1, tau2] = [source.next(), source.next()];
	const t1 = commit({ value: reduce(innerProduct(l0, r1) + innerProduct(sL, r0)), blinding: tau1 });
	const t2 = commit({ value: innerProduct(sL, r1), blinding: tau2 });
	const x = transcript.appendElements("polynomial", t1, t2).challenge("x");

	const left = l0.map((value, at) => reduce(value + must(sL[at], "as many") * x));
	const right = r0.map((value, at) => reduce(value + must(r1[at], "as many") * x));
	const tHat = innerProduct(left, right);
	const ownBlindings = openings.reduce((sum, { blinding }, at) => sum + z ** BigInt(at + 2) * blinding, 0n);
	const tauX = reduce(tau2 * x * x + tau1 * x + ownBlindings);
	const mu = reduce(alpha + rho * x);
	transcript.appendScalars("opening", tHat, tauX, mu);
	const base = u.multiply(transcript.challenge("w"));
	const yInverses = powers(suite.invert(y), length);
	const hPrime = h.map((element, at) => element.multiplyUnsafe(must(yInverses[at], "as many")));
	const encode = (scalar: bigint): Uint8Array => suite.encodeScalar(scalar);
	return {
		a: a.toBytes(),
		s: s.toBytes(),
		t1: t1.toBytes(),
		t2: t2.toBytes(),
		tHat: encode(tHat),
		tauX: encode(tauX),
		mu: encode(mu),
		innerProduct: proveInnerProduct(transcript, base, g, hPrime, left, right),
	};
}

/** Whether the proof holds for its statement. False for anything malformed. */
export function verifyRange(statement: RangeStatement, proof: Bulletproof): boolean {
	return verifyRanges([{ statement, proof }]);
}

/**
 * Whether all of these proofs hold, in one sum: cheaper than one by one, and silent about which one does not. Each equation is
 * weighted by a hash of everything, so wrong ones can not cancel each other.
 */
export function verifyRanges(
	items: readonly { readonly statement: RangeStatement; readonly proof: Bulletproof }[],
): boolean {
	const weights = new Transcript(suite, "bulletproof/batch", uint32(items.length));
	try {
		const sum = new EquationSum();
		for (const { statement, proof } of items) if (!addEquations(sum, weights, statement, proof)) return false;
		return sum.isZero();
	} catch {
		// What can not be decoded proves nothing.
		return false;
	}
}

/** One linear combination of the shared generators and of each proof's own elements, which must come to nothing. */
class EquationSum {
	readonly elements: GroupElement[] = [];
	readonly scalars: bigint[] = [];
	readonly g: bigint[] = [];
	readonly h: bigint[] = [];
	u = 0n;
	value = 0n;
	blinding = 0n;

	add(element: GroupElement, scalar: bigint): void {
		this.elements.push(element);
		this.scalars.push(reduce(scalar));
	}

	isZero(): boolean {
		const { u, g, h } = generators(this.g.length);
		return suite
			.sumOfProducts(
				[suite.generator, blindingGenerator(), u, ...g, ...h, ...this.elements],
				[this.value, this.blinding, this.u, ...this.g, ...this.h].map(reduce).concat(this.scalars),
			)
			.is0();
	}
}

function addEquations(sum: EquationSum, weights: Transcript, statement: RangeStatement, proof: Bulletproof): boolean {
	const { commitments, width, context } = statement;
	if (!isCount(commitments.length) || !BULLETPROOF_WIDTHS.includes(width) || context.length > CONTEXT_BYTES_MAX)
		return false;
	const length = width * commitments.length;
	const decode = (bytes: Uint8Array, what: string): GroupElement => suite.decodeElement(bytes, what);
	const [a, s, t1, t2] = [decode(proof.a, "A"), decode(proof.s, "S"), decode(proof.t1, "T1"), decode(proof.t2, "T2")];
	const [tHat, tauX, mu] = [
		suite.decodeScalar(proof.tHat, "t"),
		suite.decodeScalar(proof.tauX, "tau"),
		suite.decodeScalar(proof.mu, "mu"),
	];
	const transcript = transcriptOf(statement).appendElements("vectors", a, s);
	const y = transcript.challenge("y");
	const z = transcript.challenge("z");
	const x = transcript.appendElements("polynomial", t1, t2).challenge("x");
	const w = transcript.appendScalars("opening", tHat, tauX, mu).challenge("w");
	const argument = replayInnerProduct(transcript, proof.innerProduct, length);
	if (argument === null) return false;
	transcript.appendScalars("end", argument.a, argument.b);
	const first = weights.appendScalars("proof", transcript.challenge("weight")).challenge("polynomial");
	const second = weights.challenge("vectors");

	// Equation (72): t·G + τ·H = Σ z^(j+1)·V + δ·G + x·T1 + x²·T2.
	const yPowers = powers(y, length);
	sum.value += first * (tHat - delta(yPowers, z, width, commitments.length));
	sum.blinding += first * tauX;
	for (const [at, commitment] of commitments.entries()) sum.add(commitment, -first * z ** BigInt(at + 2));
	sum.add(t1, -first * x);
	sum.add(t2, -first * x * x);

	// The argument's equation, over A + x·S − μ·H with the constant parts of l and r.
	const yInverses = powers(suite.invert(y), length);
	const ranges = rangeWeights(z, width, commitments.length);
	sum.add(a, second);
	sum.add(s, second * x);
	sum.blinding -= second * mu;
	sum.u += second * w * (tHat - argument.a * argument.b);
	for (const [round, element] of argument.left.entries()) {
		sum.add(element, second * must(argument.squares[round], "one a halving"));
		sum.add(must(argument.right[round], "as many"), second * must(argument.inverseSquares[round], "one a halving"));
	}
	while (sum.g.length < length) {
		sum.g.push(0n);
		sum.h.push(0n);
	}
	for (let at = 0; at < length; at++) {
		const inverse = must(yInverses[at], "as many");
		const [own, mirrored] = [must(argument.s[at], "as many"), must(argument.s[length - 1 - at], "as many")];
		sum.g[at] = reduce(must(sum.g[at], "grown") + second * (-z - argument.a * own));
		// The inverse of s at a place is s at the mirrored place.
		const h = z + (must(ranges[at], "as many") - argument.b * mirrored) * inverse;
		sum.h[at] = reduce(must(sum.h[at], "grown") + second * h);
	}
	return true;
}

function transcriptOf({ commitments, width, context }: RangeStatement): Transcript {
	const label = frame(textBytes(GENERATOR_SEED), uint32(width), context);
	return new Transcript(suite, "bulletproof", label).appendElements("commitments", ...commitments);
}

function isCount(count: number): boolean {
	return count >= 1 && count <= AGGREGATED_MAX && (count & (count - 1)) === 0;
}

/** 1, base, base², … */
function powers(base: bigint, length: number): bigint[] {
	const list = zeros(length);
	let power = 1n;
	for (let at = 0; at < length; at++) {
		list[at] = power;
		power = reduce(power * base);
	}
	return list;
}

/** z^(j+1)·2^i at the place of bit i of number j, counted from 1. */
function rangeWeights(z: bigint, width: number, count: number): bigint[] {
	const zPowers = powers(z, count + 2);
	return Array.from({ length: width * count }, (_, at) => {
		const number = Math.floor(at / width);
		return reduce(must(zPowers[number + 2], "one a number") << BigInt(at % width));
	});
}

/** δ(y, z), equation (71): what the public parts contribute to the polynomial's constant. */
function delta(yPowers: readonly bigint[], z: bigint, width: number, count: number): bigint {
	const sumOfY = yPowers.reduce((sum, power) => sum + power, 0n);
	const sumOfTwo = (1n << BigInt(width)) - 1n;
	const zPowers = powers(z, count + 3);
	const ofNumbers = Array.from({ length: count }, (_, at) => must(zPowers[at + 3], "one a number"));
	return reduce((z - z * z) * sumOfY - ofNumbers.reduce((sum, power) => sum + power, 0n) * sumOfTwo);
}
