/**
 * Goal: quantiles within the promised error, and counts that are exact.
 * Method: sorted arrays as the second way; the buckets' borders exhaustively.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	bucketOf,
	bucketValue,
	HISTOGRAM_BUCKETS,
	HISTOGRAM_ERROR_MAX,
	HISTOGRAM_VALUE_MAX,
	Histogram,
} from "../../../runtime/memory/index.ts";

/** Spread over all magnitudes. */
const value = fc
	.tuple(fc.nat(31), fc.nat(2 ** 31 - 1))
	.map(([shift, bits]) => (bits >>> shift) * (shift === 0 ? 2 : 1));
const values = fc.array(value, { minLength: 1, maxLength: 400 });

function histogramOf(list: readonly number[]): Histogram {
	const histogram = new Histogram();
	for (const item of list) histogram.record(item);
	return histogram;
}

describe("a histogram", () => {
	it("gives every quantile within its error of the sorted array's", () => {
		fc.assert(
			fc.property(values, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 }), (list, parts) => {
				const histogram = histogramOf(list);
				const sorted = [...list].sort((a, b) => a - b);
				for (const part of [...parts, 0, 0.5, 0.99, 0.999, 1]) {
					const exact = sorted[Math.max(1, Math.ceil(part * list.length)) - 1] as number;
					expect(Math.abs(histogram.quantile(part) - exact)).toBeLessThanOrEqual(exact * HISTOGRAM_ERROR_MAX);
				}
			}),
			{ numRuns: 500 },
		);
	});

	it("counts, sums and keeps the largest exactly, also merged", () => {
		fc.assert(
			fc.property(values, values, (a, b) => {
				const merged = histogramOf(a);
				merged.merge(histogramOf(b));
				const both = [...a, ...b];
				expect(merged.count).toBe(both.length);
				expect(merged.sum).toBe(both.reduce((sum, item) => sum + item, 0));
				expect(merged.max).toBe(Math.max(...both));
				expect(merged.quantile(0.9)).toBe(histogramOf(both).quantile(0.9));
			}),
		);
	});

	it("has buckets without gap or overlap, each holding its middle", () => {
		let last = -1;
		for (let bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++) {
			expect(bucketOf(bucketValue(bucket))).toBe(bucket);
			expect(bucketValue(bucket)).toBeGreaterThan(last);
			last = bucketValue(bucket);
		}
		for (let octave = 5; octave < 32; octave++) {
			expect(bucketOf(2 ** octave)).toBe(bucketOf(2 ** octave - 1) + 1);
		}
		expect(bucketOf(HISTOGRAM_VALUE_MAX)).toBe(HISTOGRAM_BUCKETS - 1);
	});

	it("takes what lies outside its range into its first and last bucket", () => {
		expect([-5, Number.NaN, 0.9].map(bucketOf)).toEqual([0, 0, 0]);
		expect([2 ** 40, Number.POSITIVE_INFINITY].map(bucketOf)).toEqual([HISTOGRAM_BUCKETS - 1, HISTOGRAM_BUCKETS - 1]);
		expect(new Histogram()).toMatchObject({ count: 0, sum: 0, max: 0, mean: 0 });
		expect(new Histogram().quantile(0.5)).toBe(0);
	});
});
