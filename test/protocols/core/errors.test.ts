/**
 * Goal: an argument outside its range is refused with what was allowed and what came.
 * Method: both ends of a range, the numbers next to them, and what is no integer.
 */
import { expect, test } from "vitest";
import { requireInteger } from "../../../protocols/core/index.ts";

test("an integer of the range is given back", () => {
	expect([2, 3, 5].map((value) => requireInteger("n", value, 2, 5))).toEqual([2, 3, 5]);
});

test.each([1, 6, 2.5, Number.NaN, Number.POSITIVE_INFINITY, "3" as unknown as number])("%s is refused", (value) => {
	expect(() => requireInteger("n", value, 2, 5)).toThrow(
		expect.objectContaining({
			code: "invalid-argument",
			details: { argument: "n", expected: "an integer from 2 to 5", actual: String(value) },
		}),
	);
});
