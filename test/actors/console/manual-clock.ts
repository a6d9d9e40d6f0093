/** A clock that stands still until the test moves it. */
import type { Clock, TimerHandle } from "../../../runtime/actor/clock.ts";

interface Timer {
	readonly dueMs: number;
	readonly callback: () => void;
}

export class ManualClock implements Clock {
	#nowMs = 0;
	readonly #timers = new Set<Timer>();

	nowMs(): number {
		return this.#nowMs;
	}

	schedule(afterMs: number, callback: () => void): TimerHandle {
		const timer = { dueMs: this.#nowMs + afterMs, callback };
		this.#timers.add(timer);
		return timer as unknown as TimerHandle;
	}

	cancel(handle: TimerHandle): void {
		this.#timers.delete(handle as unknown as Timer);
	}

	/** Moves to the next time at which a timer is due, and runs all of that time. */
	step(): void {
		let nextMs = Number.POSITIVE_INFINITY;
		for (const { dueMs } of this.#timers) nextMs = Math.min(nextMs, dueMs);
		if (nextMs === Number.POSITIVE_INFINITY) return;
		this.#nowMs = Math.max(this.#nowMs, nextMs);
		for (const timer of [...this.#timers]) {
			if (timer.dueMs <= this.#nowMs && this.#timers.delete(timer)) timer.callback();
		}
	}

	/** Passes time without running what becomes due in it: that is late. */
	jump(ms: number): void {
		this.#nowMs += ms;
	}

	/** Steps until the promise settles: time passes only when nothing else is left to do. */
	async drive<T>(promise: Promise<T>): Promise<T> {
		let isSettled = false;
		const settled = promise.finally(() => {
			isSettled = true;
		});
		settled.catch(() => undefined);
		while (!isSettled) {
			await new Promise((resume) => setImmediate(resume));
			if (!isSettled) this.step();
		}
		return await settled;
	}
}
