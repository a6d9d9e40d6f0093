/**
 * Goal: threads are restarted as the thread tree promises: one crash is one event; delay, window and giving up per slot.
 * Method: scripted threads and a scripted clock, so that each rule is seen to the millisecond.
 */
import { describe, expect, it } from "vitest";
import { settle, supervisedThreads } from "./scripted-threads.ts";

const backoff = { minMs: 100, maxMs: 400, jitter: 0, stableMs: 1_000, immediate: 1 };
const outOfMemoryBackoff = { minMs: 2_000, maxMs: 8_000, jitter: 0, stableMs: 60_000 };
const types = (events: readonly { readonly type: string }[]): string[] => events.map((event) => event.type);

describe("ThreadSupervisor", () => {
	it.each(["crashed", "exited", "killed", "stalled"] as const)(
		"restarts a thread that %s, at once the first time",
		async (cause) => {
			const { clock, threads, events, thread } = supervisedThreads({ backoff });
			const slot = await thread("worker");
			threads.script.push({ afterMs: 40 });
			threads.end(slot, cause);
			await clock.pass(100);
			expect(events).toEqual([{ type: "thread-restarted", slot, name: "worker", afterMs: 40, cause }]);
		},
	);

	it("leaves a thread alone that was stopped on purpose, and the storage thread", async () => {
		const { clock, threads, events, thread } = supervisedThreads();
		threads.end(await thread("worker"), "stopped");
		threads.end(await thread("storage"), "crashed");
		await clock.pass(60_000);
		expect(threads.replaced).toEqual([]);
		expect(events).toEqual([]);
	});

	it("waits longer each time a thread fails again soon, up to the maximum", async () => {
		const { clock, threads, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		for (let i = 0; i < 5; i++) {
			threads.end(slot, "crashed");
			await clock.pass(500);
		}
		const delays = events.filter((event) => event.type === "thread-restart-delayed").map((event) => event.delayMs);
		expect(delays).toEqual([100, 200, 400, 400]);
		const after = events.filter((event) => event.type === "thread-restarted").map((event) => event.afterMs);
		expect(after).toEqual([0, 100, 200, 400, 400]);
	});

	it("starts over after a stable time", async () => {
		const { clock, threads, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		for (const quietMs of [500, 500, 1_200, 500]) {
			threads.end(slot, "crashed");
			await clock.pass(quietMs);
		}
		const after = events.filter((event) => event.type === "thread-restarted").map((event) => event.afterMs);
		// The third life lasted 1,000 ms after its start at 200, so the fourth comes at once again.
		expect(after).toEqual([0, 100, 200, 0]);
	});

	it("waits longer after out-of-memory, from the first time on", async () => {
		const { clock, threads, events, thread } = supervisedThreads({ backoff, outOfMemoryBackoff });
		const slot = await thread("worker");
		threads.end(slot, "out-of-memory");
		await clock.pass(1_999);
		expect(types(events)).toEqual(["thread-restart-delayed"]);
		await clock.pass(1);
		expect(events.at(-1)).toMatchObject({ type: "thread-restarted", afterMs: 2_000, cause: "out-of-memory" });
	});

	it("counts a start that fails, tries again later, and measures from the end of the old life", async () => {
		const { clock, threads, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		threads.script.push({ failsWith: new Error("no memory for a thread") });
		threads.end(slot, "crashed");
		await clock.pass(1_000);
		expect(types(events)).toEqual(["thread-start-failed", "thread-restart-delayed", "thread-restarted"]);
		expect(events.at(-1)).toMatchObject({ afterMs: 100 });
		expect(threads.replaced).toEqual([slot, slot]);
	});

	it("gives a slot up after more than `intensity` restarts in the period, and releases it", async () => {
		const { clock, threads, supervisor, events, thread } = supervisedThreads({
			backoff,
			intensity: 2,
			periodMs: 10_000,
		});
		const slot = await thread("worker");
		for (let i = 0; i < 3; i++) {
			threads.end(slot, "crashed");
			await clock.pass(500);
		}
		expect(threads.released).toEqual([slot]);
		expect(threads.replaced).toEqual([slot, slot]);
		expect(events.at(-1)).toEqual({ type: "thread-gave-up", slot, name: "worker", intensity: 2, periodMs: 10_000 });
		expect(supervisor.history()).toEqual([]);
	});

	it("sustains a rate of failures within the intensity for ever", async () => {
		const { clock, threads, thread } = supervisedThreads({ backoff, intensity: 2, periodMs: 10_000 });
		const slot = await thread("worker");
		for (let i = 0; i < 20; i++) {
			threads.end(slot, "crashed");
			await clock.pass(5_001);
		}
		expect(threads.released).toEqual([]);
		expect(threads.replaced.length).toBe(20);
	});

	it("counts each slot by itself", async () => {
		const { clock, threads, supervisor, thread } = supervisedThreads({ backoff, intensity: 1, periodMs: 10_000 });
		const slots = [await thread("a"), await thread("b"), await thread("c")];
		for (const slot of slots) threads.end(slot, "crashed");
		await clock.pass(500);
		expect(threads.released).toEqual([]);
		expect(supervisor.history().map(({ state, recentFailures }) => [state, recentFailures])).toEqual([
			["running", 1],
			["running", 1],
			["running", 1],
		]);
	});

	it("counts a thread that dies while it is being replaced as that start's failure, once", async () => {
		const { clock, threads, supervisor, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		threads.script.push({ failsWith: new Error("died while starting") });
		threads.end(slot, "crashed");
		threads.end(slot, "crashed");
		await clock.pass(500);
		expect(supervisor.history()).toMatchObject([{ state: "running", recentFailures: 2 }]);
		expect(types(events)).toEqual(["thread-start-failed", "thread-restart-delayed", "thread-restarted"]);
	});

	it("notices a replacement that was dead before its start was reported", async () => {
		const { clock, threads, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		let tripped = false;
		threads.observe((event) => {
			if (event.type !== "thread-started" || tripped) return;
			tripped = true;
			threads.end(slot, "crashed");
		});
		threads.end(slot, "crashed");
		await clock.pass(500);
		expect(types(events)).toEqual(["thread-restart-delayed", "thread-restarted"]);
		expect(events.at(-1)).toMatchObject({ afterMs: 100 });
	});

	it("kills a stalled thread, names what it did, and restarts it", async () => {
		const { clock, threads, supervisor, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		await supervisor.stalled(slot, "ledger 1/3#1 in apply");
		await clock.pass(10);
		expect(events[0]).toEqual({ type: "thread-stalled", slot, name: "worker", detail: "ledger 1/3#1 in apply" });
		expect(events[1]).toMatchObject({ type: "thread-restarted", cause: "stalled" });
		threads.end(slot, "crashed");
		await supervisor.stalled(slot, "dead already");
		expect(types(events).filter((type) => type === "thread-stalled")).toHaveLength(1);
	});

	it("forgets a slot that was stopped: its next thread starts with a clean record", async () => {
		const { clock, threads, supervisor, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		threads.end(slot, "crashed");
		await clock.pass(10);
		expect(supervisor.history()).toHaveLength(1);
		threads.end(slot, "stopped");
		expect(supervisor.history()).toEqual([]);
	});

	it("does nothing more once it is stopped", async () => {
		const { clock, threads, supervisor, events, thread } = supervisedThreads({ backoff });
		const slot = await thread("worker");
		threads.end(slot, "crashed");
		await clock.pass(10);
		threads.end(slot, "crashed");
		supervisor.stop();
		expect(clock.waiting).toBe(0);
		threads.end(slot, "crashed");
		await clock.pass(10_000);
		await settle();
		expect(threads.replaced).toHaveLength(1);
		expect(types(events)).toEqual(["thread-restarted", "thread-restart-delayed"]);
	});

	it("refuses wrong options", () => {
		for (const wrong of [{ intensity: -1 }, { periodMs: 0 }, { backoff: { ...backoff, jitter: 2 } }]) {
			expect(() => supervisedThreads(wrong)).toThrowError(/supervisor threads/);
		}
	});
});
