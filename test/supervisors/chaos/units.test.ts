/** Goal: durations and rates are exactly what is written. Method: both ways, and what is none. */
import { expect, it } from "vitest";
import { formatDuration, formatRate, parseDuration, parseRate } from "../../../supervisors/chaos/units.ts";

it.each([
	["150ms", 150],
	["1.1s", 1_100],
	["2.3s", 2_300],
	["0.001ms", 0.001],
	["1.5m", 90_000],
	["0.5h", 1_800_000],
	["-2s", -2_000],
	["0ms", 0],
])("reads %s as %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

it.each([
	[0, "0ms"],
	[1_100, "1100ms"],
	[2_000, "2s"],
	[90_000, "90s"],
	[120_000, "2m"],
	[7_200_000, "2h"],
	[-2_000, "-2s"],
	[0.5, "0.5ms"],
])("writes %d ms as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

it("reads rates a second and a minute", () => {
	expect(parseRate("200/s")).toBe(200);
	expect(parseRate("30/m")).toBe(0.5);
	expect(formatRate(0.5)).toBe("0.5/s");
});

it("reads nothing else", () => {
	for (const text of ["", "1", "s", "1 s", "1sec", "1e3ms", "+1s", "1s2ms", "٣s", ".5s"])
		expect(parseDuration(text)).toBeNull();
	for (const text of ["", "1", "1/h", "-1/s", "1 /s", "1e3/s"]) expect(parseRate(text)).toBeNull();
});
