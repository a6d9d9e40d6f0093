/**
 * Goal: a committed number is shown to lie in a range, and only then (SEC-8, SEC-9). Method: every value of small ranges, ends and
 * neighbours of large ones; proofs of one commitment, range or context tried on others; each part of a proof replaced; and forgeries
 * from openings outside of the range by a prover that skips its own check.
 */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
	type BitRangeProof,
	type Bulletproof,
	blindingGenerator,
	commit,
	generatorFromLabel,
	type NumberRange,
	opens,
	proveRange,
	proveRangeByBits,
	proofSuite as suite,
	verifyRange,
	verifyRangeByBits,
	verifyRanges,
} from "../../../../protocols/security/index.ts";

const entropy = (): Uint8Array => new Uint8Array(randomBytes(32));
const context = new TextEncoder().encode("vote 7");
const blinding = (): bigint => suite.hashToScalar("test", entropy());
const numberOf = (value: bigint | number) => ({ value: BigInt(value), blinding: blinding() });

describe("Pedersen commitments", () => {
	it("open to their own value and blinding, add up, and rest on generators that anyone can derive again", () => {
		const [a, b] = [numberOf(3), numberOf(39)];
		expect(opens(commit(a), a)).toBe(true);
		expect(opens(commit(a), { ...a, value: 4n })).toBe(false);
		expect(opens(commit(a), { ...a, blinding: a.blinding + 1n })).toBe(false);
		const sum = { value: 42n, blinding: suite.reduce(a.blinding + b.blinding) };
		expect(opens(commit(a).add(commit(b)), sum)).toBe(true);
		expect(blindingGenerator().equals(generatorFromLabel("quorate/pedersen/ristretto255/blinding", 0))).toBe(true);
		expect(blindingGenerator().equals(suite.generator)).toBe(false);
		expect(() => commit({ value: suite.order, blinding: 1n })).toThrow("reduced");
	});
});

describe("SEC-8: ranges by bits", () => {
	const verifies = (range: NumberRange, value: number): boolean => {
		const opening = numberOf(value);
		return verifyRangeByBits(commit(opening), range, context, proveRangeByBits(opening, range, context, entropy()));
	};

	it("shows every value of a range whose width is no power of two, and can not prove its neighbours", () => {
		const range = { min: 5, max: 10 };
		for (let value = 5; value <= 10; value++) expect(verifies(range, value)).toBe(true);
		for (const value of [4, 11, 0])
			expect(() => proveRangeByBits(numberOf(value), range, context, entropy())).toThrow("outside");
	});

	it("shows a range of one value, and the ends of a large one", () => {
		expect(verifies({ min: 7, max: 7 }, 7)).toBe(true);
		expect(verifies({ min: 0, max: 2 ** 40 - 3 }, 2 ** 40 - 3)).toBe(true);
	});

	it("is of its commitment, range and context alone", () => {
		const opening = numberOf(6);
		const commitment = commit(opening);
		const range = { min: 5, max: 10 };
		const proof = proveRangeByBits(opening, range, context, entropy());
		expect(verifyRangeByBits(commitment, range, context, proof)).toBe(true);
		expect(verifyRangeByBits(commit(numberOf(6)), range, context, proof)).toBe(false);
		expect(verifyRangeByBits(commitment, { min: 5, max: 11 }, context, proof)).toBe(false);
		expect(verifyRangeByBits(commitment, { min: 4, max: 9 }, context, proof)).toBe(false);
		expect(verifyRangeByBits(commitment, range, new Uint8Array(), proof)).toBe(false);
		expect(() => verifyRangeByBits(commitment, { min: 3, max: 2 }, context, proof)).toThrow("no range");
	});

	it("fails with any part of it replaced", () => {
		const opening = numberOf(6);
		const range = { min: 5, max: 10 };
		const proof = proveRangeByBits(opening, range, context, entropy());
		const verdict = (changed: unknown): boolean =>
			verifyRangeByBits(commit(opening), range, context, changed as BitRangeProof);
		const [bit, ...rest] = proof.aboveMin;
		const other = proof.belowMax[0]!;
		for (const changed of [
			{ ...bit!, commitment: other.commitment },
			{ ...bit!, challenges: other.challenges },
			{ ...bit!, challenges: [bit!.challenges[1], bit!.challenges[0]] },
			{ ...bit!, responses: other.responses },
			{ ...bit!, commitment: new Uint8Array(32) },
			{ ...bit!, responses: [bit!.responses[0]] },
			{ ...bit!, challenges: [bit!.challenges[0]] },
		])
			expect(verdict({ ...proof, aboveMin: [changed, ...rest] })).toBe(false);
		expect(verdict({ aboveMin: proof.belowMax, belowMax: proof.aboveMin })).toBe(false);
		expect(verdict({ ...proof, aboveMin: rest })).toBe(false);
		expect(verdict({ aboveMin: [], belowMax: [] })).toBe(false);
		expect(verdict(null)).toBe(false);
		expect(verdict({})).toBe(false);
	});

	it("bits of a value that is in range below, but not above, do not pass: the upper end is shown too", () => {
		// 11 fits the three bits of 0 to 7 above 5; a proof for 5 to 12 has bits for it. Neither passes for 5 to 10.
		const opening = numberOf(11);
		const wide = proveRangeByBits(opening, { min: 5, max: 12 }, context, entropy());
		expect(verifyRangeByBits(commit(opening), { min: 5, max: 10 }, context, wide)).toBe(false);
	});
});

describe("SEC-9: Bulletproofs", () => {
	const prove = (values: readonly (bigint | number)[], width: 8 | 16 | 32 | 64) => {
		const openings = values.map(numberOf);
		return {
			statement: { commitments: openings.map(commit), width, context },
			proof: proveRange(openings, width, context, entropy()),
		};
	};
	const holds = ({ statement, proof }: ReturnType<typeof prove>): boolean => verifyRange(statement, proof);

	it.each([
		[8, [0]],
		[8, [255]],
		[16, [65_535]],
		[32, [2 ** 32 - 1]],
		[64, [2n ** 64n - 1n]],
		[8, [0, 255]],
		[16, [1, 2, 65_535, 0]],
	] as [8 | 16 | 32 | 64, (bigint | number)[]][])("%i bits show %o", (width, values) => {
		expect(holds(prove(values, width))).toBe(true);
	});

	it("can not be made for a value outside, for none, three, or a width that is not offered", () => {
		expect(() => prove([256], 8)).toThrow("does not fit 8 bits");
		expect(() => prove([-1], 8)).toThrow("not reduced");
		expect(() => proveRange([{ value: suite.order - 1n, blinding: 1n }], 64, context, entropy())).toThrow("64 bits");
		expect(() => prove([], 8)).toThrow("can not share");
		expect(() => prove([1, 2, 3], 8)).toThrow("can not share");
		expect(() => prove([1], 9 as never)).toThrow("can not share");
	});

	const one = prove([200, 3], 8);

	it("is of its commitments, their order, width and context alone", () => {
		const { statement, proof } = one;
		expect(verifyRange(statement, proof)).toBe(true);
		expect(verifyRange({ ...statement, commitments: [...statement.commitments].reverse() }, proof)).toBe(false);
		expect(verifyRange({ ...statement, commitments: [statement.commitments[0]!, commit(numberOf(3))] }, proof)).toBe(
			false,
		);
		expect(verifyRange({ ...statement, commitments: statement.commitments.slice(1) }, proof)).toBe(false);
		expect(verifyRange({ ...statement, width: 16 }, proof)).toBe(false);
		expect(verifyRange({ ...statement, context: new Uint8Array() }, proof)).toBe(false);
	});

	it("fails with any part of it replaced", () => {
		const { statement, proof } = one;
		const other = prove([200, 3], 8).proof;
		for (const part of Object.keys(proof) as (keyof Bulletproof)[]) {
			expect(verifyRange(statement, { ...proof, [part]: other[part] })).toBe(false);
			expect(verifyRange(statement, { ...proof, [part]: new Uint8Array(32) as never })).toBe(false);
		}
		for (const part of ["left", "right"] as const) {
			const changed = [...proof.innerProduct[part]].reverse();
			expect(verifyRange(statement, { ...proof, innerProduct: { ...proof.innerProduct, [part]: changed } })).toBe(
				false,
			);
			const short = proof.innerProduct[part].slice(1);
			expect(verifyRange(statement, { ...proof, innerProduct: { ...proof.innerProduct, [part]: short } })).toBe(false);
		}
		for (const part of ["a", "b"] as const) {
			const changed = suite.encodeScalar(suite.reduce(suite.decodeScalar(proof.innerProduct[part], "it") + 1n));
			expect(verifyRange(statement, { ...proof, innerProduct: { ...proof.innerProduct, [part]: changed } })).toBe(
				false,
			);
		}
		expect(verifyRange(statement, null as never)).toBe(false);
	});

	it("a proof for one number does not carry over to another by the homomorphism", () => {
		const opening = numberOf(200);
		const proof = proveRange([opening], 8, context, entropy());
		const shifted = commit(opening).add(suite.generator.multiply(100n));
		expect(verifyRange({ commitments: [shifted], width: 8, context }, proof)).toBe(false);
	});

	it("many are verified in one sum, which one bad proof spoils, and two bad ones can not repair", () => {
		const items = [prove([1], 8), prove([2, 3], 16), prove([255], 8)];
		expect(verifyRanges(items)).toBe(true);
		expect(verifyRanges([])).toBe(true);
		expect(verifyRanges([...items, { ...items[0]!, proof: items[2]!.proof }])).toBe(false);
		const shift = (item: (typeof items)[0], by: bigint) => ({
			...item,
			proof: { ...item.proof, tauX: suite.encodeScalar(suite.reduce(suite.decodeScalar(item.proof.tauX, "it") + by)) },
		});
		expect(verifyRanges([shift(items[0]!, 1n), shift(items[2]!, -1n)])).toBe(false);
	});

	it("its size is logarithmic in the bits", () => {
		expect(prove([1], 64).proof.innerProduct.left).toHaveLength(6);
		expect(prove([1], 8).proof.innerProduct.left).toHaveLength(3);
	});
});
