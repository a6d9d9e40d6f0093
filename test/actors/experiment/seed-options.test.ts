/**
 * Goal: seeds differ in settings, reads and themes of faults, and none of them breaks what its own settings promise.
 * Method: the experiments of many seeds, which are planned and not run.
 */
import { describe, expect, it } from "vitest";
import { plannedFaults, planSeed } from "../../../actors/experiment/index.ts";
import { beyondBudget, type Experiment, type TimedFault } from "../../../supervisors/index.ts";

const plan = { protocol: "raft", nodes: 5, forMs: 20_000, faults: plannedFaults("all") } as const;
const experiments: readonly Experiment[] = Array.from({ length: 400 }, (_, seed) => planSeed(seed, plan));

function faultsOf({ method }: Experiment, ...kinds: readonly string[]): readonly TimedFault[] {
	return method.filter(({ fault }) => kinds.includes(fault.kind));
}

describe("the experiment of a seed", () => {
	it("has each setting in some seeds, and not in all", () => {
		const names = ["leaseMaxClockDriftPpm", "quiesceAfterHeartbeats", "preVote", "followerReads", "forwardProposals"];
		for (const name of names) {
			const seeds = experiments.filter(({ topology }) => topology.config[name] !== undefined).length;
			expect([name, seeds > 40, seeds < 200]).toEqual([name, true, true]);
		}
		const reads = new Set(experiments.flatMap(({ workload }) => workload.reads ?? []));
		expect([...reads].sort()).toEqual(["as-configured", "follower", "lease", "linearizable", "stale"]);
		expect(new Set(experiments.map(({ workload }) => workload.ask))).toEqual(new Set(["leader", "remembered", "any"]));
	});

	it("reads by lease only with leases, and is never silent with them", () => {
		for (const { topology, workload } of experiments) {
			const hasLeases = topology.config["leaseMaxClockDriftPpm"] !== undefined;
			expect(workload.reads?.includes("lease")).toBe(hasLeases);
			if (hasLeases) expect(topology.config["quiesceAfterHeartbeats"]).toBeUndefined();
		}
	});

	it("keeps clocks to what leases and bounds of staleness rest on", () => {
		let drifts = 0;
		for (const experiment of experiments) {
			const { topology, workload } = experiment;
			if (workload.reads?.includes("stale") === true) {
				expect(faultsOf(experiment, "clock-skew", "clock-jump", "clock-drift")).toEqual([]);
			}
			const boundPpm = topology.config["leaseMaxClockDriftPpm"];
			if (boundPpm === undefined) continue;
			expect(faultsOf(experiment, "clock-skew", "clock-jump")).toEqual([]);
			let overMs = 0;
			for (const { atMs, forMs, fault } of faultsOf(experiment, "clock-drift")) {
				expect(atMs).toBeGreaterThanOrEqual(overMs);
				expect(Math.abs(Number(fault.arguments["partsPerMillion"]))).toBeLessThanOrEqual(boundPpm);
				overMs = atMs + (forMs ?? Number.POSITIVE_INFINITY);
				drifts += 1;
			}
		}
		expect(drifts).toBeGreaterThan(20);
	});

	it("lets leaders come back with a log of their own, each under its name, within the budget", () => {
		const scripted = experiments.filter(({ description }) => description.startsWith("Leaders that come back"));
		expect([scripted.length > 15, scripted.length < 100]).toEqual([true, true]);
		for (const experiment of scripted) {
			expect(beyondBudget(experiment)).toBeNull();
			const returns = faultsOf(experiment, "pause");
			expect(returns.length).toBeGreaterThan(1);
			for (const { atMs, forMs, fault } of returns) {
				const cut = faultsOf(experiment, "partition").find((other) => other.atMs <= atMs && other.atMs > atMs - 500);
				expect(cut?.fault.arguments["target"]).toBe(fault.arguments["target"]);
				expect((cut?.atMs ?? 0) + (cut?.forMs ?? 0)).toBe(atMs + (forMs ?? 0));
			}
			expect(faultsOf(experiment, "kill", "partition").length).toBeGreaterThan(returns.length);
			expect(planSeed(experiment.seed, plan)).toEqual(experiment);
		}
		// With one crash to bear a successor that falls away would be one too many.
		const three = planSeed(scripted[0]?.seed ?? 0, { ...plan, nodes: 3 });
		expect(faultsOf(three, "pause").length).toBeGreaterThan(0);
		expect([beyondBudget(three), faultsOf(three, "kill")]).toEqual([null, []]);
		expect(faultsOf(planSeed(scripted[0]?.seed ?? 0, { ...plan, faults: ["partition", "pause"] }), "kill")).toEqual([]);
	});

	it("damages disks, and no majority of them at a time", () => {
		const damaging = experiments.filter(
			(experiment) => faultsOf(experiment, "bit-rot", "misdirected-write").length > 0,
		);
		expect(damaging.length).toBeGreaterThan(40);
		for (const experiment of damaging) {
			expect(beyondBudget(experiment)).toBeNull();
			for (const { fault } of faultsOf(experiment, "bit-rot", "misdirected-write"))
				expect(["any", "log", "snapshot"]).toContain(fault.arguments["part"]);
		}
	});

	it("ends a crash loop before a supervisor gives its member up", () => {
		const loops = experiments.flatMap((experiment) => faultsOf(experiment, "crash-loop"));
		expect(loops.length).toBeGreaterThan(50);
		for (const { forMs } of loops) expect(forMs).toBeLessThanOrEqual(1_500);
	});

	it("draws from the kinds that were asked for, whatever its theme or its settings are", () => {
		for (const faults of [["loss"], ["clock-jump"], ["clock-skew", "clock-drift"]]) {
			for (let seed = 0; seed < 60; seed++) {
				const kinds = new Set(planSeed(seed, { ...plan, faults }).method.map(({ fault }) => fault.kind));
				expect(faults).toEqual(expect.arrayContaining([...kinds]));
				expect(kinds.size).toBeGreaterThan(0);
			}
		}
	});
});
