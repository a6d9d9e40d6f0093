/** Virtual time: what is to happen, and in which order. */
import { type Generator, must } from "../../protocols/core/index.ts";
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

	/** Something that runs no code of actors, tests or kernels, such as the arrival of a message. */
	quietlyAfter(delayMs: number, run: () => void): void {
		this.#heap.add(this.#nowMs + delayMs, this.#ties.uint32(), run, true);
	}

	/** A timer of a clock that may run otherwise than virtual time: see {@link retime}. */
	timer(delayMs: number, run: () => void, owner: object, dueMs: number): SimulatedEvent {
		return this.#heap.add(this.#nowMs + delayMs, this.#ties.uint32(), run, false, owner, dueMs);
	}

	/** A clock has changed its pace: its timers move, but none into the past. */
	retime(owner: object, atMs: (dueMs: number) => number): void {
		this.#heap.retime(owner, (dueMs) => Math.max(this.#nowMs, atMs(dueMs)));
	}

	/** Lets the next event happen. True when it may have left continuations of promises behind. */
	step(): boolean {
		const event = must(this.#heap.take() ?? undefined, "there is an event to happen");
		this.#nowMs = event.atMs;
		this.steps += 1;
		event.run();
		return !event.isQuiet;
	}

	/** Nothing happens until then. */
	skipTo(atMs: number): void {
		if (atMs > this.#nowMs) this.#nowMs = atMs;
	}
}

/** A delay drawn from a range. */
export function drawMs(generator: Generator, range: DurationRange): number {
	return range.min + generator.fraction() * (range.max - range.min);
}
