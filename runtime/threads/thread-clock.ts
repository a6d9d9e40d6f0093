/**
 * The clock of one thread: monotonic, with one origin for all threads of a system. Its timers stand in one heap
 * behind a single Node timer, so that setting and cancelling (which consensus does with every heartbeat) stays cheap,
 * and so that a thread that blocks in `Atomics.wait` knows when to wake.
 */
import { performance } from "node:perf_hooks";
import { assert } from "../../protocols/core/index.ts";
import type { Clock, TimerHandle } from "../actor/index.ts";

/** Node's own bound of a timer; longer ones are armed in steps. */
const NODE_TIMER_MS_MAX = 2 ** 31 - 1;
/** Timers of one thread; one more is a leak in the code that sets them. */
export const THREAD_TIMERS_MAX = 1_000_000;

interface Timer {
	dueMs: number;
	/** Timers that are due together run in the order in which they were set. */
	order: number;
	callback: () => void;
	/** Index in the heap; −1 once it has run or is cancelled. */
	at: number;
}

/** Milliseconds on the machine's monotonic clock, the same in every thread of the process. */
export function machineNowMs(): number {
	return Number(process.hrtime.bigint()) / 1e6;
}

export class ThreadClock implements Clock {
	/** What to add to `performance.now()`, whose origin is the thread's own start. */
	readonly #offsetMs: number;
	readonly #heap: Timer[] = [];
	readonly #runDue: () => void;
	#order = 0;
	#armed: NodeJS.Timeout | null = null;
	#armedForMs = Number.POSITIVE_INFINITY;
	/** While true nobody arms a Node timer: the thread's loop asks for {@link nextDueMs} instead. */
	#blocking = false;
	#stopped = false;

	/**
	 * @param originMs when the system started, on {@link machineNowMs}
	 * @param requestRun called in a turn of its own when timers are due; it must call {@link runDue}
	 */
	constructor(originMs: number, requestRun?: () => void) {
		this.#offsetMs = machineNowMs() - performance.now() - originMs;
		this.#runDue = requestRun ?? (() => this.runDue());
	}

	nowMs(): number {
		return performance.now() + this.#offsetMs;
	}

	schedule(afterMs: number, callback: () => void): TimerHandle {
		assert(afterMs >= 0, "a timer is set for the future", { afterMs });
		assert(this.#heap.length < THREAD_TIMERS_MAX, "timers are bounded", { timers: this.#heap.length });
		const timer: Timer = { dueMs: this.nowMs() + afterMs, order: this.#order++, callback, at: this.#heap.length };
		this.#heap.push(timer);
		this.#up(timer);
		if (timer.at === 0) this.#arm();
		return timer as unknown as TimerHandle;
	}

	cancel(handle: TimerHandle): void {
		const timer = handle as unknown as Timer;
		if (timer.at < 0) return;
		this.#remove(timer);
		// An armed Node timer that comes too early finds nothing due and arms itself anew: cheaper than moving it each time.
		if (this.#heap.length === 0) this.#disarm();
	}

	/** When the next timer is due, on this clock; infinity without timers. */
	get nextDueMs(): number {
		return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY;
	}

	/** The loop of this thread parks in `Atomics.wait` and calls {@link runDue} by itself. */
	set blocking(blocking: boolean) {
		this.#blocking = blocking;
		if (blocking) this.#disarm();
		else this.#arm();
	}

	/** Runs the timers that are due now, those they set excluded. Returns how many ran. A callback's throw passes on. */
	runDue(): number {
		const nowMs = this.nowMs();
		const order = this.#order;
		let ran = 0;
		try {
			for (let next = this.#heap[0]; next !== undefined; next = this.#heap[0]) {
				if (next.dueMs > nowMs || next.order >= order) break;
				this.#remove(next);
				ran++;
				next.callback();
			}
		} finally {
			this.#arm();
		}
		return ran;
	}

	/** Cancels all timers, for good. */
	stop(): void {
		this.#stopped = true;
		for (const timer of this.#heap) timer.at = -1;
		this.#heap.length = 0;
		this.#disarm();
	}

	#arm(): void {
		const dueMs = this.nextDueMs;
		if (this.#blocking || this.#stopped || dueMs >= this.#armedForMs) return;
		this.#disarm();
		// Node counts whole milliseconds from the start of its loop's turn, so round up: never before the time has passed.
		const afterMs = Math.min(Math.max(Math.ceil(dueMs - this.nowMs()), 0), NODE_TIMER_MS_MAX);
		this.#armedForMs = dueMs;
		this.#armed = setTimeout(() => {
			this.#armed = null;
			this.#armedForMs = Number.POSITIVE_INFINITY;
			if (this.nextDueMs <= this.nowMs()) this.#runDue();
			this.#arm();
		}, afterMs);
	}

	#disarm(): void {
		if (this.#armed !== null) clearTimeout(this.#armed);
		this.#armed = null;
		this.#armedForMs = Number.POSITIVE_INFINITY;
	}

	#remove(timer: Timer): void {
		const heap = this.#heap;
		const last = heap.pop() as Timer;
		if (last !== timer) {
			heap[timer.at] = last;
			last.at = timer.at;
			this.#up(last);
			this.#down(last);
		}
		timer.at = -1;
	}

	#up(timer: Timer): void {
		const heap = this.#heap;
		while (timer.at > 0) {
			const parent = heap[(timer.at - 1) >> 1] as Timer;
			if (!before(timer, parent)) break;
			this.#swap(timer, parent);
		}
	}

	#down(timer: Timer): void {
		const heap = this.#heap;
		for (;;) {
			const left = heap[2 * timer.at + 1];
			const right = heap[2 * timer.at + 2];
			if (left === undefined) break;
			const child = right !== undefined && before(right, left) ? right : left;
			if (!before(child, timer)) break;
			this.#swap(timer, child);
		}
	}

	#swap(a: Timer, b: Timer): void {
		const at = a.at;
		a.at = b.at;
		b.at = at;
		this.#heap[a.at] = a;
		this.#heap[b.at] = b;
	}
}

function before(a: Timer, b: Timer): boolean {
	return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
