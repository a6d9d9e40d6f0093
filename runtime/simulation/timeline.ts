/** Virtual time: what is to happen, and the clocks that threads read. */
import { type Generator, must } from "../../protocols/core/index.ts";
import type { Clock, TimerHandle } from "../actor/index.ts";
import { EventHeap, type SimulatedEvent } from "./event-heap.ts";

/** A range of virtual milliseconds; draws are uniform. */
export interface DurationRange {
	readonly min: number;
	readonly max: number;
}

/** Time passes only from one event to the next. */
export class Timeline {
	readonly #heap = new EventHeap();
	readonly #ties: Generator;
	#nowMs = 0;
	/** Events that have happened. */
	steps = 0;

	constructor(ties: Generator) {
		this.#ties = ties;
	}

	get nowMs(): number {
		return this.#nowMs;
	}

	/** When the next event happens; infinity when nothing is to happen. */
	get nextMs(): number {
		return this.#heap.peek()?.atMs ?? Number.POSITIVE_INFINITY;
	}

	after(delayMs: number, run: () => void): SimulatedEvent {
		return this.#heap.add(this.#nowMs + delayMs, this.#ties.uint32(), run);
	}

	/** Lets the next event happen. */
	step(): void {
		const event = must(this.#heap.take() ?? undefined, "there is an event to happen");
		this.#nowMs = event.atMs;
		this.steps += 1;
		event.run();
	}

	/** Nothing happens until then. */
	skipTo(atMs: number): void {
		if (atMs > this.#nowMs) this.#nowMs = atMs;
	}
}

/** The clock of one life of a thread; after its end no timer of it fires. */
export class ThreadClock implements Clock {
	readonly #timeline: Timeline;
	#isMuted = false;

	constructor(timeline: Timeline) {
		this.#timeline = timeline;
	}

	nowMs(): number {
		return this.#timeline.nowMs;
	}

	schedule(afterMs: number, callback: () => void): TimerHandle {
		const event = this.#timeline.after(Math.max(0, afterMs), () => {
			if (!this.#isMuted) callback();
		});
		return event as unknown as TimerHandle;
	}

	cancel(handle: TimerHandle): void {
		(handle as unknown as SimulatedEvent).isCancelled = true;
	}

	mute(): void {
		this.#isMuted = true;
	}
}

/** A delay drawn from a range. */
export function drawMs(generator: Generator, range: DurationRange): number {
	return range.min + generator.fraction() * (range.max - range.min);
}
