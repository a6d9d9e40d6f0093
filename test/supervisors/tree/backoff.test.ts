/**
 * Goal: delays double between their bounds, are spread by jitter, and start over after a stable time.
 * Method: exact delays without jitter; bounds and spread with it, over random specs; a seed repeats.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import { attemptsLeft, type BackoffSpec, restartDelayMs } from "../../../supervisors/index.ts";

const spec: BackoffSpec = { minMs: 100, maxMs: 1_000, jitter: 0, stableMs: 5_000 };
const delays = (of: BackoffSpec, count: number, seed = 1): number[] => {
	const generator = new Generator(seed, "backoff");
	return Array.from({ length: count }, (_, attempts) => restartDelayMs(of, attempts, generator));
};

describe("restartDelayMs", () => {
	it("doubles from the minimum to the maximum", () => {
		expect(delays(spec, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
	});

	it("comes at once so many times before it waits", () => {
		expect(delays({ ...spec, immediate: 2 }, 5)).toEqual([0, 0, 100, 200, 400]);
	});

	it("stays finite after any number of attempts", () => {
		expect(restartDelayMs(spec, 1_000_000, new Generator(1))).toBe(1_000);
	});

	it("stretches by at most the jitter, and repeats with the seed", () => {
		const cases = fc.record({
			minMs: fc.integer({ min: 1, max: 1_000 }),
			factor: fc.integer({ min: 1, max: 100 }),
			jitter: fc.double({ min: 0, max: 1, noNaN: true }),
			seed: fc.nat(),
		});
		fc.assert(
			fc.property(cases, ({ minMs, factor, jitter, seed }) => {
				const jittered: BackoffSpec = { minMs, maxMs: minMs * factor, jitter, stableMs: 0 };
				const drawn = delays(jittered, 10, seed);
				expect(drawn).toEqual(delays(jittered, 10, seed));
				for (const [attempts, delayMs] of drawn.entries()) {
					const baseMs = Math.min(minMs * factor, minMs * 2 ** attempts);
					expect(delayMs).toBeGreaterThanOrEqual(baseMs);
					expect(delayMs).toBeLessThanOrEqual(baseMs * (1 + jitter));
				}
			}),
		);
	});

	it("does not return all at once those that failed together", () => {
		const together = Array.from({ length: 20 }, (_, seed) => delays({ ...spec, jitter: 0.5 }, 1, seed)[0]);
		expect(new Set(together).size).toBeGreaterThan(10);
	});
});

describe("attemptsLeft", () => {
	it("forgets earlier attempts after a stable time, and not a moment sooner", () => {
		expect(attemptsLeft(spec, 7, 4_999)).toBe(7);
		expect(attemptsLeft(spec, 7, 5_000)).toBe(0);
	});
});
