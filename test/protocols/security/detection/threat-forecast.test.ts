/**
 * Goal: what followed what is learnt, told with its chance, scored, and forgotten (SEC-43). It fails when chance is taken for a pattern, a
 * pattern for certainty, or a burst for many incidents. Method: histories drawn from a known law, on a clock that the test moves.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import { THREAT_SUPPORT_MIN, ThreatForecaster } from "../../../../protocols/security/index.ts";

const kinds = ["sybil", "flood", "timing"] as const;
const HORIZON_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Every hour a sybil alert; a flood 20 s after it in `percent` of cases, else half an hour later; timing at random. */
function live(forecaster: ThreatForecaster, hours: number, percent: number, seed = 1, fromMs = 0): number {
	const dice = new Generator(seed, "incidents");
	for (let hour = 0; hour < hours; hour++) {
		const atMs = fromMs + hour * HOUR_MS;
		const follows = dice.below(100) < percent;
		const timingMs = dice.below(HOUR_MS);
		const incidents: [number, (typeof kinds)[number]][] = [
			[0, "sybil"],
			[follows ? 20_000 : HOUR_MS / 2, "flood"],
			[timingMs, "timing"],
		];
		incidents.sort(([a], [b]) => a - b);
		for (const [afterMs, kind] of incidents) forecaster.observe(kind, atMs + afterMs);
	}
	return fromMs + hours * HOUR_MS;
}

describe("a threat forecaster", () => {
	it("takes no coincidence for a pattern", () => {
		for (let seed = 1; seed <= 40; seed++) {
			const forecaster = new ThreatForecaster(kinds, 0);
			const nowMs = live(forecaster, 60, 0, seed);
			for (const kind of kinds) forecaster.observe(kind, nowMs);
			expect(forecaster.threats(nowMs), `seed ${seed}`).toEqual([]);
		}
	});

	it("tells what follows, how likely, and nothing of what comes by chance", () => {
		const forecaster = new ThreatForecaster(kinds, 0, { horizonMs: HORIZON_MS });
		const nowMs = live(forecaster, 100, 80);
		expect(forecaster.threats(nowMs)).toEqual([]);
		forecaster.observe("sybil", nowMs);
		const threats = forecaster.threats(nowMs + 1_000);
		expect(threats).toMatchObject([{ kind: "flood", after: "sybil", untilMs: nowMs + HORIZON_MS }]);
		expect(threats[0]?.probability).toBeGreaterThan(0.7);
		expect(threats[0]?.probability).toBeLessThan(0.9);
		// Once an hour, in times of a minute.
		expect(threats[0]?.baseRate).toBeGreaterThan(0.01);
		expect(threats[0]?.baseRate).toBeLessThan(0.03);
		expect(forecaster.threats(nowMs + HORIZON_MS + 1)).toEqual([]);
		expect(forecaster.skill).toBeGreaterThan(0.3);
	});

	it("expects no more of what has come already", () => {
		const forecaster = new ThreatForecaster(kinds, 0);
		const nowMs = live(forecaster, 50, 100);
		forecaster.observe("sybil", nowMs);
		forecaster.observe("flood", nowMs + 20_000);
		expect(forecaster.threats(nowMs + 20_001).map(({ kind }) => kind)).toEqual([]);
	});

	it("says nothing before enough has been seen", () => {
		const forecaster = new ThreatForecaster(kinds, 0);
		expect(forecaster.skill).toBeNull();
		let nowMs = live(forecaster, THREAT_SUPPORT_MIN - 1, 100);
		forecaster.observe("sybil", nowMs);
		expect(forecaster.threats(nowMs)).toEqual([]);
		// A week halves what was learnt, so that some more are needed.
		nowMs = live(forecaster, 2, 100, 1, nowMs + HOUR_MS);
		forecaster.observe("sybil", nowMs);
		expect(forecaster.threats(nowMs)).toMatchObject([{ kind: "flood" }]);
	});

	it("where nothing follows anything is no better than base rates, and says so", () => {
		const forecaster = new ThreatForecaster(kinds, 0);
		live(forecaster, 300, 0);
		expect(Math.abs(forecaster.skill ?? 1)).toBeLessThan(0.1);
	});

	it("takes a burst for one incident", () => {
		const forecaster = new ThreatForecaster(kinds, 0);
		for (let i = 0; i < 1_000; i++) forecaster.observe("sybil", i);
		forecaster.observe("flood", 1_000);
		forecaster.observe("sybil", 2_000);
		forecaster.observe("sybil", HOUR_MS);
		expect(forecaster.patterns.followed).toContainEqual(["sybil", "flood", expect.any(Number)]);
		expect(forecaster.patterns.trials.find(([kind]) => kind === "sybil")?.[1]).toBeLessThan(1.01);
		expect(forecaster.threats(HOUR_MS)).toEqual([]);
	});

	it("forgets what does not follow any more", () => {
		const forecaster = new ThreatForecaster(kinds, 0, { halfLifeMs: 24 * HOUR_MS });
		const nowMs = live(forecaster, 100, 100);
		const laterMs = live(forecaster, 24 * 10, 0, 1, nowMs);
		forecaster.observe("sybil", laterMs);
		expect(forecaster.threats(laterMs)).toEqual([]);
	});

	it("goes on after a restart with what it had learnt, faded by the time between", () => {
		const lived = new ThreatForecaster(kinds, 0);
		const nowMs = live(lived, 100, 100);
		const restarted = new ThreatForecaster(kinds, nowMs, {}, structuredClone(lived.patterns));
		for (const one of [lived, restarted]) one.observe("sybil", nowMs + 1);
		const [before, after] = [lived, restarted].map((one) => one.threats(nowMs + 1)[0]?.probability ?? 0);
		expect(before).toBeGreaterThan(0.7);
		expect(after).toBeCloseTo(before ?? 0, 2);
		const late = new ThreatForecaster(kinds, nowMs + 1_000 * HOUR_MS, {}, lived.patterns);
		late.observe("sybil", nowMs + 1_000 * HOUR_MS);
		expect(late.threats(nowMs + 1_000 * HOUR_MS)).toEqual([]);
	});

	it("stands still while the clock goes back", () => {
		const forecaster = new ThreatForecaster(kinds, 0);
		const nowMs = live(forecaster, 50, 100);
		forecaster.observe("sybil", nowMs);
		forecaster.observe("timing", 0);
		expect(forecaster.threats(0)).toMatchObject([{ kind: "flood", untilMs: nowMs + HORIZON_MS }]);
		expect(forecaster.patterns.atMs).toBe(nowMs);
	});

	it.each([{ horizonMs: 1 }, { horizonMs: 2_000, halfLifeMs: 1_999 }])("refuses %o", (options) => {
		expect(() => new ThreatForecaster(kinds, 0, options)).toThrow(
			expect.objectContaining({ code: "detector-config-invalid" }),
		);
	});
});
