/**
 * Goal: the same experiments on worker threads: faults do what they say to real members, are gone at the end, and a swarm
 * that fails still comes to a verdict.
 * Method: small experiments through the real runner on three members in memory; the built package by its own name.
 */

import { threadsEngine } from "quorate/experiments";
import {
	type ExperimentEngine,
	type ExperimentTarget,
	parseExperiment,
	runExperiment,
	type TargetEvent,
} from "quorate/supervisors";
import { expect, test } from "vitest";

const TIMEOUT_MS = 180_000;

interface Outcome {
	readonly journal: Awaited<ReturnType<typeof runExperiment>>["journal"];
	readonly events: readonly TargetEvent[];
	readonly active: readonly string[];
}

async function run(method: readonly string[], seconds = 4, liveness = "60s"): Promise<Outcome> {
	const experiment = parseExperiment(`apiVersion: quorate/chaos/v1
title: on threads
topology: {protocol: raft, nodes: 3, storage: memory}
workload: {kind: key-value, clients: 4, rate: 40/s, keys: 3, for: ${seconds}s}
steady-state: {probes: [{probe: leader-count, tolerance: 1}, {probe: running-members, tolerance: 3}]}
method:
${method.map((fault) => `  - {${fault}}`).join("\n")}
properties: {sometimes: [leader-elected]}
liveness: ${liveness}
`);
	const events: TargetEvent[] = [];
	const engine = threadsEngine();
	let target: ExperimentTarget | null = null;
	const listening: ExperimentEngine = {
		...engine,
		start: async (order) => {
			target = await engine.start({
				...order,
				observe: (event) => {
					events.push(event);
					order.observe(event);
				},
			});
			return target;
		},
	};
	const { journal } = await runExperiment(experiment, { engine: listening });
	return { journal, events, active: (target as ExperimentTarget | null)?.activeFaults ?? [] };
}

test(
	"kills, pauses, cuts and a slow disk, one after the other: the group recovers from all of them",
	async () => {
		const { journal, events, active } = await run([
			"at: 300ms, fault: kill, target: leader",
			"at: 1s, fault: partition, shape: leader-vs-rest, for: 1s",
			"at: 2s, fault: pause, target: follower, for: 600ms",
			"at: 2500ms, fault: slow-disk, target: all, latency: 20ms, for: 1s",
			"at: 3s, fault: loss, probability: 0.2, for: 1s",
			"at: 3s, fault: duplicate, probability: 0.3, for: 1s",
			"at: 3s, fault: reorder, probability: 0.3, window: 30ms, for: 1s",
		]);
		expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
		expect(journal.faults.map(({ outcome }) => outcome)).toEqual(new Array(7).fill("applied"));
		expect(journal.workload.judgement).toMatchObject({ verdict: "ok" });
		expect(journal.workload.counts.ok).toBeGreaterThan(50);
		expect(events.some(({ type, text }) => type === "ended" && text.includes("killed"))).toBe(true);
		expect(active).toEqual([]);
	},
	TIMEOUT_MS,
);

test(
	"a cut is one: without its fault's removal a lone leader answers nobody",
	async () => {
		const { journal } = await run([
			"at: 500ms, fault: partition, shape: halves, for: 3s",
			"at: 500ms, fault: crash, target: node-3, for: 3s",
		]);
		// Two of three can not speak to each other, and the third is down: nothing is answered until the faults are over.
		const [fault] = journal.faults;
		const [fromMs, toMs] = [(fault?.appliedAtMs ?? 0) + 500, fault?.removedAtMs ?? 0];
		const inBetween = journal.workload.latencies.filter(({ atMs }) => atMs > fromMs && atMs < toMs);
		expect(toMs - fromMs).toBeGreaterThan(1_000);
		expect(inBetween).toEqual([]);
		expect(journal.verdict).toBe("pass");
		expect(journal.beyondBudget).not.toBeNull();
	},
	TIMEOUT_MS,
);

test(
	"threads that never yield, or have no memory left, are replaced",
	async () => {
		const { journal, events } = await run(
			["at: 300ms, fault: busy-loop, target: node-1, for: 4s", "at: 5s, fault: oom, target: node-2"],
			8,
		);
		expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
		const ends = events.filter(({ type }) => type === "ended").map(({ origin, text }) => `${origin}: ${text}`);
		expect(ends).toContain("node-1: thread ended: stalled");
		expect(ends.some((end) => end.startsWith("node-2: "))).toBe(true);
	},
	TIMEOUT_MS,
);

test(
	"a full disk fails the swarm, and the experiment still comes to its verdict",
	async () => {
		const { journal } = await run(["at: 1s, fault: disk-full, target: all"], 3, "1s");
		expect(journal.verdict).toBe("pass");
		expect(journal.reasons.join()).toContain("containment only");
		expect(journal.workload.counts.unknown).toBeGreaterThan(0);
	},
	TIMEOUT_MS,
);

test(
	"a supervisor that dies takes the members with it, and all of them are back, even one that dies again meanwhile",
	async () => {
		const { journal, events } = await run(
			[
				"at: 500ms, fault: supervisor-kill, target: leader",
				"at: 3s, fault: crash-loop, target: node-2, up: 100ms, for: 8s",
			],
			11,
		);
		expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
		expect(journal.faults.map(({ outcome }) => outcome)).toEqual(["applied", "applied"]);
		const failed = events.filter(({ type, text }) => type === "child-failed" && text.includes("as an experiment says"));
		expect(failed).toHaveLength(1);
		for (const node of ["node-1", "node-2", "node-3"]) {
			expect(events.some(({ type, origin }) => type === "started" && origin === node)).toBe(true);
		}
		expect(events.some(({ type, origin }) => type === "ended" && origin === "node-2")).toBe(true);
		expect(events.filter(({ type }) => type === "member-failed")).toEqual([]);
	},
	TIMEOUT_MS,
);

test(
	"full lanes to the leader: it hears nothing any more, the others go on without it, and it is back at the end",
	async () => {
		const { journal, active } = await run(["at: 500ms, fault: lane-full, target: leader, for: 3s"], 4);
		expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
		const [fault] = journal.faults;
		const [fromMs, toMs] = [(fault?.appliedAtMs ?? 0) + 1_500, fault?.removedAtMs ?? 0];
		expect(journal.workload.latencies.some(({ atMs }) => atMs > fromMs && atMs < toMs)).toBe(true);
		expect(journal.leaders.length).toBeGreaterThan(1);
		expect(active).toEqual([]);
	},
	TIMEOUT_MS,
);

test(
	"a disk that can not be read fails the swarm when somebody has to read it",
	async () => {
		const { journal, events } = await run(
			["at: 300ms, fault: read-error, target: all, probability: 1", "at: 500ms, fault: kill, target: node-1"],
			// So long may a thread take to come back, before it reads, on a busy machine.
			6,
			"1s",
		);
		expect(journal.verdict).toBe("pass");
		expect(journal.reasons.join()).toContain("containment only");
		expect(events.some(({ type }) => type === "storage-failed")).toBe(true);
	},
	TIMEOUT_MS,
);
