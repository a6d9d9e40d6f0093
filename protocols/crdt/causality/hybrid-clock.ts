/**
 * The hybrid logical clock (Kulkarni et al., OPODIS 2014): stamps that grow with every event of their replica and with everything
 * it has seen, and stay near physical time. Time is an input: the host says what its clock shows.
 */
import { clockAhead } from "../errors.ts";

/** A stamp: physical milliseconds first, then a counter of the events within one of them. */
export interface Stamp {
	readonly ms: number;
	readonly counter: number;
}

export const zeroStamp: Stamp = { ms: 0, counter: 0 };

/** How far a foreign stamp may be ahead of the host's clock before it is refused, by default: one minute. */
export const CLOCK_TOLERANCE_MS_DEFAULT = 60_000;

/** The order of stamps; writers of equal ones are ordered by `compareReplicas`. */
export function compareStamps(a: Stamp, b: Stamp): number {
	return a.ms - b.ms || a.counter - b.counter;
}

export class HybridClock {
	#last: Stamp;
	/** The latest time that the host has told, for judging foreign stamps; -1 before it has told any. */
	#nowMs = -1;
	readonly #toleranceMs: number;

	constructor(last: Stamp = zeroStamp, toleranceMs: number = CLOCK_TOLERANCE_MS_DEFAULT) {
		this.#last = last;
		this.#toleranceMs = toleranceMs;
	}

	/** The greatest stamp given or seen. */
	get last(): Stamp {
		return this.#last;
	}

	/** What the host's wall clock shows, in milliseconds; one that goes back is ignored. */
	advance(nowMs: number): void {
		this.#nowMs = Math.max(this.#nowMs, Math.floor(nowMs));
	}

	/** The stamp of a new event: greater than all that were given or seen. */
	next(): Stamp {
		this.#last =
			this.#nowMs > this.#last.ms
				? { ms: this.#nowMs, counter: 0 }
				: { ms: this.#last.ms, counter: this.#last.counter + 1 };
		return this.#last;
	}

	/**
	 * Whether a foreign stamp can be taken, before anything is changed.
	 * @throws QuorateError `crdt-clock-ahead` if the host has told its time and the stamp is too far ahead of it
	 */
	check(stamp: Stamp): void {
		if (this.#nowMs >= 0 && stamp.ms > this.#nowMs + this.#toleranceMs) {
			throw clockAhead({ stampMs: stamp.ms, nowMs: this.#nowMs, toleranceMs: this.#toleranceMs });
		}
	}

	/** Takes note of a foreign stamp, so that later own ones are greater. */
	see(stamp: Stamp): void {
		if (compareStamps(stamp, this.#last) > 0) this.#last = stamp;
	}
}
