/**
 * Goal: what is needed of a long run is kept, in bounded memory. Method: more events than there is room for.
 */
import { describe, expect, it } from "vitest";
import { EVENTS_KEPT_MAX, Recorder } from "../../../supervisors/chaos/recorder.ts";
import type { TargetEvent } from "../../../supervisors/index.ts";

const event = (atMs: number, type = "tick", more: Partial<TargetEvent> = {}): TargetEvent => ({
	...{ atMs, origin: "node-1", type, text: "" },
	...more,
});
const times = (recorder: Recorder): readonly number[] => recorder.events().map(({ atMs }) => atMs);

describe("Recorder", () => {
	it("keeps the last events in order", () => {
		const recorder = new Recorder((property) => property !== "calm");
		for (let atMs = 0; atMs < 3; atMs++) recorder.observe(event(atMs));
		expect(times(recorder)).toEqual([0, 1, 2]);
		for (let atMs = 3; atMs < 1_000; atMs++) recorder.observe(event(atMs));
		expect(times(recorder)).toHaveLength(EVENTS_KEPT_MAX);
		expect(times(recorder)[0]).toBe(1_000 - EVENTS_KEPT_MAX);
		expect(times(recorder).at(-1)).toBe(999);
		expect(recorder.seen).toBe(1_000);
	});

	it("keeps what led to a violation, whatever comes after it", () => {
		const recorder = new Recorder((property) => property !== "calm");
		for (let atMs = 0; atMs < 9; atMs++) recorder.observe(event(atMs));
		recorder.observe(event(9, "violated", { values: { property: "calm" } }));
		expect(recorder.violated).toBeNull();
		recorder.observe(event(10, "violated", { values: { property: "safe" } }));
		for (let atMs = 11; atMs < 5_000; atMs++) recorder.observe(event(atMs));
		recorder.observe(event(5_000, "violated", { values: { property: "other" } }));
		expect(times(recorder)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
		expect(recorder.violated).toBe("safe");
		expect(recorder.seen).toBe(5_001);
	});

	it("knows who led when, several at once too, and the highest term so far", () => {
		const recorder = new Recorder((property) => property !== "calm");
		const elected = (atMs: number, origin: string, term: number): void =>
			recorder.observe(event(atMs, "leader-elected", { origin, values: { term } }));
		elected(1, "a", 1);
		elected(5, "b", 2);
		recorder.observe(event(7, "leader-lost", { origin: "a" }));
		recorder.observe(event(8, "leader-lost", { origin: "c" }));
		elected(9, "b", 4);
		recorder.observe(event(10, "term", { origin: "a", values: { term: 3 } }));
		expect(recorder.leaders()).toEqual([
			{ node: "a", term: 1, fromMs: 1, toMs: 7 },
			{ node: "b", term: 2, fromMs: 5, toMs: 9 },
			{ node: "b", term: 4, fromMs: 9, toMs: null },
		]);
		expect(recorder.terms.map(({ term }) => term)).toEqual([1, 2, 4]);
	});
});
