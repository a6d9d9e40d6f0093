/**
 * Goal: a thread polls where it pays, for as long as waking costs on its machine, and hardly ever where it does not.
 * Method: the sleeps and polls of several kinds of machine are played to the policy, and the polling it asks for is counted.
 */
import { describe, expect, it } from "vitest";
import { AdaptiveSpin, SPIN_MICROS_MAX, SPIN_MICROS_MIN } from "../../../runtime/memory/index.ts";

const SHORT_MICROS = 20;
const LONG_MICROS = 2_000;

interface Machine {
	/** Work is rung for so long after the thread has begun to wait, */
	readonly workAfterMicros: number;
	/** and a sleeper is up so much later. */
	readonly wakeUpMicros?: number;
	/** False where whoever would send waits for the core of who polls. */
	readonly pollsFind: boolean;
}

/** Plays rounds of waiting; returns the microseconds that were polled. */
function play(spin: AdaptiveSpin, rounds: number, { workAfterMicros, wakeUpMicros = 5, pollsFind }: Machine): number {
	let polledMicros = 0;
	for (let round = 0; round < rounds; round++) {
		if (spin.micros > 0) {
			const found = pollsFind && workAfterMicros <= spin.micros;
			polledMicros += found ? workAfterMicros : spin.micros;
			spin.polled(found);
			if (found) continue;
		}
		spin.slept(workAfterMicros + wakeUpMicros, wakeUpMicros);
	}
	return polledMicros;
}

const busy: Machine = { workAfterMicros: SHORT_MICROS, pollsFind: true };
const idle: Machine = { workAfterMicros: LONG_MICROS, pollsFind: true };

describe("AdaptiveSpin", () => {
	it("does not poll before it has seen short sleeps", () => {
		const spin = new AdaptiveSpin();
		expect(play(spin, 1_000, idle)).toBe(0);
		expect(spin.micros).toBe(0);
	});

	it("polls all the time where polling finds work", () => {
		const spin = new AdaptiveSpin();
		expect(play(spin, 1_000, busy)).toBeGreaterThan(900 * SHORT_MICROS);
		expect(spin.micros).toBe(SPIN_MICROS_MIN);
	});

	it("polls where work comes later than a cheap wake-up would justify, but not than this machine's", () => {
		const dear: Machine = { workAfterMicros: 110, wakeUpMicros: 100, pollsFind: true };
		const spin = new AdaptiveSpin();
		expect(play(spin, 1_000, dear)).toBeGreaterThan(900 * 110);
		expect(play(new AdaptiveSpin(), 1_000, { ...dear, wakeUpMicros: 5 })).toBe(0);
	});

	it("never polls longer than its bound, however slowly the machine wakes", () => {
		const spin = new AdaptiveSpin();
		for (let round = 0; round < 100; round++) spin.slept(SHORT_MICROS + 50_000, 50_000);
		spin.polled(true);
		expect(spin.micros).toBe(SPIN_MICROS_MAX);
	});

	it("takes a time since the last ring that can not be a wake-up for none", () => {
		for (const wakeUpMicros of [-3, 1e9]) {
			const spin = new AdaptiveSpin();
			for (let round = 0; round < 100; round++) spin.slept(SPIN_MICROS_MIN + 1, wakeUpMicros);
			expect(spin.micros).toBe(0);
			for (let round = 0; round < 100; round++) spin.slept(SHORT_MICROS, wakeUpMicros);
			expect(spin.micros).toBe(SPIN_MICROS_MIN);
		}
	});

	it("stops within a few polls when work stops coming", () => {
		const spin = new AdaptiveSpin();
		play(spin, 100, busy);
		expect(play(spin, 1_000, idle)).toBeLessThan(2 * SPIN_MICROS_MIN);
		expect(spin.micros).toBe(0);
	});

	it("gives polling up where sleeps are short but polls find nothing, as on busy cores", () => {
		const rounds = 100_000;
		const polledMicros = play(new AdaptiveSpin(), rounds, { ...busy, pollsFind: false });
		expect(polledMicros).toBeLessThan(0.03 * rounds * SHORT_MICROS);
	});

	it("tries again soon when polling paid before", () => {
		const spin = new AdaptiveSpin();
		play(spin, 100, busy);
		play(spin, 10, idle);
		expect(play(spin, 10, busy)).toBeGreaterThan(0);
	});
});
