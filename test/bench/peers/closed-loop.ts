/** A closed loop: so many clients, each with one operation outstanding, for a fixed time. */
import { createHistogram } from "node:perf_hooks";

export interface LoopResult {
	readonly operations: number;
	readonly perSecond: number;
	readonly p50Ms: number;
	readonly p99Ms: number;
}

/**
 * Runs `operation` with `clients` outstanding, for `warmUpMs` unmeasured and then for `measureMs`. Only operations that
 * ended within the measured time count.
 */
export async function closedLoop(
	clients: number,
	warmUpMs: number,
	measureMs: number,
	operation: (client: number) => Promise<unknown>,
): Promise<LoopResult> {
	const histogram = createHistogram();
	const startMs = performance.now() + warmUpMs;
	const endMs = startMs + measureMs;
	await Promise.all(
		Array.from({ length: clients }, async (_, client) => {
			for (;;) {
				const sentMs = performance.now();
				if (sentMs >= endMs) return;
				await operation(client);
				const doneMs = performance.now();
				if (doneMs >= startMs && doneMs < endMs) histogram.record(Math.max(1, Math.round((doneMs - sentMs) * 1_000)));
			}
		}),
	);
	return {
		operations: histogram.count,
		perSecond: (histogram.count * 1_000) / measureMs,
		p50Ms: histogram.percentile(50) / 1_000,
		p99Ms: histogram.percentile(99) / 1_000,
	};
}

/** The middle one of an odd number of values, the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length / 2;
	return sorted.length % 2 === 1
		? (sorted[Math.floor(middle)] ?? Number.NaN)
		: ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}
