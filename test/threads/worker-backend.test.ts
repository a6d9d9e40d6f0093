// Goal: what DESIGN.md §3 promises of real threads. A mailbox outlives its thread, order is kept, the message that killed a
// thread is named, delivered again and at last quarantined; every way in which a thread can end is told apart.
// Method: recorders on dedicated threads write what they handle into shared memory that outlives them; the test kills them.
import { type ActorRef, createThreadBackend } from "quorate/runtime";
import { afterEach, expect, test } from "vitest";
import type { FloodOrder } from "../fixtures/thread-actors.ts";
import { closeStages, Journal, actorsModule as module, Stage } from "./stage.ts";

afterEach(closeStages);

/** Numbers in order; one may come again only when it is marked, right behind itself. */
function expectInOrder(entries: Journal["entries"], count: number): number {
	let redeliveries = 0;
	let expected = 1;
	for (const [number, redelivered] of entries) {
		if (redelivered > 0 && number === expected - 1) redeliveries++;
		else {
			// A message can be interrupted before its handler wrote anything.
			if (redelivered > 0) redeliveries++;
			expect(number).toBe(expected);
			expected++;
		}
	}
	expect(expected - 1).toBe(count);
	return redeliveries;
}

for (const waiting of ["async", "blocking"] as const) {
	test(`a mailbox outlives its thread: no message is lost or out of order over kills under load (${waiting})`, async () => {
		const stage = await Stage.open();
		const count = 30_000;
		const journal = new Journal(count + 100);
		const ref = await stage.recorder(journal, "recorder", waiting);
		const kills = [500, 9_000, 20_000];
		let number = 0;
		for (const [index, after] of [...kills, count].entries()) {
			while (number < after) {
				number++;
				if (ref.tell({ type: "number", number }) === "full") await ref.tellWhenReady({ type: "number", number });
			}
			if (after === count) break;
			const kill = stage.backend.threads.kill(ref.address.slot, "killed");
			// Told while the thread dies and is replaced.
			for (let more = 0; more < 50; more++) {
				number++;
				if (ref.tell({ type: "number", number }) === "full") await ref.tellWhenReady({ type: "number", number });
			}
			await kill;
			expect(stage.ended.length).toBe(index + 1);
		}
		while ((journal.entries.at(-1)?.[0] ?? 0) < count) await new Promise((resolve) => setImmediate(resolve));
		expectInOrder(journal.entries, count);
		expect(stage.ended.map(({ end }) => end.cause)).toEqual(["killed", "killed", "killed"]);
		expect(stage.backend.inspectThreads().repeatedWakeUps).toBe(0);
	});
}

/** What a thread has told main before, its dead letters too, travels ahead of its answer. */
async function reported(ref: ActorRef): Promise<void> {
	await ref.ask({ type: "slow-echo", value: 1, afterMs: 0 });
}

test("the message that hangs is named, its thread killed as stalled, and the message quarantined after two redeliveries", async () => {
	const stalls: unknown[] = [];
	const stage = await Stage.open({ stallAfterMs: 100, stalled: (report) => stalls.push(report) });
	const journal = new Journal(100);
	const ref = await stage.recorder(journal);
	ref.tell({ type: "number", number: 1 });
	ref.tell({ type: "hang" });
	ref.tell({ type: "number", number: 2 });
	await journal.reached(5);
	await reported(ref);
	expect(journal.entries).toEqual([
		[1, 0],
		[0, 0],
		[0, 1],
		[0, 2],
		[2, 0],
	]);
	expect(stage.ended.map(({ end, interrupted }) => [end.cause, end.error?.code, interrupted?.message])).toEqual(
		[1, 2, 3].map((deliveries) => ["stalled", "thread-stalled", { messageType: "hang", sender: null, deliveries }]),
	);
	expect(stage.ended[0]?.interrupted?.actor).toBe(ref.address.actor);
	expect(stalls[0]).toMatchObject({
		slot: ref.address.slot,
		kind: "tell",
		messageType: "hang",
		actor: ref.address.actor,
	});
	expect(stage.system.deadLetters.counts.get("quarantined")).toBe(1);
});

for (const onStall of ["report", (thread: string) => (thread === "recorder" ? "report" : "kill")] as const) {
	test(`policy \`report\` leaves a stalled thread alone, given as a ${typeof onStall}`, async () => {
		let reported: (() => void) | null = null;
		const stall = new Promise<void>((resolve) => {
			reported = resolve;
		});
		const stage = await Stage.open({ stallAfterMs: 100, onStall, stalled: () => reported?.() });
		const journal = new Journal(100);
		const ref = await stage.recorder(journal);
		ref.tell({ type: "hang" });
		await stall;
		journal.open();
		expect(await ref.ask({ type: "echo", value: "back" })).toBe("back");
		expect(stage.ended).toEqual([]);
	});
}

test("parked threads are never taken for stalled, in either way of waiting", async () => {
	const stalls: unknown[] = [];
	const stage = await Stage.open({ stallAfterMs: 500, stalled: (report) => stalls.push(report) });
	const refs = [
		await stage.recorder(new Journal(1), "a", "async"),
		await stage.recorder(new Journal(1), "b", "blocking"),
	];
	// Both sleep for more than two limits, in which the watchdog looks eight times; a slow handler of the first sleeps too. The limit is
	// above what a thread waits for a core on a busy machine: a wake-up that is that late is repeated, as it should be.
	await Promise.all(refs.map((ref) => ref.ask({ type: "slow-echo", value: 1, afterMs: 1_200 })));
	expect(stalls).toEqual([]);
	expect(stage.backend.inspectThreads().repeatedWakeUps).toBe(0);
});

test("out of memory: the cause is told and the message never comes again", async () => {
	const stage = await Stage.open({ stallAfterMs: 60_000 });
	const journal = new Journal(100);
	const ref = await stage.recorder(journal);
	ref.tell({ type: "hoard" });
	ref.tell({ type: "number", number: 7 });
	await journal.reached(2);
	await reported(ref);
	expect(journal.entries).toEqual([
		[0, 0],
		[7, 0],
	]);
	expect(
		stage.ended.map(({ end, interrupted }) => [end.cause, end.error?.code, interrupted?.message.messageType]),
	).toEqual([["out-of-memory", "ERR_WORKER_OUT_OF_MEMORY", "hoard"]]);
	expect(stage.system.deadLetters.counts.get("quarantined")).toBe(1);
});

test("an exit that nobody planned is an end, whatever its code; a throw outside of handlers is a crash", async () => {
	const stage = await Stage.open();
	const ref = await stage.recorder(new Journal(100));
	const pending = ref.ask({ type: "slow-echo", value: 1, afterMs: 500 }, { timeoutMs: 90_000 });
	const failed = expect(pending).rejects.toMatchObject({ code: "actor-dead" });
	await stage.backend.threads.kill(ref.address.slot, "killed");
	await failed;
	await stage.replacements(1);
	const other = await stage.recorder(new Journal(100), "other");
	other.tell({ type: "exit", code: 0 });
	await stage.replacements(4);
	expect(await other.ask({ type: "echo", value: "after the exits" })).toBe("after the exits");
	other.tell({ type: "crash" });
	await stage.replacements(5);
	expect(await other.ask({ type: "echo", value: "after the crash" })).toBe("after the crash");
	const seen = stage.ended.slice(1).map(({ end }) => [end.cause, end.exitCode, end.error?.message ?? null]);
	expect(seen).toEqual([
		["exited", 0, null],
		["exited", 0, null],
		["exited", 0, null],
		["crashed", 1, "outside of any handler"],
	]);
});

test("a lane grows while its consumer is slow, keeps order, and refuses at its limit", async () => {
	const stage = await Stage.open({ stallAfterMs: 60_000 });
	const journal = new Journal(20_000);
	const ref = await stage.recorder(journal);
	ref.tell({ type: "wait" });
	await journal.reached(1);
	const filling = new Uint8Array(1_000);
	let number = 0;
	let sentBytes = 0;
	let refusals = 0;
	while (refusals < 10) {
		const verdict = ref.tell({ type: "number", number: number + 1, filling });
		if (verdict === "full") refusals++;
		else {
			expect(verdict).toBe("ok");
			refusals = 0;
			number++;
			sentBytes += filling.length;
		}
	}
	// Far over the first 64 KiB, bounded by the largest lane and its predecessors.
	expect(sentBytes).toBeGreaterThan(2 ** 21);
	expect(sentBytes).toBeLessThan(2 ** 23);
	journal.open();
	await journal.reached(number + 1);
	expectInOrder(journal.entries.slice(1), number);
});

test("messages of 5 MiB pass in both directions, over 8 MiB are refused", async () => {
	const stage = await Stage.open();
	const ref = await stage.recorder(new Journal(1));
	const value = new Uint8Array(5 * 1024 * 1024).map((_, index) => index % 251);
	const echoed = (await ref.ask({ type: "echo", value }, { timeoutMs: 120_000 })) as Uint8Array;
	expect(Buffer.compare(Buffer.from(echoed), Buffer.from(value))).toBe(0);
	expect(ref.tell({ type: "echo", value: new Uint8Array(9 * 1024 * 1024) })).toBe("too-large");
	expect(await ref.ask({ type: "echo", value: "small again" })).toBe("small again");
});

test("workers send to each other, in order, over lanes that they made themselves", async () => {
	const stage = await Stage.open();
	const journal = new Journal(20_000);
	const target = await stage.recorder(journal);
	const flooder = await stage.system.spawn<FloodOrder>({
		name: "flooder",
		behaviour: { module, export: "Flooder" },
		placement: "dedicated",
	});
	const order: FloodOrder = { target: target.address, first: 1, count: 10_000 };
	expect(await flooder.ask(order, { timeoutMs: 120_000 })).toBe(10_000);
	await journal.reached(10_000);
	expectInOrder(journal.entries, 10_000);
});

test("what was handed over arrives though its sender never ends its turn and is killed; what was told behind it does not", async () => {
	const stage = await Stage.open({ stallAfterMs: 60_000 });
	const journal = new Journal(100);
	const target = await stage.recorder(journal);
	const sender = await stage.system.spawn<FloodOrder>({
		name: "hander-over",
		behaviour: { module, export: "HanderOver" },
		placement: "dedicated",
	});
	sender.tell({ target: target.address, first: 1, count: 10 });
	await journal.reached(10);
	await stage.backend.threads.kill(sender.address.slot, "killed");
	await reported(target);
	expectInOrder(journal.entries, 10);
});

test("an order to a thread that dies is rejected", async () => {
	const stage = await Stage.open();
	const started = stage.system.spawn({
		name: "never",
		behaviour: { module, export: "NeverStarts" },
		placement: "dedicated",
	});
	const rejected = expect(started).rejects.toMatchObject({
		code: expect.stringMatching(/thread-died|actor-dead|start/),
	});
	for (;;) {
		const thread = stage.backend.threads.status().find(({ state, slot }) => slot !== 0 && state === "running");
		if (thread !== undefined) {
			await stage.backend.threads.kill(thread.slot, "killed");
			break;
		}
		await new Promise((resolve) => setImmediate(resolve));
	}
	await rejected;
});

test("a replacement takes the warm spare", async () => {
	const stage = await Stage.open({ warmSpares: 1 });
	const ref = await stage.recorder(new Journal(1));
	while (stage.backend.inspectThreads().sparesReady === 0) await new Promise((resolve) => setImmediate(resolve));
	const { sparesUsed } = stage.backend.inspectThreads();
	await stage.backend.threads.kill(ref.address.slot, "killed");
	await stage.replacements(1);
	expect(await ref.ask({ type: "echo", value: 1 })).toBe(1);
	expect(stage.backend.inspectThreads().sparesUsed).toBe(sparesUsed + 1);
});

test("one thread more than may be is refused, and a slot that is given back can be had again", async () => {
	const backend = await createThreadBackend({ warmSpares: 0, threadsMax: 3 });
	try {
		const spec = { waiting: "async", dedicated: true } as const;
		const [first] = await Promise.all(["a", "b"].map((name) => backend.threads.start({ ...spec, name })));
		await expect(backend.threads.start({ ...spec, name: "c" })).rejects.toMatchObject({
			code: "too-many-threads",
			details: { name: "c", threadsMax: 3 },
		});
		await backend.threads.kill(first as never, "stopped");
		backend.threads.release(first as never);
		expect(await backend.threads.start({ ...spec, name: "c" })).toBe(first);
	} finally {
		await backend.close();
	}
});
