/** A clock for tests of engines. */
import type { Clock, TimerHandle } from "../../../runtime/actor/clock.ts";

/** Fires timers when told. */
export class ScriptedClock implements Clock {
	#nowMs = 0;
	readonly #timers: { readonly atMs: number; run(): void }[] = [];

	nowMs(): number {
		return this.#nowMs;
	}

	schedule(afterMs: number, run: () => void): TimerHandle {
		const timer = { atMs: this.#nowMs + afterMs, run };
		this.#timers.push(timer);
		this.#timers.sort((a, b) => a.atMs - b.atMs);
		return timer as unknown as TimerHandle;
	}

	cancel(): void {}

	/** True if there was a timer to fire. */
	step(): boolean {
		const next = this.#timers.shift();
		if (next === undefined) return false;
		this.#nowMs = next.atMs;
		next.run();
		return true;
	}
}
