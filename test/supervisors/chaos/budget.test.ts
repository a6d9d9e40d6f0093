/**
 * Goal: a method counts as within the fault budget only if no moment of it can exceed it.
 * Method: small methods by hand, at and one step beyond the bound; and one more fault is judged as the whole would be.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	beyondBudget,
	type Experiment,
	fitsBudget,
	methodLengthMs,
	parseExperiment,
	RECOVERY_MS,
	requireDamageWithin,
} from "../../../supervisors/index.ts";
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

describe("damage of disks", () => {
	const damage = (budget: string, method: string, nodes = 5): Experiment =>
		parseExperiment(`apiVersion: quorate/chaos/v1
title: damage
topology: {protocol: raft, nodes: ${nodes}}
workload: {kind: key-value}
budget: {${budget}}
method: ${method}
`);
	const codeOf = (experiment: Experiment): unknown => {
		try {
			requireDamageWithin(experiment);
			return null;
		} catch (error) {
			return (error as { readonly code: unknown }).code;
		}
	};

	it("may hit a minority at one time if nothing else is said, and a method that asks for more is refused", () => {
		const two = "{at: 0ms, fault: bit-rot, target: node-1}, {at: 10ms, fault: misdirected-write, target: node-2}";
		expect(codeOf(damage("", `[${two}]`))).toBeNull();
		expect(codeOf(damage("", `[${two}, {at: 20ms, fault: bit-rot, target: node-3}]`))).toBe("experiment-beyond-budget");
		expect(codeOf(damage("", `[${two}, {at: 20ms, fault: bit-rot, target: node-2}]`))).toBeNull();
		expect(codeOf(damage("", "[{at: 0ms, fault: bit-rot, target: all}]"))).toBe("experiment-beyond-budget");
	});

	it("with a budget of a majority is beyond the fault model, and says so", () => {
		const experiment = damage("crash: 5, damage: 3", "[{at: 0ms, fault: bit-rot}]");
		expect(codeOf(experiment)).toBeNull();
		expect(beyondBudget(experiment)).toBe(
			"the disks of 3 of 5 members may be damaged at one time: no minority of the copies",
		);
		expect(beyondBudget({ ...experiment, budget: { crash: 5, byzantine: 0, damage: 2 } })).toBeNull();
	});

	it("takes its member out, as a crash does", () => {
		const method = "[{at: 0ms, fault: bit-rot, target: node-1}, {at: 10ms, fault: kill, target: node-2}]";
		expect(beyondBudget(damage("crash: 1", method))).toContain("the crash budget is 1");
		expect(beyondBudget(damage("crash: 2", method))).toBeNull();
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
			const workload = { ...drawn.workload, forMs: 6_000 };
			// Of a majority's damage the whole says more than a part could.
			const budget = {
				...drawn.budget,
				damage: Math.min(drawn.budget.damage, Math.ceil(drawn.topology.nodes / 2) - 1),
			};
			const experiment = { ...drawn, budget, workload, method: method.slice(1) };
			const isWithin = (judged: Experiment): boolean => {
				try {
					requireDamageWithin(judged);
				} catch {
					return false;
				}
				return beyondBudget(judged) === null;
			};
			const added = method[0];
			if (added === undefined || !isWithin(experiment)) return;
			// The end of the method is where what has no end is over, and the added fault may move it.
			if (methodLengthMs(experiment) !== methodLengthMs({ ...experiment, method })) return;
			const whole = isWithin({ ...experiment, method });
			expect(fitsBudget(experiment, added)).toBe(whole);
			if (!whole) refused++;
		}),
		{ numRuns: 800 },
	);
	expect(refused).toBeGreaterThan(5);
});
