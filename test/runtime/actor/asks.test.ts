/** Goal: the correlation table answers each ask once, in time or not at all. Method: a hand-driven clock. */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import type { ThreadSlot } from "../../../runtime/actor/address.ts";
import { ASKS_PENDING_MAX, AskTable } from "../../../runtime/actor/asks.ts";
import { Machine, ThreadClock } from "../../../runtime/simulation/thread-clock.ts";
import { Timeline } from "../../../runtime/simulation/timeline.ts";

const SLOT = 3 as ThreadSlot;

function table(): {
	asks: AskTable;
	timeline: Timeline;
	open: (timeoutMs: number) => { correlation: number; outcome: unknown[] };
} {
	const timeline = new Timeline(new Generator(1));
	const asks = new AskTable(new ThreadClock(timeline, new Machine(timeline)));
	const open = (timeoutMs: number): { correlation: number; outcome: unknown[] } => {
		const outcome: unknown[] = [];
		const correlation = asks.open(
			"a",
			SLOT,
			timeoutMs,
			timeline.nowMs + timeoutMs,
			(value) => outcome.push(value),
			(error) => outcome.push((error as { code: string }).code),
		);
		return { correlation, outcome };
	};
	return { asks, timeline, open };
}

describe("AskTable", () => {
	it("answers once; what comes later is counted", () => {
		const { asks, open } = table();
		const { correlation, outcome } = open(100);
		asks.resolve(correlation, 1);
		asks.resolve(correlation, 2);
		asks.reject(correlation, new Error("late"));
		expect(outcome).toEqual([1]);
		expect(asks.lateReplies).toBe(2);
	});

	it("rejects each ask at its own deadline, not before, with one timer at a time", () => {
		const { timeline, open } = table();
		const slow = open(50);
		const fast = open(10);
		const middle = open(30);
		const ends: [number, number][] = [];
		while (timeline.nextMs < Number.POSITIVE_INFINITY) {
			timeline.step();
			ends.push([timeline.nowMs, [slow, fast, middle].filter(({ outcome }) => outcome.length > 0).length]);
		}
		expect(ends).toEqual([
			[10, 1],
			[30, 2],
			[50, 3],
		]);
		expect(fast.outcome).toEqual(["ask-timeout"]);
	});

	it("fails those that waited when a thread died, not those asked afterwards", () => {
		const { asks, open } = table();
		const before = open(100);
		const waiting = asks.pendingTo(SLOT);
		const after = open(100);
		asks.rejectDead(waiting, "killed");
		expect(before.outcome).toEqual(["actor-dead"]);
		expect(after.outcome).toEqual([]);
	});

	it("is bounded", () => {
		const { open } = table();
		for (let i = 0; i < ASKS_PENDING_MAX; i++) open(1000);
		expect(() => open(1000)).toThrow(expect.objectContaining({ code: "asks-exhausted" }));
	});
});
