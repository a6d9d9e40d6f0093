/**
 * Goal: the window of restarts is OTP's: more than `intensity` within `period`, not one sooner or later.
 * Method: OTP's own examples, then random restarts against a model that keeps every restart for ever and counts.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EMPTY_WINDOW, recordRestart } from "../../../supervisors/index.ts";

/** Feeds the restarts until one is too many; returns its index, or null. */
function firstExceeding(timesMs: readonly number[], intensity: number, periodMs: number): number | null {
	let window = EMPTY_WINDOW;
	for (const [index, atMs] of timesMs.entries()) {
		const recorded = recordRestart(window, atMs, intensity, periodMs);
		if (recorded.exceeded) return index;
		window = recorded.window;
	}
	return null;
}

describe("restart intensity", () => {
	it("of 1 in 5 s tolerates one restart and gives up at the second within 5 s", () => {
		expect(firstExceeding([0, 4_999], 1, 5_000)).toBe(1);
		expect(firstExceeding([0, 5_001, 10_002], 1, 5_000)).toBeNull();
	});

	it("counts a restart that is exactly one period old", () => {
		expect(firstExceeding([0, 5_000], 1, 5_000)).toBe(1);
	});

	it("of 0 allows no restart at all", () => {
		expect(firstExceeding([123], 0, 1)).toBe(0);
	});

	it("slides: it does not start anew with each period", () => {
		expect(firstExceeding([0, 900, 1_100, 1_700], 2, 1_000)).toBe(3);
	});

	it("decides as a model that forgets nothing", () => {
		const cases = fc.record({
			intensity: fc.integer({ min: 0, max: 6 }),
			periodMs: fc.integer({ min: 1, max: 50 }),
			gaps: fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 60 }),
		});
		fc.assert(
			fc.property(cases, ({ intensity, periodMs, gaps }) => {
				let nowMs = 0;
				const timesMs = gaps.map((gapMs) => (nowMs += gapMs));
				const model = timesMs.findIndex((endMs, index) => {
					const within = timesMs.slice(0, index + 1).filter((atMs) => atMs >= endMs - periodMs);
					return within.length > intensity;
				});
				expect(firstExceeding(timesMs, intensity, periodMs)).toBe(model === -1 ? null : model);
			}),
		);
	});

	it("keeps no more restarts than it needs", () => {
		fc.assert(
			fc.property(fc.array(fc.nat(10), { maxLength: 100 }), fc.nat(5), (gaps, intensity) => {
				let window = EMPTY_WINDOW;
				let nowMs = 0;
				for (const gapMs of gaps) {
					nowMs += gapMs;
					const recorded = recordRestart(window, nowMs, intensity, 20);
					expect(recorded.window.length).toBeLessThanOrEqual(intensity + 1);
					if (recorded.exceeded) return;
					window = recorded.window;
				}
			}),
		);
	});
});
