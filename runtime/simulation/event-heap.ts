/** The future of a simulation: events by time, ties broken by a draw, then by order of scheduling. */
import { assert } from "../../protocols/core/index.ts";

/** Events that may be pending at a time: beyond it a simulation is running away. */
export const EVENTS_MAX = 10_000_000;

/** Something that will happen. */
export class SimulatedEvent {
	atMs: number;
	readonly tie: number;
	readonly sequence: number;
	readonly run: () => void;
	/** It runs no code of actors, tests or kernels: nothing can wait for its promises. */
	readonly isQuiet: boolean;
	/** Whose timer it is, and when it is due on that clock; null and 0 for all else. */
	readonly owner: object | null;
	readonly dueMs: number;
	isCancelled = false;

	constructor(
		atMs: number,
		tie: number,
		sequence: number,
		run: () => void,
		isQuiet: boolean,
		owner: object | null,
		dueMs: number,
	) {
		this.atMs = atMs;
		this.isQuiet = isQuiet;
		this.tie = tie;
		this.sequence = sequence;
		this.run = run;
		this.owner = owner;
		this.dueMs = dueMs;
	}
}

/** A binary heap. */
export class EventHeap {
	readonly #events: SimulatedEvent[] = [];
	#sequence = 0;

	get size(): number {
		return this.#events.length;
	}

	add(
		atMs: number,
		tie: number,
		run: () => void,
		isQuiet = false,
		owner: object | null = null,
		dueMs = 0,
	): SimulatedEvent {
		assert(this.#events.length < EVENTS_MAX, "a simulation has a bounded future");
		this.#sequence += 1;
		const event = new SimulatedEvent(atMs, tie, this.#sequence, run, isQuiet, owner, dueMs);
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

	/** Moves the timers of one owner to other times, given when they are due on its clock. */
	retime(owner: object, atMs: (dueMs: number) => number): void {
		for (const event of this.#events) if (event.owner === owner) event.atMs = atMs(event.dueMs);
		for (let at = (this.#events.length >> 1) - 1; at >= 0; at--) this.#sink(at);
	}

	#takeFirst(): void {
		const last = this.#events.pop();
		if (last === undefined || this.#events.length === 0) return;
		this.#events[0] = last;
		this.#sink(0);
	}

	#rise(from: number): void {
		const events = this.#events;
		const event = events[from] as SimulatedEvent;
		let at = from;
		while (at > 0) {
			const parent = (at - 1) >> 1;
			const above = events[parent] as SimulatedEvent;
			if (!isEarlier(event, above)) break;
			events[at] = above;
			at = parent;
		}
		events[at] = event;
	}

	#sink(from: number): void {
		const events = this.#events;
		const { length } = events;
		const event = events[from] as SimulatedEvent;
		let at = from;
		for (;;) {
			let child = 2 * at + 1;
			if (child >= length) break;
			const right = child + 1;
			if (right < length && isEarlier(events[right] as SimulatedEvent, events[child] as SimulatedEvent)) child = right;
			const below = events[child] as SimulatedEvent;
			if (!isEarlier(below, event)) break;
			events[at] = below;
			at = child;
		}
		events[at] = event;
	}
}

function isEarlier(x: SimulatedEvent, y: SimulatedEvent): boolean {
	if (x.atMs !== y.atMs) return x.atMs < y.atMs;
	return x.tie !== y.tie ? x.tie < y.tie : x.sequence < y.sequence;
}
