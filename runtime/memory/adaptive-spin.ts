/**
 * How long a thread polls for work before it sleeps. Sleeping and being woken costs some microseconds of system calls on
 * one machine and a hundred on another (a virtual one, whose idle cores sleep deeply). Where the next message comes sooner
 * than that, polling is cheaper for everybody; where it does not, polling steals a core from whoever would send it.
 *
 * So a thread learns from what it sees:
 * 1. What being woken costs: whoever rings says when. Polling for about as long as that is never much worse than the
 *    better of polling and sleeping (the bound of two of ski rental), so that is the budget of one poll.
 * 2. Whether it pays: it begins to poll after some sleeps in a row in which the ring came within the budget. Each poll in
 *    vain halves the next one, down to none, and each trial that did not pay makes it wait longer before the next.
 *
 * On a machine whose cores are all busy it so comes to poll hardly ever.
 */
import { assert } from "../../protocols/core/index.ts";

/** The budget of one poll, whatever waking costs: beyond this a spinner that is descheduled can only lose. */
export const SPIN_MICROS_MAX = 250;
/** The budget where waking is cheap or its cost is not known yet. */
export const SPIN_MICROS_MIN = 50;
/**
 * A budget for each microsecond of a wake-up. More than one: who is asked may have to be woken first, and that wake-up must
 * fit into the poll of who asks, or both go on sleeping.
 */
const MICROS_PER_WAKE_UP_MICRO = 1.5;
/** Below this a poll is over: a look at the clock alone takes a good part of it. */
const POLL_MICROS_MIN = 4;
/** How much one wake-up counts in the average. */
const WAKE_UP_WEIGHT = 1 / 8;
/** Short sleeps in a row that are needed before polling begins: at first, and after many trials that did not pay. */
const PATIENCE_MIN = 4;
const PATIENCE_MAX = 4_096;

export class AdaptiveSpin {
	#micros = 0;
	#budgetMicros = SPIN_MICROS_MIN;
	#wakeUpMicros = 0;
	#shortSleeps = 0;
	#patience = PATIENCE_MIN;
	/** Polls of this trial that found work, less those in vain. */
	#gain = 0;

	/** How long to poll now; 0 is not at all. */
	get micros(): number {
		return this.#micros;
	}

	/** The poll is over: it found work, or not. */
	polled(found: boolean): void {
		if (found) {
			this.#gain++;
			this.#micros = this.#budgetMicros;
			return;
		}
		this.#gain--;
		this.#micros /= 2;
		if (this.#micros < POLL_MICROS_MIN) this.#endTrial();
	}

	/**
	 * The thread slept for so long until work came.
	 * @param wakeUpMicros how much of it passed between the ring and the waking; what can not be (negative, or more than all
	 * of it: nobody rang) counts as none
	 */
	slept(micros: number, wakeUpMicros: number): void {
		assert(micros >= 0, "a sleep takes time", { micros });
		const wakeUp = wakeUpMicros >= 0 && wakeUpMicros <= micros ? wakeUpMicros : 0;
		if (wakeUp > 0) this.#learn(wakeUp);
		if (micros - wakeUp > this.#budgetMicros) this.#shortSleeps = 0;
		else if (++this.#shortSleeps >= this.#patience) {
			this.#shortSleeps = 0;
			this.#gain = 0;
			this.#micros = this.#budgetMicros;
		}
	}

	#learn(wakeUpMicros: number): void {
		// One that was kept from a busy core for milliseconds says little about the next.
		const counted = Math.min(wakeUpMicros, SPIN_MICROS_MAX);
		this.#wakeUpMicros += (counted - this.#wakeUpMicros) * WAKE_UP_WEIGHT;
		const budget = this.#wakeUpMicros * MICROS_PER_WAKE_UP_MICRO;
		this.#budgetMicros = Math.min(Math.max(budget, SPIN_MICROS_MIN), SPIN_MICROS_MAX);
	}

	#endTrial(): void {
		this.#micros = 0;
		this.#shortSleeps = 0;
		this.#patience = this.#gain > 0 ? PATIENCE_MIN : Math.min(this.#patience * 2, PATIENCE_MAX);
	}
}
