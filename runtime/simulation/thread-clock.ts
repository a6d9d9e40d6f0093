/** The clocks that virtual threads read, true or not. */
import { assert } from "../../protocols/core/index.ts";
import type { Clock, TimerHandle } from "../actor/index.ts";
import type { SimulatedEvent } from "./event-heap.ts";
import { Gate } from "./gate.ts";
import type { Timeline } from "./timeline.ts";

/** Events that one paused thread puts off. */
export const PAUSED_EVENTS_MAX = 1_000_000;

/**
 * How one slot's machine runs, over all lives of its thread. The runtime has one clock, which is monotonic: it can drift,
 * jump ahead and stand still, and never goes back. Wall time is read by nothing that is simulated.
 */
export class Machine {
	readonly #timeline: Timeline;
	/** The living thread's clock. */
	#clock: ThreadClock | null = null;
	/** Local time is `#localMs` at virtual time `#virtualMs`, and passes `#rate` times as fast. */
	#virtualMs = 0;
	#localMs = 0;
	#rate = 1;
	/** Local time is virtual time. */
	#isTrue = true;
	/** What waits while the thread is paused; null: it is not. */
	pause: Gate | null = null;
	/** Turns begin so many times later. */
	slowness = 1;

	constructor(timeline: Timeline) {
		this.#timeline = timeline;
	}

	get nowMs(): number {
		const { nowMs } = this.#timeline;
		return this.#isTrue ? nowMs : this.#localMs + (nowMs - this.#virtualMs) * this.#rate;
	}

	/** How long a local duration takes in virtual time; infinity while the clock stands still. */
	virtualOf(durationMs: number): number {
		if (this.#rate === 1) return durationMs;
		return durationMs <= 0 ? 0 : durationMs / this.#rate;
	}

	/** When this clock shows a time, if it goes on as now: deadlines travel between clocks that differ. */
	toVirtual(localMs: number): number {
		return this.#isTrue ? localMs : this.#virtualMs + (localMs - this.#localMs) / this.#rate;
	}

	/** What this clock shows then. */
	toLocal(virtualMs: number): number {
		return this.#isTrue ? virtualMs : this.#localMs + (virtualMs - this.#virtualMs) * this.#rate;
	}

	get rate(): number {
		return this.#rate;
	}

	/** From now on local time passes so many times as fast as virtual time; 0 stops it. */
	set rate(rate: number) {
		this.#anchor(0);
		this.#rate = rate;
		this.#retime();
	}

	/** Local time is suddenly so much later. */
	jump(aheadMs: number): void {
		this.#anchor(aheadMs);
		this.#retime();
	}

	/** A life of the thread has begun. */
	set clock(clock: ThreadClock) {
		this.#clock = clock;
	}

	/** Runs it now, or when the thread is not paused any more. */
	whenAwake(run: () => void): void {
		if (this.pause === null) run();
		else assert(this.pause.pass(run), "a pause holds back a bounded number of events", { limit: PAUSED_EVENTS_MAX });
	}

	/** Nobody runs any more until it is resumed. */
	stopRunning(): void {
		this.pause ??= new Gate(PAUSED_EVENTS_MAX);
	}

	/** In one event of its own, in the order in which things were to happen. */
	resume(): void {
		const { pause } = this;
		if (pause === null) return;
		this.#timeline.after(0, () => {
			if (this.pause !== pause) return;
			this.pause = null;
			pause.open();
		});
	}

	/** The thread is no more, and its pause with it: a new one is another process on the same machine. */
	died(): void {
		this.pause = null;
		this.#clock = null;
	}

	#anchor(aheadMs: number): void {
		this.#localMs = this.nowMs + aheadMs;
		this.#virtualMs = this.#timeline.nowMs;
		this.#isTrue = false;
	}

	#retime(): void {
		if (this.#clock === null) return;
		const { nowMs } = this;
		const virtualMs = this.#timeline.nowMs;
		this.#timeline.retime(this.#clock, (dueMs) => virtualMs + this.virtualOf(dueMs - nowMs));
	}
}

/** The clock of one life of a thread; after its end no timer of it fires. */
export class ThreadClock implements Clock {
	readonly #timeline: Timeline;
	readonly #machine: Machine;
	#isMuted = false;

	constructor(timeline: Timeline, machine: Machine) {
		this.#timeline = timeline;
		this.#machine = machine;
		machine.clock = this;
	}

	nowMs(): number {
		return this.#machine.nowMs;
	}

	schedule(afterMs: number, callback: () => void): TimerHandle {
		const machine = this.#machine;
		const waitMs = Math.max(0, afterMs);
		const fire = (): void => {
			if (this.#isMuted || event.isCancelled) return;
			if (machine.pause === null) callback();
			else machine.whenAwake(fire);
		};
		const event = this.#timeline.timer(machine.virtualOf(waitMs), fire, this, machine.nowMs + waitMs);
		return event as unknown as TimerHandle;
	}

	cancel(handle: TimerHandle): void {
		(handle as unknown as SimulatedEvent).isCancelled = true;
	}

	mute(): void {
		this.#isMuted = true;
	}
}
