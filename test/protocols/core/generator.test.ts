/**
 * Goal: the generator is repeatable, unbiased enough and its sub-streams are independent.
 * Method: known relations between streams; no fixed numbers except one pinned prefix, so that a seed printed by an
 * older version still replays.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";

const draw = (generator: Generator, count: number): number[] => Array.from({ length: count }, () => generator.uint32());

describe("Generator", () => {
	it("gives the same stream for the same seed and label, another for any other", () => {
		expect(draw(new Generator(7, "net"), 5)).toEqual(draw(new Generator(7, "net"), 5));
		expect(draw(new Generator(7, "net"), 5)).not.toEqual(draw(new Generator(7, "disk"), 5));
		expect(draw(new Generator(7), 5)).not.toEqual(draw(new Generator(8), 5));
		expect(draw(new Generator(7), 5)).not.toEqual(draw(new Generator(7 + 2 ** 40), 5));
	});

	it("forks by label, whatever was drawn before", () => {
		const fresh = new Generator(1).fork("a");
		const used = new Generator(1);
		draw(used, 100);
		expect(draw(used.fork("a"), 5)).toEqual(draw(fresh, 5));
	});

	it("draws below a bound without leaving a value out", () => {
		const generator = new Generator(3);
		const seen = new Map<number, number>();
		for (let i = 0; i < 7000; i++) {
			const value = generator.below(7);
			seen.set(value, (seen.get(value) ?? 0) + 1);
		}
		expect([...seen.keys()].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
		for (const count of seen.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
	});

	it("draws both ends of a range", () => {
		const generator = new Generator(4);
		const values = new Set(Array.from({ length: 200 }, () => generator.between(-1, 1)));
		expect(values).toEqual(new Set([-1, 0, 1]));
	});
});
