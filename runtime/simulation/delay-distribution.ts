/** How long things take: distributions of virtual milliseconds, drawn from a generator. */
import type { Generator } from "../../protocols/core/index.ts";

/** Delays are cut here, so that a long tail does not outlive a run. */
export const DELAY_MS_MAX = 600_000;

/**
 * The curved ones use the floating-point functions of the machine, whose last bits may differ between versions of V8: a
 * seed replays on the version that a report names.
 */
export type DelayDistribution =
	| { readonly type: "constant"; readonly ms: number }
	| { readonly type: "uniform"; readonly min: number; readonly max: number }
	/** Never less than `minMs`, and `meanMs` more on average. */
	| { readonly type: "exponential"; readonly meanMs: number; readonly minMs?: number }
	/** By mean and standard deviation of the delay itself, as round trips over the Internet look. */
	| { readonly type: "lognormal"; readonly meanMs: number; readonly jitterMs: number };

/** Why a distribution can not be drawn from; null if it can. */
export function problemOf(distribution: DelayDistribution): string | null {
	const isDelay = (ms: number): boolean => ms >= 0 && ms <= DELAY_MS_MAX;
	switch (distribution.type) {
		case "constant":
			return isDelay(distribution.ms) ? null : `ms is ${distribution.ms}`;
		case "uniform": {
			const { min, max } = distribution;
			return isDelay(min) && isDelay(max) && min <= max ? null : `the range is ${min} to ${max}`;
		}
		case "exponential": {
			const { meanMs, minMs = 0 } = distribution;
			return isDelay(meanMs) && isDelay(minMs) ? null : `mean and least are ${meanMs} and ${minMs}`;
		}
		case "lognormal": {
			const { meanMs, jitterMs } = distribution;
			return isDelay(meanMs) && meanMs > 0 && isDelay(jitterMs)
				? null
				: `mean and jitter are ${meanMs} and ${jitterMs}`;
		}
		default:
			return `there is no type ${String((distribution as { readonly type?: unknown }).type)}`;
	}
}

/** One delay. The draw 0 gives the shortest one, but of the lognormal, where it gives one in the middle. */
export function drawDelayMs(generator: Generator, distribution: DelayDistribution): number {
	switch (distribution.type) {
		case "constant":
			return distribution.ms;
		case "uniform":
			return distribution.min + generator.fraction() * (distribution.max - distribution.min);
		case "exponential":
			return cut((distribution.minMs ?? 0) - distribution.meanMs * Math.log(1 - generator.fraction()));
		case "lognormal": {
			const { meanMs, jitterMs } = distribution;
			const variance = Math.log(1 + (jitterMs / meanMs) ** 2);
			return cut(meanMs * Math.exp(Math.sqrt(variance) * drawNormal(generator) - variance / 2));
		}
	}
}

/** Box and Muller 1958. */
function drawNormal(generator: Generator): number {
	const radius = Math.sqrt(-2 * Math.log(1 - generator.fraction()));
	return radius * Math.cos(2 * Math.PI * generator.fraction());
}

function cut(ms: number): number {
	return Math.min(ms, DELAY_MS_MAX);
}
