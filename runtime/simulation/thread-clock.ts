/** The clocks that virtual threads read, true or not. */
import { assert } from "../../protocols/core/index.ts";
import type { Clock, TimerHandle } from "../actor/index.ts";
import type { SimulatedEvent } from "./event-heap.ts";
import { Gate } from "./gate.ts";
import type { Timeline } from "./timeline.ts";

/** Events that one paused thread puts off. */
export const PAUSED_EVENTS_MAX = 1_000_000;

/** How fast a clock runs that is to be earlier than it is. */
const SLEW_PACE = 0.5;

/** Factors in force, whichever begins and ends first. */
class Factors {
	readonly #factors = new Set<{ readonly factor: number }>();
	product = 1;

	add(factor: number): () => void {
		const entry = { factor };
		this.#factors.add(entry);
		this.#multiply();
		return () => {
			this.#factors.delete(entry);
			this.#multiply();
		};
	}

	#multiply(): void {
		this.product = 1;
		for (const { factor } of this.#factors) this.product *= factor;
	}
}

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
	readonly #paces = new Factors();
	readonly #slownesses = new Factors();
	/** Local time is virtual time. */
	#isTrue = true;
	/** What waits while the thread is paused; null: it is not. */
	#pause: Gate | null = null;
	/** Pauses that are not over. */
	#pauses = 0;

	constructor(timeline: Timeline) {
		this.#timeline = timeline;
	}

	get nowMs(): number {
		const { nowMs } = this.#timeline;
		return this.#isTrue ? nowMs : this.#localMs + (nowMs - this.#virtualMs) * this.#rate;
	}

	/** A deadline on this clock as a point of virtual time, as if the clock were true from now on. */
	toVirtual(deadlineMs: number): number {
		return this.#isTrue ? deadlineMs : this.#timeline.nowMs + (deadlineMs - this.nowMs);
	}

	/** The other way round: so much is left on every clock. */
	fromVirtual(deadlineMs: number): number {
		return this.#isTrue ? deadlineMs : this.nowMs + (deadlineMs - this.#timeline.nowMs);
	}

	/** How long a local duration takes in virtual time; infinity while the clock stands still. */
	virtualOf(durationMs: number): number {
		if (this.#rate === 1) return durationMs;
		return durationMs <= 0 ? 0 : durationMs / this.#rate;
	}

	/** Turns begin so many times later. */
	get slowness(): number {
		return this.#slownesses.product;
	}

	/** Makes the thread so many times slower; returns the way to end that. */
	slow(factor: number): () => void {
		return this.#slownesses.add(factor);
	}

	/** Local time passes so many times as fast, 0 stops it; returns the way to end that. */
	pace(factor: number): () => void {
		const end = this.#paces.add(factor);
		this.#setRate(this.#paces.product);
		return () => {
			end();
			this.#setRate(this.#paces.product);
		};
	}

	#setRate(rate: number): void {
		this.#anchor(0);
		this.#rate = rate;
		this.#retime();
	}

	/** Local time is suddenly so much later. */
	jump(aheadMs: number): void {
		this.#anchor(aheadMs);
		this.#retime();
	}

	/**
	 * Local time is off by so much, until what is returned is called. To be later it leaps; to be earlier it passes slower
	 * until it is.
	 */
	skew(offsetMs: number): () => void {
		const back = this.#shift(offsetMs);
		return () => {
			this.#shift(-back());
		};
	}

	/** Moves local time; returns what stops that, and tells how far it has come. */
	#shift(byMs: number): () => number {
		if (byMs >= 0) {
			this.jump(byMs);
			return () => byMs;
		}
		const fromMs = this.#timeline.nowMs;
		const lengthMs = -byMs / (1 - SLEW_PACE);
		const end = this.pace(SLEW_PACE);
		let isOver = false;
		const stop = (): void => {
			if (!isOver) end();
			isOver = true;
		};
		this.#timeline.after(lengthMs, stop);
		return () => {
			stop();
			return -Math.min(lengthMs, this.#timeline.nowMs - fromMs) * (1 - SLEW_PACE);
		};
	}

	/** A life of the thread has begun. */
	set clock(clock: ThreadClock) {
		this.#clock = clock;
	}

	get isPaused(): boolean {
		return this.#pause !== null;
	}

	/** Runs it now, or when the thread is not paused any more. */
	whenAwake(run: () => void): void {
		if (this.#pause === null) run();
		else assert(this.#pause.pass(run), "a pause holds back a bounded number of events", { limit: PAUSED_EVENTS_MAX });
	}

	/** Nothing of the thread runs until every pause is over; returns the way to end this one. */
	pause(): () => void {
		this.#pause ??= new Gate(PAUSED_EVENTS_MAX);
		this.#pauses += 1;
		const gate = this.#pause;
		let isOver = false;
		return () => {
			if (isOver || this.#pause !== gate) return;
			isOver = true;
			this.#pauses -= 1;
			if (this.#pauses === 0) this.#timeline.after(0, () => this.#resume(gate));
		};
	}

	/** All that has waited happens in one event, in the order in which it was to happen. */
	#resume(gate: Gate): void {
		if (this.#pause !== gate || this.#pauses > 0) return;
		this.#pause = null;
		gate.open();
	}

	/** The thread is no more, and its pause with it: a new one is another process on the same machine. */
	died(): void {
		this.#pause = null;
		this.#pauses = 0;
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
			if (machine.isPaused) machine.whenAwake(fire);
			else callback();
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
