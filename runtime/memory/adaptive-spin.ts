/**
 * How long a thread polls for work before it sleeps. Sleeping and being woken costs both sides some microseconds of
 * system calls, so where the next message comes sooner than that, polling is cheaper for everybody; where it does not, polling
 * steals a core from whoever would send it. So a thread learns from what it sees: it begins to poll after some sleeps in a
 * row that were short, each poll in vain halves the next one, down to none, and each trial that did not pay makes it wait
 * longer before the next. On a machine whose cores are all busy it so comes to poll hardly ever.
 */
import { assert } from "../../protocols/core/index.ts";

/** A spinner that is descheduled costs milliseconds; beyond this it can only lose. */
export const SPIN_MICROS_MAX = 50;
/** A budget below this is none: a look at the clock alone takes a good part of it. */
const SPIN_MICROS_MIN = 4;
/** A sleep is short up to so many polls: most of a short sleep is the waking itself, on both sides, which polling saves. */
const SHORT_SLEEP_POLLS = 2.5;
/** Short sleeps in a row that are needed before polling begins: at first, and after many trials that did not pay. */
const PATIENCE_MIN = 4;
const PATIENCE_MAX = 4_096;

export class AdaptiveSpin {
	readonly #microsMax: number;
	#micros = 0;
	#shortSleeps = 0;
	#patience = PATIENCE_MIN;
	/** Polls of this trial that found work, less those in vain. */
	#gain = 0;

	/** @param microsMax bound of one poll, 0 (never poll) to {@link SPIN_MICROS_MAX} microseconds */
	constructor(microsMax: number = SPIN_MICROS_MAX) {
		assert(microsMax >= 0 && microsMax <= SPIN_MICROS_MAX, "spinning is bounded", { microsMax });
		this.#microsMax = microsMax;
	}

	/** How long to poll now; 0 is not at all. */
	get micros(): number {
		return this.#micros;
	}

	/** The poll is over: it found work, or not. */
	polled(found: boolean): void {
		if (found) {
			this.#gain++;
			this.#micros = this.#microsMax;
			return;
		}
		this.#gain--;
		this.#micros /= 2;
		if (this.#micros < SPIN_MICROS_MIN) this.#endTrial();
	}

	/** The thread slept for so long until work came. */
	slept(micros: number): void {
		if (micros > this.#microsMax * SHORT_SLEEP_POLLS) this.#shortSleeps = 0;
		else if (++this.#shortSleeps >= this.#patience) {
			this.#shortSleeps = 0;
			this.#gain = 0;
			this.#micros = this.#microsMax;
		}
	}

	#endTrial(): void {
		this.#micros = 0;
		this.#shortSleeps = 0;
		this.#patience = this.#gain > 0 ? PATIENCE_MIN : Math.min(this.#patience * 2, PATIENCE_MAX);
	}
}
