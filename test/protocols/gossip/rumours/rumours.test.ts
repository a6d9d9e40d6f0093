/**
 * Goal: rumours spread and end as Demers et al. (PODC 1987, §1.4) say (GOS-2 to GOS-5, GOS-18, GOS-19). Method: the shipped
 * machine at 1,000 members with fixed seeds; residue and traffic against the paper's tables, spread against the measured law.
 */
import { describe, expect, it } from "vitest";
import { type RumourOutcome, runRumour } from "./rumour-crowd.ts";

const SEEDS = [1, 2, 3, 4];

function mean(outcomes: readonly RumourOutcome[], value: (outcome: RumourOutcome) => number): number {
	return outcomes.reduce((sum, outcome) => sum + value(outcome), 0) / outcomes.length;
}

describe("push, feedback, counter (Demers Table 1)", () => {
	// Residue and traffic for k = 1 … 3 as printed; a run's residue scatters by about a twentieth at k = 1, more above.
	it.each([
		[1, 0.18, 1.7],
		[2, 0.037, 3.3],
		[3, 0.011, 4.5],
	])("k = %i: residue %f, traffic %f", (k, residue, traffic) => {
		const outcomes = SEEDS.map((seed) => runRumour(seed, 1_000, { k }));
		expect(mean(outcomes, (outcome) => outcome.residue)).toBeGreaterThan(residue * 0.7);
		expect(mean(outcomes, (outcome) => outcome.residue)).toBeLessThan(residue * 1.4);
		expect(mean(outcomes, (outcome) => outcome.traffic)).toBeGreaterThan(traffic * 0.93);
		expect(mean(outcomes, (outcome) => outcome.traffic)).toBeLessThan(traffic * 1.07);
		expect(outcomes.every(({ hot }) => hot === 0)).toBe(true);
	});

	it("the residue is e^−traffic, for every way to lose interest", () => {
		for (const variation of ["feedback", "blind"] as const) {
			for (const interest of ["counter", "coin"] as const) {
				const outcomes = SEEDS.map((seed) => runRumour(seed, 1_000, { k: 2, variation, interest }));
				const law = Math.exp(-mean(outcomes, ({ traffic }) => traffic));
				expect(mean(outcomes, ({ residue }) => residue) / law, `${variation} ${interest}`).toBeGreaterThan(0.7);
				expect(mean(outcomes, ({ residue }) => residue) / law, `${variation} ${interest}`).toBeLessThan(1.4);
			}
		}
	});
});

describe("directions", () => {
	it("pull leaves fewer unheard than push at the same k (Demers §1.4.2)", () => {
		const residue = (direction: "push" | "pull"): number =>
			mean(
				SEEDS.map((seed) => runRumour(seed, 1_000, { k: 2, direction })),
				(outcome) => outcome.residue,
			);
		expect(residue("pull")).toBeLessThan(residue("push") / 5);
	});

	it("push-pull reaches those it reaches in fewer rounds than push (Karp et al. 2000)", () => {
		const rounds = (direction: "push" | "push-pull"): number =>
			mean(
				SEEDS.map((seed) => runRumour(seed, 1_000, { k: 4, direction })),
				(outcome) => outcome.rounds,
			);
		expect(rounds("push-pull")).toBeLessThan(rounds("push"));
	});

	it("rounds grow with the logarithm of the group (GOS-19)", () => {
		const rounds = (size: number): number =>
			mean(
				SEEDS.map((seed) => runRumour(seed, size, { k: 4, direction: "push-pull" })),
				(outcome) => outcome.rounds,
			);
		const [small, large] = [rounds(64), rounds(1_024)];
		// Four doublings more, so a constant more and not sixteen times as many.
		expect(large - small).toBeGreaterThan(1);
		expect(large).toBeLessThan(2.5 * small);
	});
});

describe("bounds", () => {
	it("a rumour ends by itself, with loss too", () => {
		for (const lossChance of [0, 0.3, 0.6]) expect(runRumour(5, 300, { k: 2 }, lossChance).hot).toBe(0);
	});

	it("the connection limit refuses contacts, and the rumour still spreads", () => {
		const free = runRumour(6, 1_000, { k: 3 });
		const limited = runRumour(6, 1_000, { k: 3, connectionLimit: 1 });
		expect(free.busy).toBe(0);
		expect(limited.busy).toBeGreaterThan(200);
		expect(limited.residue).toBeLessThan(0.2);
	});
});
