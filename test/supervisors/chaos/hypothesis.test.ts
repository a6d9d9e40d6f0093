/** Goal: a probe's value is judged by its tolerance as written, and nothing is converted. Method: both sides of each. */
import { describe, expect, it } from "vitest";
import {
	describeProbe,
	describeTolerance,
	isTolerated,
	type ProbeValue,
	type Tolerance,
} from "../../../supervisors/index.ts";

const least = -Number.MAX_VALUE;
const greatest = Number.MAX_VALUE;

const cases: readonly (readonly [Tolerance, readonly ProbeValue[], readonly ProbeValue[], string])[] = [
	[{ type: "equals", value: 1 }, [1], ["1", true, 1.5, null], "1"],
	[{ type: "equals", value: null }, [null], [0, "", false], "null"],
	[{ type: "range", min: 1, max: 2 }, [1, 1.5, 2], [0.9, 2.1, "1", null, true, Number.NaN], "1 to 2"],
	[{ type: "range", min: least, max: 2 }, [2, -1e300], [2.1], "at most 2"],
	[{ type: "range", min: 1, max: greatest }, [1, 1e300], [0.9], "at least 1"],
	[{ type: "one-of", values: [1, "a", null] }, [1, "a", null], ["1", "b", 0], 'one of 1, "a", null'],
	[{ type: "matches", pattern: "^n[0-9]$" }, ["n1"], ["n12", "N1", 1, null], "matching /^n[0-9]$/"],
];

it.each(cases)("isTolerated %j", (tolerance, met, unmet, text) => {
	for (const value of met) expect(isTolerated(value, tolerance), String(value)).toBe(true);
	for (const value of unmet) expect(isTolerated(value, tolerance), String(value)).toBe(false);
	expect(describeTolerance(tolerance)).toBe(text);
});

describe("describeProbe", () => {
	it("shows what is measured", () => {
		const tolerance: Tolerance = { type: "equals", value: 1 };
		expect(describeProbe({ probe: "leaders", arguments: {}, tolerance })).toBe("leaders");
		expect(describeProbe({ probe: "latency", arguments: { quantile: 0.99 }, tolerance })).toBe(
			"latency (quantile 0.99)",
		);
	});
});
