/**
 * Push-sum (Kempe, Dobra, Gehrke, FOCS 2003): every member learns the average of all members' values, or their number or sum,
 * by halving what it holds and giving one half away. The invariant is mass: halves are never made up, so whoever sends takes the half
 * out of its own at once, and a lost message is lost mass. With transport that loses, restart it from time to time (epochs).
 */
import { assert } from "../../core/index.ts";

/** A part of the mass, on its way or held. */
export interface Mass {
	readonly sum: number;
	readonly weight: number;
}

/**
 * One member's part in one epoch. For the average of all values every member has weight 1; for their sum, one member has
 * weight 1 and all others 0; for the number of members, besides that every value is 1.
 */
export class PushSum {
	readonly epoch: number;
	#sum: number;
	#weight: number;
	/** Estimates of the last rounds, for {@link PushSum.isSettled}. */
	#recent: number[] = [];

	constructor(epoch: number, { sum, weight }: Mass) {
		assert(Number.isFinite(sum) && weight >= 0 && Number.isFinite(weight), "mass is finite");
		this.epoch = epoch;
		this.#sum = sum;
		this.#weight = weight;
	}

	/** Takes half of the mass out, to be sent to one member; once a round. */
	give(): Mass {
		this.#recent = [...this.#recent, this.estimate].slice(-RECENT_ROUNDS);
		const half = { sum: this.#sum / 2, weight: this.#weight / 2 };
		this.#sum = half.sum;
		this.#weight = half.weight;
		return half;
	}

	/** Takes mass that was sent in this epoch; what cannot be mass is refused. */
	take(epoch: number, { sum, weight }: Mass): boolean {
		if (epoch !== this.epoch || !Number.isFinite(sum) || !Number.isFinite(weight) || weight < 0) return false;
		this.#sum += sum;
		this.#weight += weight;
		return true;
	}

	/** NaN while this member has no weight. */
	get estimate(): number {
		return this.#weight > 0 ? this.#sum / this.#weight : Number.NaN;
	}

	get mass(): Mass {
		return { sum: this.#sum, weight: this.#weight };
	}

	/** Whether the estimate has moved by less than this share over the last rounds: converged as far as this member can see. */
	isSettled(share = 0.001): boolean {
		if (this.#recent.length < RECENT_ROUNDS) return false;
		const [low, high] = [Math.min(...this.#recent), Math.max(...this.#recent)];
		return high - low <= share * Math.abs(high);
	}
}

const RECENT_ROUNDS = 5;
