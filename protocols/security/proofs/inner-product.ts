/** The inner-product argument of Bulletproofs (Bünz et al., IEEE S&P 2018, §3): vectors shown in logarithmically many elements. */
import { must } from "../../core/index.ts";
import type { GroupElement } from "../ciphersuite.ts";
import { proofSuite as suite } from "./pedersen.ts";
import type { Transcript } from "./transcript.ts";

/** Shows that ⟨a, g⟩ + ⟨b, h⟩ + ⟨a, b⟩·u is what the verifier knows. */
export interface InnerProductProof {
	/** One pair a halving, encoded. */
	readonly left: readonly Uint8Array[];
	readonly right: readonly Uint8Array[];
	readonly a: Uint8Array;
	readonly b: Uint8Array;
}

const reduce = (value: bigint): bigint => suite.reduce(value);

/** ⟨a, b⟩ */
export function innerProduct(a: readonly bigint[], b: readonly bigint[]): bigint {
	return reduce(a.reduce((sum, value, at) => sum + value * (b[at] as bigint), 0n));
}

/** `a`, `b`, `g` and `h` have one length, a power of two. */
export function proveInnerProduct(
	transcript: Transcript,
	u: GroupElement,
	g: readonly GroupElement[],
	h: readonly GroupElement[],
	a: readonly bigint[],
	b: readonly bigint[],
): InnerProductProof {
	const left: Uint8Array[] = [];
	const right: Uint8Array[] = [];
	let [gs, hs, as, bs] = [g, h, a, b];
	while (as.length > 1) {
		const half = as.length / 2;
		const [gLow, gHigh, hLow, hHigh] = [gs.slice(0, half), gs.slice(half), hs.slice(0, half), hs.slice(half)];
		const [aLow, aHigh, bLow, bHigh] = [as.slice(0, half), as.slice(half), bs.slice(0, half), bs.slice(half)];
		const l = suite.sumOfProducts([...gHigh, ...hLow, u], [...aLow, ...bHigh, innerProduct(aLow, bHigh)]);
		const r = suite.sumOfProducts([...gLow, ...hHigh, u], [...aHigh, ...bLow, innerProduct(aHigh, bLow)]);
		left.push(l.toBytes());
		right.push(r.toBytes());
		const x = transcript.appendElements("halving", l, r).challenge("x");
		const inverse = suite.invert(x);
		gs = fold(gLow, gHigh, inverse, x);
		hs = fold(hLow, hHigh, x, inverse);
		as = aLow.map((low, at) => reduce(low * x + (aHigh[at] as bigint) * inverse));
		bs = bLow.map((low, at) => reduce(low * inverse + (bHigh[at] as bigint) * x));
	}
	const encode = (values: readonly bigint[]): Uint8Array => suite.encodeScalar(must(values[0], "one is left"));
	return { left, right, a: encode(as), b: encode(bs) };
}

function fold(
	low: readonly GroupElement[],
	high: readonly GroupElement[],
	ofLow: bigint,
	ofHigh: bigint,
): readonly GroupElement[] {
	return low.map((element, at) => suite.sumOfProducts([element, high[at] as GroupElement], [ofLow, ofHigh]));
}

/** What a verifier multiplies: the scalars of g and h that the argument claims, and those of its own elements. */
export interface InnerProductScalars {
	readonly a: bigint;
	readonly b: bigint;
	/** By place: s, of which g's scalars are a·s and h's are b/s. */
	readonly s: readonly bigint[];
	readonly left: readonly GroupElement[];
	readonly right: readonly GroupElement[];
	readonly squares: readonly bigint[];
	readonly inverseSquares: readonly bigint[];
}

/**
 * Replays the argument. Null if it has not the halvings that `length` takes.
 * @throws QuorateError for malformed encodings
 */
export function replayInnerProduct(
	transcript: Transcript,
	proof: InnerProductProof,
	length: number,
): InnerProductScalars | null {
	const halvings = Math.log2(length);
	if (proof.left.length !== halvings || proof.right.length !== halvings) return null;
	const left = proof.left.map((element) => suite.decodeElement(element, "a left element"));
	const right = proof.right.map((element) => suite.decodeElement(element, "a right element"));
	const challenges = left.map((l, at) =>
		transcript.appendElements("halving", l, must(right[at], "as many")).challenge("x"),
	);
	const inverses = challenges.map((x) => suite.invert(x));
	const s = Array.from({ length }, (_, place) =>
		challenges.reduce((product, x, at) => {
			// The first halving decides by the highest bit of a place.
			const isHigh = (place >> (halvings - 1 - at)) & 1;
			return reduce(product * (isHigh === 1 ? x : must(inverses[at], "as many")));
		}, 1n),
	);
	return {
		a: suite.decodeScalar(proof.a, "a"),
		b: suite.decodeScalar(proof.b, "b"),
		s,
		left,
		right,
		squares: challenges.map((x) => reduce(x * x)),
		inverseSquares: inverses.map((x) => reduce(x * x)),
	};
}
