/**
 * Goal: a method counts as within the fault budget only if no moment of it can exceed it.
 * Method: small methods by hand, at and one step beyond the bound; and one more fault is judged as the whole would be.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beyondBudget, fitsBudget, methodLengthMs, RECOVERY_MS } from "../../../supervisors/index.ts";
import { arbitraryExperiment } from "./arbitrary-experiment.ts";
import { experimentOf } from "./scripted-target.ts";

const beyond = (method: string, nodes = 5): boolean =>
	beyondBudget(experimentOf({ topology: `{protocol: none, nodes: ${nodes}}`, method })) !== null;

describe("beyondBudget", () => {
	it("counts members that are out at the same time", () => {
		expect(beyond("[{at: 1s, fault: pause, for: 3s}, {at: 2s, fault: pause, for: 3s}]")).toBe(false);
		expect(
			beyond("[{at: 1s, fault: pause, for: 3s}, {at: 2s, fault: pause, for: 3s}, {at: 3s, fault: crash, for: 1s}]"),
		).toBe(true);
	});

	it("counts a killed member as out until it may have recovered", () => {
		const third = (ms: number): string =>
			`[{at: 0ms, fault: kill}, {at: 0ms, fault: kill}, {at: ${ms}ms, fault: kill}]`;
		expect(beyond(third(RECOVERY_MS - 1))).toBe(true);
		expect(beyond(third(RECOVERY_MS))).toBe(false);
	});

	it("counts a member that was cut off as back at once", () => {
		const halves = "fault: partition, shape: halves, for: 1s";
		expect(beyond(`[{at: 0ms, ${halves}}, {at: 1s, ${halves}}]`)).toBe(false);
		expect(beyond(`[{at: 0ms, ${halves}}, {at: 999ms, ${halves}}]`)).toBe(true);
	});

	it("counts what has no end as out until the end", () => {
		const later = (kind: string): string =>
			`[{at: 0ms, fault: ${kind}}, {at: 0ms, fault: pause, for: 1s}, {at: 5s, fault: pause}, {at: 6s, fault: pause, for: 1s}]`;
		expect(beyond(later("crash"))).toBe(true);
		expect(beyond(later("loss"))).toBe(false);
	});

	it("counts a member by its name once", () => {
		const both = (name: string): string =>
			`[{at: 0ms, fault: pause, target: node-1}, {at: 0ms, fault: stalled-disk, target: ${name}}, {at: 0ms, fault: pause}]`;
		expect(beyond(both("node-1"))).toBe(false);
		expect(beyond(both("node-2"))).toBe(true);
	});

	it("counts all members when all are hit", () => {
		expect(beyond("[{at: 0ms, fault: kill, target: all}]")).toBe(true);
		expect(beyond("[{at: 0ms, fault: slow, target: all}]")).toBe(false);
	});

	it.each([
		["halves", 5, false],
		["halves", 4, true],
		["random-halves", 3, false],
		["isolate", 3, false],
		["isolate", 2, true],
		["majorities-ring", 5, false],
		["bridge", 5, false],
		["bridge", 4, false],
		["one-way", 3, false],
		["leader-vs-rest", 3, false],
	] as const)("counts whom a partition cuts off: %s of %d", (shape, nodes, expected) => {
		expect(beyond(`[{at: 0ms, fault: partition, shape: ${shape}, for: 1s}]`, nodes)).toBe(expected);
	});

	it("counts the smaller side of a partition that names one", () => {
		const side = (nodes: string): string =>
			`[{at: 0ms, fault: partition, shape: halves, side: [${nodes}], for: 1s}, {at: 0ms, fault: kill}]`;
		expect(beyond(side("node-1"))).toBe(false);
		expect(beyond(side("node-1, node-2"))).toBe(true);
		expect(beyond(side("node-1, node-2, node-3, node-4"))).toBe(false);
	});

	it("says when, who and against what", () => {
		expect(beyondBudget(experimentOf({ method: "[{at: 2s, fault: kill, target: all}]" }))).toBe(
			"2000 ms into the method up to 5 of 5 members may be out at one time (kill); the crash budget is 2",
		);
	});
});

it("fitsBudget judges one more fault as the whole would be judged", () => {
	let refused = 0;
	fc.assert(
		fc.property(arbitraryExperiment, (drawn) => {
			const method = drawn.method.map((timed) => ({
				...timed,
				atMs: timed.atMs % 5_000,
				forMs: timed.forMs === null ? null : (timed.forMs % 3_000) + 1,
			}));
			const experiment = { ...drawn, workload: { ...drawn.workload, forMs: 6_000 }, method: method.slice(1) };
			const added = method[0];
			if (added === undefined || beyondBudget(experiment) !== null) return;
			// The end of the method is where what has no end is over, and the added fault may move it.
			if (methodLengthMs(experiment) !== methodLengthMs({ ...experiment, method })) return;
			const whole = beyondBudget({ ...experiment, method }) === null;
			expect(fitsBudget(experiment, added)).toBe(whole);
			if (!whole) refused++;
		}),
		{ numRuns: 800 },
	);
	expect(refused).toBeGreaterThan(5);
});
