/**
 * Goal: a thread polls where it pays and hardly ever where it does not.
 * Method: the sleeps and polls of both kinds of machine are played to the policy, and the polling it asks for is counted.
 */
import { describe, expect, it } from "vitest";
import { AdaptiveSpin, SPIN_MICROS_MAX } from "../../../runtime/memory/index.ts";

const SHORT_MICROS = 20;
const LONG_MICROS = 2_000;

/** Plays rounds of waiting; work comes after so many microseconds, to a poll or to a sleep. */
function play(spin: AdaptiveSpin, rounds: number, workAfterMicros: number, pollsFind: boolean): number {
	let polledMicros = 0;
	for (let round = 0; round < rounds; round++) {
		if (spin.micros > 0) {
			const found = pollsFind && workAfterMicros <= spin.micros;
			polledMicros += found ? workAfterMicros : spin.micros;
			spin.polled(found);
			if (found) continue;
		}
		spin.slept(workAfterMicros);
	}
	return polledMicros;
}

describe("AdaptiveSpin", () => {
	it("does not poll before it has seen short sleeps", () => {
		const spin = new AdaptiveSpin();
		expect(play(spin, 1_000, LONG_MICROS, true)).toBe(0);
		expect(spin.micros).toBe(0);
	});

	it("polls all the time where polling finds work", () => {
		const spin = new AdaptiveSpin();
		expect(play(spin, 1_000, SHORT_MICROS, true)).toBeGreaterThan(900 * SHORT_MICROS);
		expect(spin.micros).toBe(SPIN_MICROS_MAX);
	});

	it("stops within a few polls when work stops coming", () => {
		const spin = new AdaptiveSpin();
		play(spin, 100, SHORT_MICROS, true);
		expect(play(spin, 1_000, LONG_MICROS, true)).toBeLessThan(2 * SPIN_MICROS_MAX);
		expect(spin.micros).toBe(0);
	});

	it("gives polling up where sleeps are short but polls find nothing, as on busy cores", () => {
		const spin = new AdaptiveSpin();
		const rounds = 100_000;
		const polledMicros = play(spin, rounds, SHORT_MICROS, false);
		expect(polledMicros).toBeLessThan(0.03 * rounds * SHORT_MICROS);
	});

	it("tries again soon when polling paid before", () => {
		const spin = new AdaptiveSpin();
		play(spin, 100, SHORT_MICROS, true);
		play(spin, 10, LONG_MICROS, true);
		expect(play(spin, 10, SHORT_MICROS, true)).toBeGreaterThan(0);
	});

	it("never polls when told so", () => {
		expect(play(new AdaptiveSpin(0), 1_000, SHORT_MICROS, true)).toBe(0);
	});
});
