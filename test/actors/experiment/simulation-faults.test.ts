/**
 * Goal: faults of a simulated swarm do what the catalogue says, to whom it says, and are over when they are removed.
 * Method: small experiments through the real runner on three members; each is seen to act by what the target tells, and what
 * it must leave alone is seen to go on.
 */
import { describe, expect, it, vi } from "vitest";
import { simulationEngine, threadsEngine } from "../../../actors/experiment/index.ts";
import {
	type ExperimentEngine,
	FAULT_KINDS,
	type Journal,
	parseExperiment,
	runExperiment,
	type TargetEvent,
} from "../../../supervisors/index.ts";

// On a machine that does something else meanwhile; alone, none of them takes more than some seconds.
vi.setConfig({ testTimeout: 180_000 });

interface Seen {
	readonly journal: Journal;
	readonly events: readonly TargetEvent[];
	/** What befell that member, by type. */
	of(origin: string, type: string): readonly TargetEvent[];
}

/** Snapshots that come soon, and are soon needed. */
const COMPACT = "snapshotEveryEntries: 40, retainedEntries: 0";

async function run(
	method: readonly string[],
	{ disks = "shared", seconds = 5, liveness = "20s", config = "" } = {},
): Promise<Seen> {
	const experiment = parseExperiment(`apiVersion: quorate/chaos/v1
title: one fault
topology: {protocol: raft, nodes: 3, disks: ${disks}, config: {${config}}}
workload: {kind: key-value, clients: 4, rate: 50/s, keys: 3, for: ${seconds}s}
steady-state: {probes: [{probe: leader-count, tolerance: 1}, {probe: running-members, tolerance: 3}]}
method:
${method.map((fault) => `  - {${fault}}`).join("\n")}
liveness: ${liveness}
`);
	const events: TargetEvent[] = [];
	const engine = simulationEngine();
	const listening: ExperimentEngine = {
		...engine,
		start: (order) =>
			engine.start({
				...order,
				observe: (event) => {
					events.push(event);
					order.observe(event);
				},
			}),
	};
	const { journal } = await runExperiment(experiment, { engine: listening });
	const of = (origin: string, type: string): TargetEvent[] =>
		events.filter((event) => event.origin === origin && event.type === type);
	return { journal, events, of };
}

/** Operations that were answered in this part of the method. */
function answered({ workload, time }: Journal, fromMs: number, toMs: number): number {
	const begin = time.methodFromMs ?? Number.NaN;
	return workload.latencies.filter(({ atMs }) => atMs >= begin + fromMs && atMs < begin + toMs).length;
}

const passes = ({ journal }: Seen): void => {
	expect([journal.verdict, journal.reasons]).toEqual(["pass", expect.anything()]);
	expect(journal.workload.judgement).toMatchObject({ verdict: "ok" });
	expect(journal.faults.map(({ outcome }) => outcome)).not.toContain("failed");
};

describe("the engines", () => {
	it.each([simulationEngine(), threadsEngine()])("say of each kind that they apply it, or why not: $name", (engine) => {
		const { faults, refusals } = engine;
		for (const { kind } of FAULT_KINDS) expect([kind, faults.has(kind)]).toEqual([kind, !refusals.has(kind)]);
		for (const reason of refusals.values()) expect(reason.length).toBeGreaterThan(10);
	});

	it("refuse what they can not apply with the reason, before anything is started", async () => {
		const text = (more: string): string => `apiVersion: quorate/chaos/v1
title: not here
topology: {protocol: raft, nodes: 3${more}}
workload: {kind: key-value}
method: [{at: 1s, fault: clock-skew}]
`;
		await expect(runExperiment(parseExperiment(text("")), { engine: threadsEngine() })).rejects.toMatchObject({
			code: "experiment-unsupported",
			message: expect.stringContaining("the clock of the machine"),
		});
		const own = { ...parseExperiment(text(", disks: own")), method: [] };
		await expect(runExperiment(own, { engine: threadsEngine() })).rejects.toMatchObject({
			code: "experiment-unsupported",
			details: { what: "topology with disks", name: "own" },
		});
	});
});

describe("a supervisor that is killed", () => {
	it("takes all members with it, is started again, and they too", async () => {
		const seen = await run(["at: 1s, fault: supervisor-kill, target: leader"]);
		passes(seen);
		for (const node of ["node-1", "node-2", "node-3"]) expect(seen.of(node, "started")).not.toEqual([]);
		expect(seen.events.some(({ type, text }) => type === "child-failed" && text.includes("fails"))).toBe(true);
		expect(answered(seen.journal, 3_000, 5_000)).toBeGreaterThan(50);
	});

	it("more often than its own supervisor tolerates fails the swarm", async () => {
		const kills = [1, 2, 3].map((at) => `at: ${at}s, fault: supervisor-kill, target: follower`);
		const { events } = await run(kills, { liveness: "1s" });
		expect(events.some(({ type }) => type === "swarm-failed")).toBe(true);
	});
});

describe("full lanes", () => {
	it("to the leader end its leadership; the others go on, and it is back when they are not full any more", async () => {
		const seen = await run(["at: 1s, fault: lane-full, target: leader, for: 2s"]);
		passes(seen);
		expect(answered(seen.journal, 2_000, 3_000)).toBeGreaterThan(10);
		expect(seen.events.filter(({ type }) => type === "ended")).toEqual([]);
	});

	it("from it keep even its disk from hearing of it", async () => {
		const seen = await run(["at: 1s, fault: lane-full, target: leader, direction: out, for: 2s"]);
		passes(seen);
		expect(answered(seen.journal, 2_000, 3_000)).toBeGreaterThan(10);
	});
});

describe("a crash loop", () => {
	it("ends each life of a member until it is removed", async () => {
		const seen = await run(["at: 1s, fault: crash-loop, target: node-1, up: 100ms, for: 2s"]);
		passes(seen);
		expect(seen.of("node-1", "ended").length).toBeGreaterThan(3);
		expect(seen.of("node-2", "ended")).toEqual([]);
	});
});

describe("the disk that all members share", () => {
	it.each(["read-error, target: all, probability: 1", "failed-flush, target: all", "disk-full, target: all"])(
		"that fails ends the swarm: %s",
		async (fault) => {
			// Who is killed reads its disk.
			const read = fault.startsWith("read") ? ["at: 1500ms, fault: kill, target: node-1"] : [];
			const { journal, events } = await run([`at: 1s, fault: ${fault}`, ...read], { liveness: "1s" });
			expect(events.some(({ type }) => type === "storage-failed")).toBe(true);
			expect(journal.reasons.join()).toContain("containment only");
		},
	);

	it("never fails where the probability is 0", async () => {
		passes(
			await run([
				"at: 1s, fault: read-error, target: all, probability: 0",
				"at: 1s, fault: failed-flush, target: all, probability: 0",
				"at: 1500ms, fault: kill, target: node-1",
			]),
		);
	});
});

describe("a disk of a member's own", () => {
	it.each(["failed-flush, target: node-1", "disk-full, target: node-1"])(
		"that fails takes its member down, and nobody else, until it is mended: %s",
		async (fault) => {
			const seen = await run([`at: 1s, fault: ${fault}, for: 2s`], { disks: "own" });
			passes(seen);
			expect(seen.of("node-1", "ended")).not.toEqual([]);
			for (const node of ["node-2", "node-3"]) expect(seen.of(node, "ended")).toEqual([]);
			const [ended] = seen.of("node-1", "ended");
			const back = seen.of("node-1", "started").find(({ atMs }) => atMs > (ended?.atMs ?? 0));
			const removedAtMs = seen.journal.faults[0]?.removedAtMs ?? Number.NaN;
			expect(back?.atMs).toBeGreaterThanOrEqual(removedAtMs);
			expect(answered(seen.journal, 2_000, 3_000)).toBeGreaterThan(10);
		},
	);

	it("that can not be read keeps a member down that was killed", async () => {
		const method = [
			"at: 1s, fault: read-error, target: node-1, probability: 1, for: 3s",
			"at: 1500ms, fault: kill, target: node-1",
		];
		const seen = await run(method, { disks: "own" });
		passes(seen);
		const back = seen.of("node-1", "started").at(-1);
		expect(back?.atMs).toBeGreaterThanOrEqual(seen.journal.faults[0]?.removedAtMs ?? Number.NaN);
	});

	it("that stands still holds up its own member only", async () => {
		const seen = await run(["at: 1s, fault: stalled-disk, target: node-1, for: 2s"], { disks: "own" });
		passes(seen);
		expect(answered(seen.journal, 2_000, 3_000)).toBeGreaterThan(10);
		// On one disk nobody can flush meanwhile.
		const shared = await run(["at: 1s, fault: stalled-disk, target: all, for: 2s"]);
		expect(answered(shared.journal, 1_500, 2_900)).toBe(0);
	});

	it("does the same again for the same seed", async () => {
		const method = ["at: 1s, fault: failed-flush, target: node-1, probability: 0.3, for: 2s"];
		const [first, second] = [await run(method, { disks: "own" }), await run(method, { disks: "own" })];
		expect(second.journal.traceHash).toBe(first.journal.traceHash);
	});
});

describe("a member whose disk is wiped", () => {
	it.each(["own", "shared"])("is refused under its name, and replaced at the end (disks: %s)", async (disks) => {
		const seen = await run(["at: 1s, fault: wipe, target: node-1, for: 2s"], { disks });
		passes(seen);
		expect(seen.of("node-1", "member-refused")).toHaveLength(1);
		expect(seen.of("node-4", "started")).not.toEqual([]);
		expect(answered(seen.journal, 2_000, 3_000)).toBeGreaterThan(10);
	});
});

describe("damage on a disk", () => {
	const told = (seen: Seen, type: string): readonly TargetEvent[] => seen.events.filter((event) => event.type === type);

	it.each(["bit-rot", "misdirected-write"])(
		"by %s in a log is found by the member's next life, and repaired",
		async (kind) => {
			for (const disks of ["own", "shared"]) {
				const seen = await run([`at: 2s, fault: ${kind}, target: node-1, part: log`], { disks });
				passes(seen);
				expect(seen.of("node-1", "log-damaged")).toHaveLength(1);
				expect(seen.of("node-1", "log-repaired")).toHaveLength(1);
				expect(told(seen, "log-damaged")).toHaveLength(1);
			}
		},
	);

	it("in a snapshot is found by the member's next life, and repaired by the leader's", async () => {
		const seen = await run(["at: 4s, fault: bit-rot, target: follower, part: snapshot"], { config: COMPACT });
		passes(seen);
		expect(told(seen, "snapshot-damaged")).toHaveLength(1);
		expect(told(seen, "snapshot-repaired")).toHaveLength(1);
	});

	it("that nobody reads stays where it is, until its place is written anew", async () => {
		const seen = await run(["at: 4s, fault: bit-rot, target: follower, part: snapshot, restart: no"], {
			config: COMPACT,
		});
		passes(seen);
		for (const type of ["snapshot-damaged", "log-damaged", "ended"]) expect(told(seen, type)).toEqual([]);
	});

	it("in term and vote ends the member under its name; the others go on, and nobody votes twice", async () => {
		const seen = await run(["at: 2s, fault: bit-rot, target: node-1, part: hard-state"], { liveness: "5s" });
		expect(seen.of("node-1", "member-refused")).toHaveLength(1);
		expect(told(seen, "swarm-failed")).toEqual([]);
		expect(answered(seen.journal, 3_500, 5_000)).toBeGreaterThan(20);
		expect(seen.journal.violations).toEqual(["replicas-equal", "steady-state"]);
		expect(seen.journal.properties.filter(({ kind, first }) => kind === "always" && first !== null)).toEqual([]);
	});

	it("is held to the budget: not before one member is whole again is another one's disk damaged", async () => {
		const damage = (at: string, node: string): string =>
			`at: ${at}, fault: bit-rot, target: ${node}, part: log, restart: no`;
		const { journal } = await run([damage("1s", "node-1"), damage("3s", "node-2")], { seconds: 10 });
		expect([journal.verdict, journal.reasons[0]]).toEqual(["aborted", expect.stringContaining("the budget is 1")]);
		await expect(run([damage("1s", "node-1"), damage("1s", "node-2")])).rejects.toMatchObject({
			code: "experiment-beyond-budget",
		});
		// The first is found and repaired in time.
		const restarted = damage("1s", "node-1").replace("restart: no", "restart: yes");
		passes(await run([restarted, damage("4s", "node-2")]));
	});
});

describe("a clock that is off", () => {
	it.each(["3s", "-3s"])("by %s lets nobody do anything wrong, and is right again at the end", async (offset) => {
		const seen = await run([
			`at: 1s, fault: clock-skew, target: leader, offset: ${offset}, for: 2s`,
			`at: 1500ms, fault: clock-skew, target: follower, offset: ${offset}, clock: monotonic, for: 2s`,
		]);
		passes(seen);
	});

	it("is no wall clock: nobody reads one", async () => {
		const { journal } = await run(["at: 1s, fault: clock-skew, target: leader, clock: wall"], { seconds: 7 });
		expect([journal.verdict, journal.reasons[0]]).toEqual(["aborted", expect.stringContaining("wall clock")]);
	});
});
