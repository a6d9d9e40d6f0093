/** Rates with bursts: a bucket that fills steadily and is drawn from (Turner 1986). Time is the caller's. */
import { requireSetting } from "./finding.ts";

export interface TokenBucketOptions {
	/** Tokens that it holds; 1 to 10^9. */
	readonly capacity: number;
	/** Tokens that it gains a second; more than 0, up to 10^9. */
	readonly refillPerSecond: number;
}

export class TokenBucket {
	readonly #capacity: number;
	#refillPerMs: number;
	#tokens: number;
	#atMs: number;

	/** Full at `nowMs`. @throws QuorateError `detector-config-invalid` */
	constructor({ capacity, refillPerSecond }: TokenBucketOptions, nowMs: number) {
		requireSetting("capacity", capacity, 1, 1e9, false);
		requireSetting("refillPerSecond", refillPerSecond, Number.MIN_VALUE, 1e9, false);
		this.#capacity = capacity;
		this.#refillPerMs = refillPerSecond / 1_000;
		this.#tokens = capacity;
		this.#atMs = nowMs;
	}

	/** Draws `tokens` if they are there. */
	take(nowMs: number, tokens = 1): boolean {
		this.#refill(nowMs);
		if (this.#tokens < tokens) return false;
		this.#tokens -= tokens;
		return true;
	}

	/** Tokens at hand. */
	level(nowMs: number): number {
		this.#refill(nowMs);
		return this.#tokens;
	}

	/** Fills at another rate from now on. */
	setRefill(refillPerSecond: number, nowMs: number): void {
		requireSetting("refillPerSecond", refillPerSecond, Number.MIN_VALUE, 1e9, false);
		this.#refill(nowMs);
		this.#refillPerMs = refillPerSecond / 1_000;
	}

	#refill(nowMs: number): void {
		const passedMs = Math.max(0, nowMs - this.#atMs);
		this.#tokens = Math.min(this.#capacity, this.#tokens + passedMs * this.#refillPerMs);
		this.#atMs = Math.max(this.#atMs, nowMs);
	}
}
