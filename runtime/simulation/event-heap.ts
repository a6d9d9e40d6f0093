/** The future of a simulation: events by time, ties broken by a draw, then by order of scheduling. */
import { assert } from "../../protocols/core/index.ts";

/** Events that may be pending at a time: beyond it a simulation is running away. */
export const EVENTS_MAX = 10_000_000;

/** Something that will happen. */
export interface SimulatedEvent {
	readonly atMs: number;
	readonly tie: number;
	readonly sequence: number;
	readonly run: () => void;
	isCancelled: boolean;
}

/** A binary heap. */
export class EventHeap {
	readonly #events: SimulatedEvent[] = [];
	#sequence = 0;

	get size(): number {
		return this.#events.length;
	}

	add(atMs: number, tie: number, run: () => void): SimulatedEvent {
		assert(this.#events.length < EVENTS_MAX, "a simulation has a bounded future", { pending: this.#events.length });
		this.#sequence += 1;
		const event: SimulatedEvent = { atMs, tie, sequence: this.#sequence, run, isCancelled: false };
		this.#events.push(event);
		this.#rise(this.#events.length - 1);
		return event;
	}

	/** The next event that is not cancelled, without taking it. */
	peek(): SimulatedEvent | null {
		while (this.#events[0]?.isCancelled === true) this.#takeFirst();
		return this.#events[0] ?? null;
	}

	take(): SimulatedEvent | null {
		const first = this.peek();
		if (first !== null) this.#takeFirst();
		return first;
	}

	#takeFirst(): void {
		const last = this.#events.pop();
		if (last === undefined || this.#events.length === 0) return;
		this.#events[0] = last;
		this.#sink(0);
	}

	#rise(from: number): void {
		let at = from;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			if (!this.#swapIfEarlier(at, parent)) return;
			at = parent;
		}
	}

	#sink(from: number): void {
		let at = from;
		for (;;) {
			const left = 2 * at + 1;
			if (left >= this.#events.length) return;
			const right = left + 1;
			const least = right < this.#events.length && this.#isEarlier(right, left) ? right : left;
			if (!this.#swapIfEarlier(least, at)) return;
			at = least;
		}
	}

	#swapIfEarlier(a: number, b: number): boolean {
		if (!this.#isEarlier(a, b)) return false;
		const event = this.#events[a] as SimulatedEvent;
		this.#events[a] = this.#events[b] as SimulatedEvent;
		this.#events[b] = event;
		return true;
	}

	#isEarlier(a: number, b: number): boolean {
		const x = this.#events[a] as SimulatedEvent;
		const y = this.#events[b] as SimulatedEvent;
		if (x.atMs !== y.atMs) return x.atMs < y.atMs;
		return x.tie !== y.tie ? x.tie < y.tie : x.sequence < y.sequence;
	}
}
