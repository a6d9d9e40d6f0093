/**
 * Goal: the load is what its page promises: open at a steady rate with latency from the due time, bounded windows, one
 * read in a hundred operations, each record once, ends for every reason. Method: a clock that the test moves and a
 * target in memory whose answers take a known time.
 */
import { expect, test } from "vitest";
import { FlightLedger } from "../../../actors/console/flight-ledger.ts";
import { generateRecords } from "../../../actors/console/flight-records.ts";
import type { LedgerClient } from "../../../actors/console/run-target.ts";
import { Workload, type WorkloadPlan } from "../../../actors/console/workload.ts";
import { nodeId, QuorateError } from "../../../protocols/core/index.ts";
import { LedgerTarget, type LedgerTargetOptions } from "./ledger-target.ts";
import { ManualClock } from "./manual-clock.ts";

interface Setup {
	readonly clock: ManualClock;
	readonly target: LedgerTarget;
	readonly workload: Workload;
	readonly calls: { readonly client: number; readonly type: "append" | "read"; readonly atMs: number }[];
}

async function setup(plan: Partial<WorkloadPlan>, options: Partial<LedgerTargetOptions> = {}): Promise<Setup> {
	const clock = new ManualClock();
	const target = new LedgerTarget({ nodes: 1, clock, ...options });
	const records = plan.records ?? generateRecords(1_000, 1);
	target.ledgers[0]!.apply(["begin", 1, records.length, ""]);
	const calls: Setup["calls"] = [];
	const clients: LedgerClient[] = [];
	for (let client = 0; client < 4; client++) {
		const inner = await target.openClient();
		clients.push({
			propose: (command) => {
				calls.push({ client, type: "append", atMs: clock.nowMs() });
				return inner.propose(command);
			},
			read: (query) => {
				calls.push({ client, type: "read", atMs: clock.nowMs() });
				return inner.read(query);
			},
		});
	}
	const missing = Uint32Array.from({ length: records.length }, (_, i) => i);
	const whole: WorkloadPlan = { records, missing, run: 1, rate: 1_000, window: 8, forMs: null, ...plan };
	return { clock, target, workload: new Workload(whole, { clients, clock, history: null }), calls };
}

test("at a steady rate each record leaves when it is due, and all are applied once", async () => {
	const { clock, target, workload, calls } = await setup({});
	await clock.drive(workload.run());
	const appends = calls.filter(({ type }) => type === "append");
	expect(appends).toHaveLength(1_000);
	for (const [i, { atMs }] of appends.entries()) expect(Math.abs(atMs - i)).toBeLessThanOrEqual(1);
	expect(workload.acknowledged).toBe(1_000);
	const reference = new FlightLedger();
	reference.apply(["begin", 1, 1_000, ""]);
	const records = generateRecords(1_000, 1);
	for (let i = 999; i >= 0; i--) {
		const { delay, distance, time } = records.at(i);
		reference.apply(["append", 1, i, delay, distance, time]);
	}
	expect(target.ledgers[0]!.summary().setHash).toBe(reference.summary().setHash);
});

test("of each hundred operations of a client one is a read", async () => {
	const { clock, workload, calls } = await setup({ records: generateRecords(2_000, 1) });
	await clock.drive(workload.run());
	for (let client = 0; client < 4; client++) {
		const own = calls.filter((call) => call.client === client);
		const reads = own.flatMap(({ type }, i) => (type === "read" ? [i + 1] : []));
		expect(own).toHaveLength(505);
		expect(reads).toEqual([100, 200, 300, 400, 500]);
	}
	expect(workload.readLatency.count).toBe(20);
});

test("a pause of the system shows in the latency of all that was due meanwhile", async () => {
	const { clock, target, workload } = await setup({});
	const done = workload.run();
	target.leader = null;
	void clock.schedule(500, () => {
		target.leader = { leader: nodeId("node-1"), term: 2 };
	});
	await clock.drive(done);
	// Records 0 to 499 were due in the pause: half of all waited, record 0 for the whole of it. A closed load would have
	// sent 32 and hidden the rest.
	expect(workload.appendLatency.maxMs).toBeGreaterThan(495);
	expect(workload.appendLatency.p50Ms).toBeGreaterThan(1);
	expect(target.outstandingMax).toBe(32);
});

test("as fast as it goes: windows are full and never fuller", async () => {
	const { clock, target, workload } = await setup({ rate: "max", window: 5 });
	await clock.drive(workload.run());
	expect(target.outstandingMax).toBe(20);
	expect(workload.acknowledged).toBe(1_000);
	expect(workload.elapsedMs).toBeLessThan(120);
});

test("a time limit ends the load with what was begun answered", async () => {
	const { clock, workload } = await setup({ forMs: 100 });
	await clock.drive(workload.run());
	expect(workload.acknowledged).toBeGreaterThanOrEqual(99);
	expect(workload.acknowledged).toBeLessThanOrEqual(102);
	expect(workload.unresolved).toBe(0);
	expect(workload.failure).toBeNull();
});

test("when its time is over the load awaits what it has begun, however long an election takes", async () => {
	const { clock, target, workload } = await setup({ forMs: 100 });
	clock.schedule(50, () => {
		target.leader = null;
	});
	clock.schedule(5_000, () => {
		target.leader = { leader: nodeId("node-1"), term: 2 };
	});
	await clock.drive(workload.run());
	expect(workload.unresolved).toBe(0);
	expect(workload.acknowledged).toBeGreaterThanOrEqual(50);
	expect(workload.elapsedMs).toBeGreaterThanOrEqual(5_000);
});

test("a few failed operations are counted, many end the load", async () => {
	const few = await setup({}, { refuse: (command) => (command[2] === 7 ? new Error("lost") : null) });
	await few.clock.drive(few.workload.run());
	expect(few.workload.unresolved).toBe(1);
	expect(few.workload.isAcknowledged(7)).toBe(false);
	expect(few.workload.failure).toMatchObject({ code: "load-failed", details: { failed: 1, reason: "lost" } });

	const explained = await setup(
		{},
		{
			refuse: (command) => (command[2] === 7 ? new Error("lost", { cause: new Error("no space") }) : null),
		},
	);
	await explained.clock.drive(explained.workload.run());
	expect(explained.workload.failure).toMatchObject({ details: { reason: "lost: no space" } });

	const unanswered = new QuorateError("outcome-unknown", "no answer", {}, { cause: new Error("no space") });
	const ended = await setup({}, { refuse: (command) => (command[2] === 7 ? unanswered : null) });
	await ended.clock.drive(ended.workload.run());
	expect(ended.workload.failure).toMatchObject({ details: { reason: "no space" } });

	const many = await setup({}, { refuse: () => new Error("lost") });
	await expect(many.clock.drive(many.workload.run())).rejects.toMatchObject({ code: "load-failed" });
	expect(many.workload.acknowledged).toBe(0);
});

test("no answer for half a minute ends the load", async () => {
	const { clock, target, workload } = await setup({});
	target.leader = null;
	await expect(clock.drive(workload.run())).rejects.toMatchObject({ code: "load-stalled", details: { seconds: 30 } });
	expect(clock.nowMs()).toBeLessThan(31_000);
});

test("stop waits two seconds for what is outstanding, and no longer", async () => {
	const { clock, target, workload } = await setup({});
	target.leader = null;
	const done = workload.run();
	clock.schedule(50, () => workload.stop());
	await clock.drive(done);
	expect(clock.nowMs()).toBeLessThan(2_100);
	expect(workload.unresolved).toBe(32);
});

test("a ledger that has gone on to another run fails the load", async () => {
	const { clock, target, workload } = await setup({});
	target.ledgers[0]!.apply(["begin", 2, 1, ""]);
	await expect(clock.drive(workload.run())).rejects.toMatchObject({
		details: { reason: "the ledger has begun another run" },
	});
});
