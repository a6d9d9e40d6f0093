/** Goal: a bound is kept exactly when its figure lies within it, and a table says which is broken. Method: figures on both sides. */
import { expect, test } from "vitest";
import { type Bound, isKept, mean, reproductionLines, standardError } from "./reproduction.ts";

const bound: Bound = { what: "rounds", figure: 8.4, min: 5, max: 8.5, source: "somewhere" };

test("a bound counts on both sides, and what is no number breaks it", () => {
	expect(isKept(bound)).toBe(true);
	expect(isKept({ ...bound, figure: 8.5 })).toBe(true);
	expect(isKept({ ...bound, figure: 8.51 })).toBe(false);
	expect(isKept({ ...bound, figure: 4.9 })).toBe(false);
	expect(isKept({ ...bound, figure: 4.9, min: null })).toBe(true);
	expect(isKept({ ...bound, figure: Number.NaN, min: null, max: null })).toBe(false);
});

test("a table names what is broken", () => {
	const lines = reproductionLines({ title: "t", rows: [["", "here"]], bounds: [{ ...bound, figure: 9 }] });
	expect(lines.at(-1)).toMatch(/BROKEN +rounds +9 +in \[5, 8\.5\] +somewhere/);
});

test("the standard error of the mean", () => {
	expect(mean([1, 2, 3, 4])).toBe(2.5);
	// Variance 5/3 of four values.
	expect(standardError([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 12), 12);
});
