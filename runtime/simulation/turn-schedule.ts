/** Which thread runs first when several have something to do. */
import type { Generator } from "../../protocols/core/index.ts";
import type { ThreadSlot } from "../actor/index.ts";
import { type DurationRange, drawMs } from "./timeline.ts";

/** How long a thread's turn waits after it was asked for. */
export interface TurnSchedule {
	delayMs(slot: ThreadSlot): number;
}

/**
 * How turns are scheduled.
 * - `random` (the default): each wake-up takes a draw from `turnMs`.
 * - `priorities`: probabilistic concurrency testing (Burckhardt et al., ASPLOS 2010), on virtual time. Each thread has a
 *   drawn priority, and the lower it is the longer its turns wait, up to `windowMs`; so one thread keeps running while
 *   another does not get to. At `changePoints` drawn turns among the first `turnsExpected` the thread whose turn it is
 *   becomes the last of all. Orders that need few such changes are found more often than by independent draws.
 */
export type Scheduling =
	| { readonly type: "random" }
	| {
			readonly type: "priorities";
			readonly changePoints: number;
			readonly turnsExpected: number;
			/** Virtual milliseconds; default 5. */
			readonly windowMs?: number;
	  };

const WINDOW_MS_DEFAULT = 5;

export function turnSchedule(scheduling: Scheduling, generator: Generator, turnMs: DurationRange): TurnSchedule {
	if (scheduling.type === "random") return { delayMs: () => drawMs(generator, turnMs) };
	return new PriorityTurns(scheduling, generator, turnMs);
}

class PriorityTurns implements TurnSchedule {
	readonly #generator: Generator;
	readonly #turnMs: DurationRange;
	readonly #windowMs: number;
	/** Turns before which the priorities change. */
	readonly #changes: ReadonlySet<number>;
	/** From 0 (last) to 1 (first); a thread that a change point has put last is below 0, the latest lowest. */
	readonly #priorities = new Map<ThreadSlot, number>();
	#turns = 0;
	#lowest = 0;

	constructor(
		{ changePoints, turnsExpected, windowMs = WINDOW_MS_DEFAULT }: Extract<Scheduling, { type: "priorities" }>,
		generator: Generator,
		turnMs: DurationRange,
	) {
		this.#generator = generator;
		this.#turnMs = turnMs;
		this.#windowMs = windowMs;
		this.#changes = new Set(Array.from({ length: changePoints }, () => generator.below(turnsExpected)));
	}

	delayMs(slot: ThreadSlot): number {
		if (this.#changes.has(this.#turns)) {
			this.#lowest -= 1;
			this.#priorities.set(slot, this.#lowest);
		}
		this.#turns += 1;
		return drawMs(this.#generator, this.#turnMs) + this.#rankOf(slot) * this.#windowMs;
	}

	/** The share of the other threads that come before this one. */
	#rankOf(slot: ThreadSlot): number {
		const own = this.#priorities.get(slot) ?? this.#draw(slot);
		if (this.#priorities.size === 1) return 0;
		let before = 0;
		for (const priority of this.#priorities.values()) if (priority > own) before += 1;
		return before / (this.#priorities.size - 1);
	}

	#draw(slot: ThreadSlot): number {
		const priority = this.#generator.fraction();
		this.#priorities.set(slot, priority);
		return priority;
	}
}
