/**
 * Goal: a shrunk experiment fails for the same reason, is as small as single steps can make it, and says how it got there.
 * Method: synthetic oracles that know which faults, operations and nodes a bug needs; no engine, no time but a counter.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator, QuorateError } from "../../../protocols/core/index.ts";
import {
	checkExperiment,
	type Experiment,
	experimentUnsupported,
	formatExperiment,
	parseExperiment,
	type ShrinkOptions,
	type ShrinkResult,
	shrinkExperiment,
	sizeOf,
} from "../../../supervisors/index.ts";
import { experimentOf } from "./scripted-target.ts";

const faults = ["kill", "pause", "partition", "loss", "delay", "slow-disk", "clock-skew"];

/** Many faults of every kind above, and 12,000 operations. */
function bigExperiment(seed: number, length = 200): Experiment {
	const generator = new Generator(seed, "big");
	const method = Array.from({ length }, (_, index) => {
		const kind = faults[index % faults.length] as string;
		const forMs = kind === "kill" ? null : generator.between(50, 5_000);
		return { atMs: generator.below(50_000), fault: { kind, arguments: {} }, forMs };
	});
	const workload = { kind: "key-value", clients: 8, ratePerSecond: 200, keys: 4, forMs: 60_000 };
	return checkExperiment({ ...experimentOf(), seed, workload, method });
}

async function shrink(
	experiment: Experiment,
	fails: (experiment: Experiment) => readonly string[],
	options: Partial<ShrinkOptions> = {},
): Promise<ShrinkResult & { readonly tried: readonly Experiment[] }> {
	const tried: Experiment[] = [];
	const violations = (candidate: Experiment): Promise<readonly string[]> => {
		tried.push(candidate);
		return Promise.resolve(fails(candidate));
	};
	const result = await shrinkExperiment(experiment, { property: "safe", violations, elapsedMs: () => 0, ...options });
	return { ...result, tried };
}

const count = ({ method }: Experiment, kind: string): number =>
	method.filter(({ fault }) => fault.kind === kind).length;
const when = (condition: boolean): readonly string[] => (condition ? ["safe"] : []);

describe("shrinkExperiment", () => {
	it("keeps of reads, bursts, whom they ask and settings only what the bug needs", async () => {
		const big = bigExperiment(7, 20);
		const workload = {
			...big.workload,
			burst: 16,
			ask: "remembered",
			reads: ["as-configured", "lease", "stale"],
		} as const;
		const config = { preVote: 0, electionTimeoutMinMs: 200, electionTimeoutMaxMs: 400, snapshotEveryEntries: 4 };
		const whole = { ...big, workload, topology: { ...big.topology, config } };
		const { experiment } = await shrink(whole, ({ workload: left, topology }) => {
			const { electionTimeoutMinMs: min, electionTimeoutMaxMs: max } = topology.config;
			if (min !== undefined && max === undefined)
				throw new QuorateError("raft-config-contradiction", "min above max", {});
			const isStale = left.reads?.includes("stale") === true;
			return when(isStale && (left.burst ?? 1) >= 3 && max !== undefined);
		});
		const { clients: _, ratePerSecond: __, keys: ___, forMs: ____, ...special } = experiment.workload;
		expect(special).toEqual({ kind: "key-value", burst: 3, reads: ["stale"] });
		expect(experiment.topology.config).toEqual({ electionTimeoutMaxMs: 400 });
		const nothing = await shrink(whole, () => when(true));
		expect(nothing.experiment.workload).toEqual({
			kind: "key-value",
			clients: 1,
			ratePerSecond: expect.any(Number),
			keys: 1,
			forMs: 1,
		});
		expect(nothing.experiment.topology.config).toEqual({});
	});

	it("keeps the faults that the bug needs, and one operation", async () => {
		const doubleVote = (experiment: Experiment): readonly string[] =>
			when(count(experiment, "kill") >= 2 && count(experiment, "partition") >= 1 && experiment.topology.nodes >= 3);
		for (const seed of [3, 4, 5]) {
			const big = bigExperiment(seed);
			const { experiment, statistics } = await shrink(big, doubleVote);
			expect(experiment.method.map(({ fault }) => fault.kind).sort()).toEqual(["kill", "kill", "partition"]);
			expect(sizeOf(experiment)).toMatchObject({ faults: 3, operations: 1, nodes: 3 });
			expect(experiment.workload).toMatchObject({ clients: 1, keys: 1 });
			expect(statistics).toMatchObject({ minimal: true, before: { faults: 200, operations: 12_000 } });
		}
	});

	it("ends with something that fails for the same reason, whatever the bug needs", async () => {
		const needs = fc.record({
			kinds: fc.uniqueArray(fc.constantFrom(...faults), { maxLength: 3 }),
			operations: fc.integer({ min: 1, max: 500 }),
			nodes: fc.integer({ min: 1, max: 5 }),
			lengthMs: fc.integer({ min: 1, max: 20_000 }),
		});
		await fc.assert(
			fc.asyncProperty(needs, fc.integer({ min: 0, max: 50 }), async ({ kinds, operations, nodes, lengthMs }, seed) => {
				const fails = (experiment: Experiment): readonly string[] => {
					const size = sizeOf(experiment);
					return when(
						kinds.every((kind) => count(experiment, kind) > 0) &&
							size.operations >= operations &&
							size.nodes >= nodes &&
							size.methodMs >= lengthMs,
					);
				};
				const big = bigExperiment(seed, 60);
				const { experiment, statistics } = await shrink(big, fails);
				expect(fails(experiment)).toEqual(["safe"]);
				expect(experiment.expect).toEqual({ violated: "safe" });
				expect(statistics.after).toEqual(sizeOf(experiment));
				expect(experiment.method).toHaveLength(kinds.length);
				expect(statistics.after.nodes).toBe(nodes);
				// Halving stops near the bound.
				expect(statistics.after.operations).toBeLessThanOrEqual(operations * 1.1 + 1);
			}),
			{ numRuns: 8 },
		);
	});

	it("keeps no step that fails for another reason", async () => {
		const other = (experiment: Experiment): readonly string[] =>
			experiment.method.length >= 4 ? ["calm", "safe"] : experiment.method.length > 0 ? ["calm"] : [];
		const { experiment } = await shrink(bigExperiment(3), other);
		expect(experiment.method).toHaveLength(4);
	});

	it("leaves a group its time to recover", async () => {
		const { tried } = await shrink(bigExperiment(3), (experiment) => when(count(experiment, "kill") >= 1));
		expect(new Set(tried.map(({ livenessMs }) => livenessMs))).toEqual(new Set([5_000]));
	});

	it("weakens, shortens and moves together what is left", async () => {
		const method = "[{at: 1s, fault: kill}, {at: 8s, fault: loss, probability: 0.4, for: 9s}]";
		const given = experimentOf({ method, workload: "{kind: key-value, rate: 20/s, for: 20s}" });
		const fails = ({ method: [kill, loss] }: Experiment): readonly string[] =>
			when(
				kill?.fault.kind === "kill" &&
					loss?.fault.kind === "loss" &&
					(loss.forMs ?? 0) >= 500 &&
					(loss.fault.arguments["probability"] as number) >= 0.2 &&
					loss.atMs - kill.atMs >= 100,
			);
		const { experiment } = await shrink(given, fails);
		const [kill, loss] = experiment.method;
		expect(kill?.atMs).toBe(0);
		expect(loss?.atMs).toBeLessThan(200);
		expect(loss?.forMs).toBeLessThan(700);
		expect(loss?.fault.arguments["probability"]).toBeLessThan(0.22);
	});

	it("merges faults of one kind into one that lasts over them", async () => {
		const method = "[{at: 1s, fault: loss, for: 1s}, {at: 3s, fault: loss, for: 1s}]";
		const total = ({ method: left }: Experiment): number => {
			const first = Math.min(...left.map(({ atMs }) => atMs));
			return Math.max(...left.map(({ atMs, forMs }) => atMs + (forMs ?? 0))) - first;
		};
		const { experiment } = await shrink(experimentOf({ method }), (candidate) =>
			when(candidate.method.length > 0 && total(candidate) >= 2_900),
		);
		expect(experiment.method).toHaveLength(1);
		expect(experiment.method[0]?.forMs).toBeGreaterThanOrEqual(2_900);
	});

	it("tries other seeds for what needs luck, and keeps the one that works", async () => {
		const lucky = (experiment: Experiment): readonly string[] =>
			when(count(experiment, "kill") > 0 && experiment.seed % 3 === 2);
		const given = { ...bigExperiment(3), seed: 5 };
		expect((await shrink(given, lucky)).experiment).toMatchObject({ method: { length: 1 } });
		const { experiment } = await shrink({ ...given, seed: 2 }, lucky, { seedsEach: 1 });
		expect(experiment.seed).toBe(2);
	});

	it("is deterministic", async () => {
		const fails = (experiment: Experiment): readonly string[] => when(count(experiment, "kill") >= 1);
		const [first, second] = [await shrink(bigExperiment(7), fails), await shrink(bigExperiment(7), fails)];
		expect(second.tried).toEqual(first.tried);
		expect(second.experiment).toEqual(first.experiment);
	});

	it("never runs the same experiment twice after it did not fail", async () => {
		const { tried } = await shrink(bigExperiment(3), (experiment) => when(count(experiment, "kill") >= 2));
		const texts = tried.map((experiment) => JSON.stringify(experiment));
		expect(new Set(texts).size).toBe(texts.length);
	});

	it("ends with its time, its runs or a signal, with the best so far", async () => {
		const fails = (experiment: Experiment): readonly string[] => when(count(experiment, "kill") >= 1);
		let clock = 0;
		const timed = await shrink(bigExperiment(3), fails, { elapsedMs: () => (clock += 10), budgetMs: 200 });
		expect(timed.statistics.minimal).toBe(false);
		expect(timed.tried.length).toBeLessThan(20);
		expect(fails(timed.experiment)).toEqual(["safe"]);
		const few = await shrink(bigExperiment(3), fails, { runsMax: 7 });
		expect(few.statistics).toMatchObject({ runs: 7, minimal: false });
		const stopped = await shrink(bigExperiment(3), fails, { signal: AbortSignal.abort() });
		expect(stopped.statistics.runs).toBe(1);
	});

	it("refuses what does not fail to begin with", async () => {
		await expect(shrink(bigExperiment(3), () => ["calm"])).rejects.toMatchObject({
			code: "experiment-not-reproduced",
			details: { property: "safe", found: ["calm"] },
		});
	});

	it("takes an experiment that makes no sense as one that does not fail; any other error is the caller's", async () => {
		const method = "[{at: 1s, fault: kill, target: node-4}]";
		const { experiment } = await shrink(experimentOf({ method }), ({ topology, method: left }) => {
			if (topology.nodes < 4 && left.length > 0) {
				throw experimentUnsupported({ engine: "sim", what: "node", name: "node-4", nearest: null });
			}
			return when(left.length > 0);
		});
		expect(experiment.topology.nodes).toBe(4);
		let runs = 0;
		const broken = shrink(experimentOf({ method }), () => {
			if (runs++ > 0) throw new TypeError("no engine");
			return ["safe"];
		});
		await expect(broken).rejects.toThrow("no engine");
	});

	it("gives a file that can stand among the regressions", async () => {
		const { experiment } = await shrink(bigExperiment(3), (candidate) => when(count(candidate, "kill") >= 1));
		expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
		expect(experiment.description).toBe(
			'Violates safe. Shrunk from seed 3 of "a test": 200 faults and 12000 operations became 1 and 1.',
		);
	});
});
