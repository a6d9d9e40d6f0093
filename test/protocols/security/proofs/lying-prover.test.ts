/**
 * Goal: each equation of a Bulletproof is verified, and wrong proofs of a batch can not cancel each other (SEC-9). Method: the shipped prover
 * is lied to: an opening that is not the same each time it is read makes proofs of which exactly one equation fails.
 */
import { expect, it } from "vitest";
import {
	commit,
	type Opening,
	proveRange,
	proofSuite as suite,
	verifyRange,
	verifyRanges,
} from "../../../../protocols/security/index.ts";

const context = Uint8Array.of(3);
const entropy = new Uint8Array(32).fill(5);
const opening = { value: 44n, blinding: 1_000n };

/** An opening of which one part is another at one of the times that it is read. */
function unsteady(part: keyof Opening, time: number, other: bigint): Opening {
	let reads = 0;
	const { [part]: usual, ...rest } = opening;
	const lie = { get: (): bigint => (++reads === time ? other : usual) };
	return Object.defineProperty({ ...rest }, part, lie) as Opening;
}

it("a good proof about the bits of 44 proves nothing of a commitment to 300", () => {
	// Read to be checked, to be committed to, to feed the randomness, and for its bits.
	const proof = proveRange([unsteady("value", 2, 300n)], 8, context, entropy);
	const commitmentTo = (value: bigint) => [commit({ ...opening, value })];
	expect(verifyRange({ commitments: commitmentTo(300n), width: 8, context }, proof)).toBe(false);
	expect(verifyRange({ commitments: commitmentTo(44n), width: 8, context }, proof)).toBe(false);
	// Told the truth, it proves what it is given.
	const honest = proveRange([opening], 8, context, entropy);
	expect(verifyRange({ commitments: commitmentTo(44n), width: 8, context }, honest)).toBe(true);
});

it("two proofs whose errors add up to nothing do not hold together", () => {
	// Read to be committed to, to feed the randomness, and for the opening of the polynomial. With all else alike their challenges are equal.
	const items = [opening.blinding + 7n, opening.blinding - 7n].map((blinding) => ({
		statement: { commitments: [commit(opening)], width: 8 as const, context },
		proof: proveRange([unsteady("blinding", 3, blinding)], 8, context, entropy),
	}));
	const [first, second] = items.map(({ proof }) => suite.decodeScalar(proof.tauX, "tau"));
	const honest = suite.decodeScalar(proveRange([opening], 8, context, entropy).tauX, "tau");
	expect(suite.reduce(first! + second!)).toBe(suite.reduce(2n * honest));
	for (const { statement, proof } of items) expect(verifyRange(statement, proof)).toBe(false);
	expect(verifyRanges(items)).toBe(false);
});
