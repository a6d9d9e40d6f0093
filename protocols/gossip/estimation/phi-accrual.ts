/**
 * The φ accrual failure detector (Hayashibara, Défago, Yared, Katayama, SRDS 2004): instead of a verdict, a scale of suspicion
 * that adapts to how regular a member's heartbeats are. φ is −log10 of the chance that a heartbeat comes later than now; each unit is
 * one decade less of wrong suspicion.
 *
 * The chance is that of a normal distribution over the last intervals, by the logistic approximation that Akka uses. Times are
 * given by the caller, so the detector has no clock; it stands beside SWIM as another judge of the same heartbeats.
 */
import { assert, type MonotonicMs } from "../../core/index.ts";
import { requireNumberField } from "../bounds.ts";

export interface PhiConfig {
	/** φ from which a member is suspected. Default 8; bounds 0.1 to 100. */
	readonly threshold: number;
	/** Intervals that are remembered. Default 1,000; bounds 1 to 100,000. */
	readonly windowSize: number;
	/** The least standard deviation, in ms: a very regular past must not make a little jitter a death. Default 100. */
	readonly deviationMsMin: number;
	/** A pause that is always forgiven, in ms. Default 3,000 (a garbage collection); bounds 0 to 600,000. */
	readonly acceptablePauseMs: number;
	/** The first interval that is assumed, in ms. Default 1,000. */
	readonly firstIntervalMs: number;
}

export class PhiDetector {
	readonly #config: PhiConfig;
	readonly #intervals: number[] = [];
	/** Where the next interval is written. */
	#next = 0;
	#sum = 0;
	#squares = 0;
	#lastAtMs: MonotonicMs | null = null;

	/** @throws QuorateError `gossip-config-invalid` */
	constructor(given: Partial<PhiConfig> = {}) {
		const config: PhiConfig = {
			threshold: 8,
			windowSize: 1_000,
			deviationMsMin: 100,
			acceptablePauseMs: 3_000,
			firstIntervalMs: 1_000,
			...given,
		};
		requireNumberField("threshold", config.threshold, [0.1, 100]);
		requireNumberField("windowSize", config.windowSize, [1, 100_000]);
		requireNumberField("deviationMsMin", config.deviationMsMin, [0.001, 600_000]);
		requireNumberField("acceptablePauseMs", config.acceptablePauseMs, [0, 600_000]);
		requireNumberField("firstIntervalMs", config.firstIntervalMs, [1, 600_000]);
		this.#config = config;
		// Two intervals a quarter to either side, so that there is a deviation before there is a past.
		this.#add(config.firstIntervalMs * 0.75);
		this.#add(config.firstIntervalMs * 1.25);
	}

	/** A heartbeat has come. Times never go back. */
	heartbeat(nowMs: MonotonicMs): void {
		assert(this.#lastAtMs === null || nowMs >= this.#lastAtMs, "time goes on");
		// After a suspicion the gap says something about the failure and nothing about the rhythm.
		if (this.#lastAtMs !== null && !this.isSuspected(nowMs)) this.#add(nowMs - this.#lastAtMs);
		this.#lastAtMs = nowMs;
	}

	/** How strongly the member is suspected: 0 and more. Before the first heartbeat, 0. */
	phi(nowMs: MonotonicMs): number {
		if (this.#lastAtMs === null) return 0;
		const count = this.#intervals.length;
		const mean = this.#sum / count;
		const variance = Math.max(0, this.#squares / count - mean * mean);
		const deviation = Math.max(this.#config.deviationMsMin, Math.sqrt(variance));
		const y = (nowMs - this.#lastAtMs - mean - this.#config.acceptablePauseMs) / deviation;
		// 1 − F(y) of the normal distribution is 1 / (1 + e^(y (1.5976 + 0.070566 y²))); its −log10, without overflow.
		const exponent = y * (1.5976 + 0.070566 * y * y);
		return exponent > 30 ? exponent / Math.LN10 : Math.log1p(Math.exp(exponent)) / Math.LN10;
	}

	isSuspected(nowMs: MonotonicMs): boolean {
		return this.phi(nowMs) >= this.#config.threshold;
	}

	#add(interval: number): void {
		const { windowSize } = this.#config;
		const old = this.#intervals[this.#next];
		if (old !== undefined) {
			this.#sum -= old;
			this.#squares -= old * old;
		}
		this.#intervals[this.#next] = interval;
		this.#sum += interval;
		this.#squares += interval * interval;
		this.#next = (this.#next + 1) % windowSize;
	}
}
