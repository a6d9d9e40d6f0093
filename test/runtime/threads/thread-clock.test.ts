// Goal: the timers of a thread fire once, in order, never early, and cancelling removes exactly one.
// Method: the loop's own way of driving it (`blocking`, `runDue`), against a sorted list of what is due; Node's timer once.
import { expect, test } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import type { TimerHandle } from "../../../runtime/actor/clock.ts";
import { machineNowMs, ThreadClock } from "../../../runtime/threads/thread-clock.ts";

test("due timers run in order of time and of setting, cancelled ones never", () => {
	const clock = new ThreadClock(machineNowMs());
	clock.blocking = true;
	const draw = new Generator(7, "timers");
	const ran: number[] = [];
	const kept: number[] = [];
	const handles = Array.from({ length: 500 }, (_, index) => clock.schedule(0, () => ran.push(index)));
	handles.forEach((handle, index) => {
		if (draw.chance(0.5)) clock.cancel(handle);
		else kept.push(index);
	});
	clock.cancel(handles[0] as TimerHandle);
	clock.cancel(handles[0] as TimerHandle);
	clock.runDue();
	expect(ran).toEqual(kept.filter((index) => index !== 0));
	expect(clock.nextDueMs).toBe(Number.POSITIVE_INFINITY);
});

test("the earliest timer stays on top whatever is set and cancelled", () => {
	const clock = new ThreadClock(machineNowMs());
	clock.blocking = true;
	const draw = new Generator(11, "heap");
	const live: { readonly handle: TimerHandle; readonly dueMs: number }[] = [];
	for (let step = 0; step < 2_000; step++) {
		if (live.length > 0 && draw.chance(0.45)) {
			const [victim] = live.splice(draw.below(live.length), 1);
			clock.cancel(victim?.handle as TimerHandle);
		} else {
			const handle = clock.schedule(1_000_000 + draw.below(1_000_000), () => {});
			live.push({ handle, dueMs: (handle as unknown as { readonly dueMs: number }).dueMs });
		}
		expect(clock.nextDueMs).toBe(Math.min(...live.map((timer) => timer.dueMs)));
	}
	expect(clock.runDue()).toBe(0);
	clock.stop();
});

test("a timer that a timer sets waits for the next run", () => {
	const clock = new ThreadClock(machineNowMs());
	clock.blocking = true;
	const ran: string[] = [];
	clock.schedule(0, () => {
		ran.push("first");
		clock.schedule(0, () => ran.push("second"));
	});
	expect(clock.runDue()).toBe(1);
	expect(ran).toEqual(["first"]);
	clock.runDue();
	expect(ran).toEqual(["first", "second"]);
});

test("Node's timer serves the heap, never before the time has passed", async () => {
	const clock = new ThreadClock(machineNowMs());
	for (const afterMs of [0, 1, 3, 7]) {
		const fromMs = clock.nowMs();
		await new Promise<void>((resolve) => clock.schedule(afterMs, resolve));
		expect(clock.nowMs() - fromMs).toBeGreaterThanOrEqual(afterMs);
	}
	clock.stop();
});
