/**
 * Log-linear histograms (after HdrHistogram): 32 buckets for each power of two, so a quantile is off by at most 1/64
 * of its value (values below 32 are exact). Values are whole numbers in [0, 2^32): in microseconds that is up to 71
 * minutes. 896 buckets, 7 KiB.
 */
import { assert } from "../../protocols/core/index.ts";

const SUB_BUCKET_BITS = 5;
const SUB_BUCKETS: number = 2 ** SUB_BUCKET_BITS;
export const HISTOGRAM_BUCKETS: number = (32 - SUB_BUCKET_BITS + 1) * SUB_BUCKETS;
/** Larger values are counted in the last bucket; `max` keeps them as they are. */
export const HISTOGRAM_VALUE_MAX: number = 2 ** 32 - 1;
/** The most that {@link Histogram.quantile} is off, relative to the exact value. */
export const HISTOGRAM_ERROR_MAX: number = 1 / (2 * SUB_BUCKETS);

/** Words of a histogram: count, sum, max, and the buckets. */
export const HISTOGRAM_WORDS: number = 3 + HISTOGRAM_BUCKETS;
const COUNT = 0;
const SUM = 1;
const MAX = 2;
const BUCKETS = 3;

/** The bucket of a value. */
export function bucketOf(value: number): number {
	// Fractions are cut off; what is negative or no number counts as 0.
	const whole = value >= HISTOGRAM_VALUE_MAX ? HISTOGRAM_VALUE_MAX : value > 0 ? value >>> 0 : 0;
	if (whole < SUB_BUCKETS) return whole;
	const octave = 31 - Math.clz32(whole) - SUB_BUCKET_BITS;
	return (octave + 1) * SUB_BUCKETS + ((whole >>> octave) & (SUB_BUCKETS - 1));
}

/** The middle of a bucket: the value it stands for. */
export function bucketValue(bucket: number): number {
	if (bucket < SUB_BUCKETS) return bucket;
	const octave = (bucket >>> SUB_BUCKET_BITS) - 1;
	const width = 2 ** octave;
	return ((bucket & (SUB_BUCKETS - 1)) + SUB_BUCKETS) * width + (width - 1) / 2;
}

/** A histogram on words that may be shared; one writer at a time. */
export class Histogram {
	readonly #words: Float64Array;
	readonly #at: number;

	/** @param words where it lives, from `at` on; private and empty by default */
	constructor(words: Float64Array = new Float64Array(HISTOGRAM_WORDS), at = 0) {
		assert(at + HISTOGRAM_WORDS <= words.length, "a histogram lies in its words");
		this.#words = words;
		this.#at = at;
	}

	/** Counts one value; what is negative or no number, as 0. Takes some 5 ns and allocates nothing. */
	record(value: number): void {
		const words = this.#words;
		const at = this.#at;
		words[at + BUCKETS + bucketOf(value)]! += 1;
		if (value > 0) words[at + SUM]! += value;
		if (value > words[at + MAX]!) words[at + MAX] = value;
		// Last, so that a reader never counts a value that it does not find.
		words[at + COUNT]! += 1;
	}

	/** Adds what another histogram holds. */
	merge(other: Histogram): void {
		for (let i = 0; i < HISTOGRAM_WORDS; i++) {
			const theirs = other.#words[other.#at + i] as number;
			if (i === MAX) this.#words[this.#at + i] = Math.max(this.max, theirs);
			else this.#words[this.#at + i]! += theirs;
		}
	}

	get count(): number {
		return this.#words[this.#at + COUNT] as number;
	}

	get sum(): number {
		return this.#words[this.#at + SUM] as number;
	}

	/** The largest value, exactly; 0 if there is none. */
	get max(): number {
		return this.#words[this.#at + MAX] as number;
	}

	/** 0 if there is none. */
	get mean(): number {
		return this.count === 0 ? 0 : this.sum / this.count;
	}

	/**
	 * The value that the given part of all values does not exceed (nearest rank), within {@link HISTOGRAM_ERROR_MAX}.
	 * @param part in [0, 1]; 0.99 for the 99th percentile
	 * @returns 0 if there is no value
	 */
	quantile(part: number): number {
		assert(part >= 0 && part <= 1, "a quantile is in [0, 1]", { part });
		const rank = Math.max(1, Math.ceil(part * this.count));
		let seen = 0;
		for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
			seen += this.#words[this.#at + BUCKETS + bucket] as number;
			if (seen >= rank) return Math.min(bucketValue(bucket), this.max);
		}
		return this.max;
	}
}
