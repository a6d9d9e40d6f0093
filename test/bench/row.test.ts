/**
 * Goal: a figure is marked as reached exactly when it is. Method: rows at, above and below their aims, in both
 * directions, with and without a peer.
 */
import { expect, test } from "vitest";
import { type BenchRow, reached } from "./row.ts";

const row: BenchRow = { name: "work", ours: 10, unit: "msg/s", target: 5, stretch: 20 };

test("more is better unless the row says otherwise", () => {
	expect(reached(row)).toBe("target");
	expect(reached({ ...row, ours: 20 })).toBe("stretch");
	expect(reached({ ...row, ours: 4.9 })).toBe("missed");
	expect(reached({ ...row, better: "lower", target: 12, stretch: 8 })).toBe("target");
	expect(reached({ ...row, better: "lower", target: 9, stretch: 8 })).toBe("missed");
});

test("where there is a ratio, the aims are about the ratio", () => {
	expect(reached({ ...row, theirs: 5, ratio: 2 })).toBe("missed");
	expect(reached({ ...row, theirs: 2, ratio: 5 })).toBe("target");
});

test("a figure without aims is not judged", () => {
	expect(reached({ ...row, target: null, stretch: null })).toBe("no-target");
});
