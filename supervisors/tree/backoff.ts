/**
 * Exponential backoff with jitter, as Akka's `restartWithBackoff`: a child that fails again soon waits longer each time,
 * by an uneven amount, so that children that failed together do not return together. One that ran long enough starts
 * over. OTP has no backoff on purpose: combine it with an intensity that survives the first delays.
 */
import type { Generator } from "../../protocols/core/index.ts";

export interface BackoffSpec {
	/** The first delay: milliseconds, 1 to 86,400,000. */
	readonly minMs: number;
	/** Delays double up to this one; `minMs` to 86,400,000. */
	readonly maxMs: number;
	/** Each delay is stretched by up to this fraction of itself, drawn anew each time; 0 to 1. */
	readonly jitter: number;
	/** A child that ran this long since its last start has recovered: its count of attempts returns to 0. 0 to 86,400,000. */
	readonly stableMs: number;
	/** This many restarts in a row come without delay before the first one waits; 0 to 100; default 0. */
	readonly immediate?: number;
}

/** `min(maxMs, minMs · 2^(attempts − immediate)) · (1 + jitter · u)`, `u` uniform in [0, 1), in whole milliseconds. */
export function restartDelayMs(spec: BackoffSpec, attempts: number, generator: Generator): number {
	const delayed = attempts - (spec.immediate ?? 0);
	if (delayed < 0) return 0;
	const base = Math.min(spec.maxMs, spec.minMs * 2 ** delayed);
	return Math.floor(base * (1 + spec.jitter * generator.fraction()));
}

/** The attempts that still count when a child fails that ran for `ranMs`. */
export function attemptsLeft(spec: BackoffSpec, attempts: number, ranMs: number): number {
	return ranMs >= spec.stableMs ? 0 : attempts;
}
