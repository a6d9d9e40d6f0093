/**
 * Goal: the engine `simulation` runs shipped swarms repeatably, finds planted bugs and names them, and a run that shows
 * nothing or is cut short does not pass.
 * Method: planned seeds and small experiments through the real runner; bugs are put around members' machines.
 */
import { describe, expect, it, vi } from "vitest";
import { plannedFaults, planSeed, simulationEngine } from "../../../actors/experiment/index.ts";
import {
	type Experiment,
	type ExperimentEngine,
	type ExperimentTarget,
	type Journal,
	parseExperiment,
	runExperiment,
	shrinkExperiment,
	sizeOf,
	type TargetEvent,
} from "../../../supervisors/index.ts";
import { losesADelivery, readsAlone, votesTwice } from "./planted-machines.ts";

// On a machine that does something else meanwhile; alone, none of them takes more than some seconds.
vi.setConfig({ testTimeout: 180_000 });

const plan = { protocol: "raft", nodes: 5, forMs: 4_000, faults: plannedFaults("all") } as const;

/** Three members, 50 operations a second for some seconds, and this done to them. */
function small(method: readonly string[], sometimes = "[]", seconds = 4): Experiment {
	const lines = method.map((fault) => `  - {${fault}}`).join("\n");
	return parseExperiment(`apiVersion: quorate/chaos/v1
title: small
topology: {protocol: raft, nodes: 3}
workload: {kind: key-value, clients: 4, rate: 50/s, keys: 3, for: ${seconds}s}
steady-state: {probes: [{probe: leader-count, tolerance: 1}, {probe: running-members, tolerance: 3}]}
method:${method.length === 0 ? " []" : `\n${lines}`}
properties: {sometimes: ${sometimes}}
liveness: 10s
`);
}

async function journalOf(experiment: Experiment, engine = simulationEngine()): Promise<Journal> {
	return (await runExperiment(experiment, { engine })).journal;
}

describe("a simulated swarm", () => {
	it("bears the loss of a full member where the last one is a witness, under all faults", async () => {
		for (const seed of [3, 5]) {
			const experiment = planSeed(seed, { ...plan, nodes: 3, witnesses: 1, forMs: 10_000 });
			expect([experiment.topology.config["witnesses"], experiment.budget]).toEqual([
				1,
				{ crash: 1, byzantine: 0, damage: 0 },
			]);
			const journal = await journalOf(experiment);
			expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
			expect(journal.faults.length).toBeGreaterThan(0);
		}
	});

	it("does the same again for the same seed, and something else for another", async () => {
		const hashes: (string | null)[] = [];
		for (const seed of [1, 2, 3]) {
			const [first, second] = [await journalOf(planSeed(seed, plan)), await journalOf(planSeed(seed, plan))];
			expect(second.traceHash).toBe(first.traceHash);
			expect(second.steps).toBe(first.steps);
			expect(second.workload.latencies).toEqual(first.workload.latencies);
			hashes.push(first.traceHash);
		}
		expect(new Set(hashes).size).toBe(3);
	});

	it("passes seeds with all faults, and has seen what it judges", async () => {
		let answered = 0;
		for (let seed = 10; seed < 14; seed++) {
			const journal = await journalOf(planSeed(seed, plan));
			expect([seed, journal.verdict, journal.reasons]).toEqual([seed, "pass", expect.anything()]);
			const idle = journal.properties.filter(({ kind, evaluations }) => kind === "always" && evaluations === 0);
			expect(idle.map(({ id }) => id)).toEqual([]);
			expect(journal.workload.judgement).toMatchObject({ verdict: "ok" });
			answered += journal.workload.counts.ok;
		}
		expect(answered).toBeGreaterThan(150);
	});

	it("asks nothing of the real world while actors work", async () => {
		const journal = await journalOf(planSeed(4, { ...plan, forMs: 3_000 }), simulationEngine({ guardGlobals: true }));
		expect(journal.verdict).toBe("pass");
	});
});

describe("reads and silence", () => {
	const workload = "kind: key-value, clients: 6, rate: 40/s, keys: 2, for: 6s";
	const faults = [
		"at: 1s, fault: partition, shape: leader-vs-rest, for: 900ms",
		"at: 3s, fault: pause, target: leader, for: 700ms",
		"at: 4500ms, fault: loss, probability: 0.1, for: 1s",
	];

	it.each([
		["read-by-lease", "leaseMaxClockDriftPpm: 110000", "reads: [lease, as-configured], ask: remembered"],
		["read-at-follower", "followerReads: 1", "reads: [follower, as-configured], ask: any"],
		["read-from-own-state", "", "reads: [stale], ask: any"],
		["group-silent", "quiesceAfterHeartbeats: 1", "reads: [linearizable], burst: 20"],
	])("%s: happens under faults, and the history is linearizable", async (witness, config, reads) => {
		const experiment = parseExperiment(`apiVersion: quorate/chaos/v1
title: ${witness}
topology: {protocol: raft, nodes: 5, config: {${config}}}
workload: {${workload}, ${reads}}
method:
${faults.map((fault) => `  - {${fault}}`).join("\n")}
properties: {sometimes: [${witness}]}
`);
		const { verdict, reasons, workload: record } = await journalOf(experiment);
		expect([verdict, reasons]).toEqual(["pass", expect.anything()]);
		expect(record.judgement).toMatchObject({ verdict: "ok" });
		expect(record.counts.ok).toBeGreaterThan(100);
	});
});

describe("a planted bug", () => {
	/** The first seed whose run is violated so. */
	async function firstViolation(
		engine: ExperimentEngine,
		property: string,
		seedsMax: number,
	): Promise<Experiment | null> {
		for (let seed = 1; seed <= seedsMax; seed++) {
			const experiment = planSeed(seed, plan);
			const { verdict, violations } = await journalOf(experiment, engine);
			if (!violations.includes(property)) continue;
			expect(verdict).toBe("fail");
			return experiment;
		}
		return null;
	}

	it("of two votes in a term is found, and shrinks to ten actions", async () => {
		const engine = simulationEngine({ machine: votesTwice });
		const experiment = await firstViolation(engine, "durable-vote-before-sent", 60);
		expect(experiment).not.toBeNull();
		if (experiment === null) return;
		let runs = 0;
		const shrunk = await shrinkExperiment(experiment, {
			property: "durable-vote-before-sent",
			violations: async (candidate) => {
				runs += 1;
				return (await journalOf(candidate, engine)).violations;
			},
			elapsedMs: () => runs,
			budgetMs: 300,
		});
		const { faults, operations } = sizeOf(shrunk.experiment);
		expect(faults + operations).toBeLessThanOrEqual(10);
		expect((await journalOf(shrunk.experiment, engine)).verdict).toBe("pass");
		// The same without the bug: what the shrunk experiment expects does not happen.
		expect((await journalOf(shrunk.experiment)).violations).not.toContain("durable-vote-before-sent");
	});

	it("that skips a delivery at one member is found there", async () => {
		const { verdict, violations } = await journalOf(small([]), simulationEngine({ machine: losesADelivery }));
		expect(verdict).toBe("fail");
		expect(violations).toContain("delivery-order");
	});

	it("of reads that nobody confirms is found in the clients' history", async () => {
		const engine = simulationEngine({ machine: readsAlone });
		// While nobody leads, clients ask anybody; a follower hears with the next append only what is committed.
		const kills = [500, 1_500, 2_500, 3_500].map((atMs) => `at: ${atMs}ms, fault: kill, target: leader`);
		const found: string[] = [];
		for (let seed = 1; seed <= 10 && found.length === 0; seed++) {
			found.push(...(await journalOf({ ...small(kills), seed }, engine)).violations);
		}
		expect(found).toEqual(["history"]);
	});
});

describe("a run that proves nothing", () => {
	it("is vacuous when what must happen did not", async () => {
		const journal = await journalOf(small(["at: 1s, fault: kill, target: leader"], "[snapshot-installed]"));
		expect(journal.verdict).toBe("vacuous");
		expect(journal.reasons).toEqual(["snapshot-installed never happened"]);
	});

	it("is aborted when a fault can not be applied", async () => {
		const journal = await journalOf(small(["at: 1s, fault: disk-full, target: node-1"], "[]", 7));
		expect(journal.verdict).toBe("aborted");
		expect(journal.reasons[0]).toContain("members share one disk");
	});

	it("is aborted when it is interrupted, with every fault removed and the swarm stopped", async () => {
		const interrupt = new AbortController();
		const engine = simulationEngine();
		let started: ExperimentTarget | null = null;
		let active: readonly string[] = [];
		const watched: ExperimentEngine = {
			...engine,
			start: async (order) => {
				started = await engine.start(order);
				return started;
			},
		};
		const method = [
			"at: 500ms, fault: partition, shape: isolate, target: node-1, for: 30s",
			"at: 500ms, fault: pause, target: node-2, for: 30s",
			"at: 500ms, fault: crash, target: node-3, for: 30s",
		];
		const { journal } = await runExperiment(small(method), {
			engine: watched,
			signal: interrupt.signal,
			progress: ({ phase, faultsApplied }) => {
				if (phase !== "method" || faultsApplied < 3) return;
				active = started?.activeFaults ?? [];
				interrupt.abort();
			},
		});
		expect(active).toHaveLength(3);
		expect(journal).toMatchObject({ verdict: "aborted", status: "interrupted" });
		expect((started as ExperimentTarget | null)?.activeFaults).toEqual([]);
		expect(journal.faults.map(({ removedAtMs }) => removedAtMs)).toEqual([
			expect.any(Number),
			expect.any(Number),
			expect.any(Number),
		]);
	});

	it("keeps a member down as long as anybody says so, and brings it back after", async () => {
		const method = [
			"at: 500ms, fault: crash, target: node-1, for: 1s",
			"at: 1s, fault: crash, target: node-1, for: 2s",
		];
		const lives: TargetEvent[] = [];
		const engine = simulationEngine();
		const { verdict, faults } = await journalOf(small(method), {
			...engine,
			start: (order) =>
				engine.start({
					...order,
					observe: (event) => {
						if (event.origin === "node-1" && (event.type === "started" || event.type === "ended")) lives.push(event);
						order.observe(event);
					},
				}),
		});
		expect(verdict).toBe("pass");
		expect(lives.map(({ type }) => type)).toEqual(["ended", "started"]);
		expect(lives[1]?.atMs).toBeGreaterThan(faults[1]?.removedAtMs ?? Number.POSITIVE_INFINITY);
	});

	it("refuses settings that the protocol does not have", async () => {
		const experiment = small([]);
		const topology = { ...experiment.topology, config: { heartbeatms: 10 } };
		await expect(journalOf({ ...experiment, topology })).rejects.toMatchObject({ code: "option-unknown" });
	});
});

describe("containment", () => {
	it("is judged alone when the disk fails for good: nothing wrong is answered", async () => {
		const { verdict, beyondBudget, workload } = await journalOf(small(["at: 2s, fault: failed-flush, target: all"]));
		expect(verdict).toBe("pass");
		expect(beyondBudget).toContain("3 of 3 members");
		expect(workload.counts.unknown).toBeGreaterThan(0);
		expect(workload.judgement).toMatchObject({ verdict: "ok" });
	});

	it("holds when all members lose power, and a leader that dies at a chosen point loses nothing", async () => {
		const method = [
			"at: 500ms, fault: kill-at, target: leader, point: 'after:storage-durable', nth: 2, for: 2s",
			"at: 3s, fault: restart-power-loss, target: all",
		];
		const { verdict, reasons } = await journalOf(small(method, "[leader-replaced]"));
		expect([verdict, reasons]).toEqual(["pass", expect.anything()]);
	});
});
