/**
 * Goal: estimates are as good as their papers say and cannot be poisoned (GOS-12, GOS-14 to GOS-18). Method: synthetic heartbeats,
 * round trips of known geometry, sums that are known; fixed seeds.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import {
	type Coordinate,
	chooseFanout,
	estimateRoundTripMs,
	fanoutConfig,
	isSoundCoordinate,
	originCoordinate,
	PhiDetector,
	PushSum,
	updateCoordinate,
} from "../../../../protocols/gossip/index.ts";

describe("φ accrual (Hayashibara et al. 2004)", () => {
	const beating = (everyMs: number, jitterMs: number, config = {}): [PhiDetector, number] => {
		const dice = new Generator(1, "beats");
		const detector = new PhiDetector({ acceptablePauseMs: 0, ...config });
		let nowMs = 0;
		for (let i = 0; i < 500; i++) {
			detector.heartbeat(nowMs);
			nowMs += everyMs + (jitterMs === 0 ? 0 : dice.between(-jitterMs, jitterMs));
		}
		detector.heartbeat(nowMs);
		return [detector, nowMs];
	};

	it("grows with silence, from about 0.3 at the mean interval", () => {
		const [detector, lastMs] = beating(1_000, 300);
		const phis = [0, 1_000, 1_500, 2_000, 4_000].map((silenceMs) => detector.phi(lastMs + silenceMs));
		expect(phis).toEqual(phis.toSorted((x, y) => x - y));
		// Half of all heartbeats come later than the mean: −log10 0.5.
		expect(Math.abs((phis[1] as number) - 0.301)).toBeLessThan(0.05);
		expect(detector.isSuspected(lastMs + 4_000)).toBe(true);
	});

	it("one unit is a decade: at φ 1 about a tenth of normal intervals would be longer", () => {
		const detector = new PhiDetector({ acceptablePauseMs: 0, deviationMsMin: 100, windowSize: 100 });
		for (let i = 0; i <= 100; i++) detector.heartbeat(1_000 * i);
		// The deviation is the least, 100 ms; the 90th percentile of the normal distribution is 1.2816 deviations.
		expect(Math.abs(detector.phi(100_000 + 1_128.16) - 1)).toBeLessThan(0.02);
		expect(Math.abs(detector.phi(100_000 + 1_232.63) - 2)).toBeLessThan(0.05);
	});

	it("an irregular member is given more time than a regular one", () => {
		const [regular, regularMs] = beating(1_000, 0);
		const [irregular, irregularMs] = beating(1_000, 900);
		expect(regular.phi(regularMs + 2_000)).toBeGreaterThan(8);
		expect(irregular.phi(irregularMs + 2_000)).toBeLessThan(3);
	});

	it("learns nothing of the rhythm from a gap that was a suspicion: after it silence is judged as before", () => {
		const [[detector, lastMs], [steady, steadyMs]] = [beating(1_000, 0), beating(1_000, 0)];
		detector.heartbeat(lastMs + 60_000);
		expect(detector.phi(lastMs + 60_000 + 2_000)).toBe(steady.phi(steadyMs + 2_000));
	});

	it("forgives the acceptable pause, and stays finite for ever", () => {
		const [detector, lastMs] = beating(1_000, 0, { acceptablePauseMs: 3_000 });
		expect(detector.isSuspected(lastMs + 4_000)).toBe(false);
		expect(detector.isSuspected(lastMs + 6_000)).toBe(true);
		expect(Number.isFinite(detector.phi(1e15))).toBe(true);
		expect(new PhiDetector().phi(1e15)).toBe(0);
	});
});

describe("Vivaldi (SIGCOMM 2004)", () => {
	it("places 60 members of a plane so that half of all round trips are within a tenth", () => {
		const dice = new Generator(2, "plane");
		const real = Array.from({ length: 60 }, () => [dice.below(100), dice.below(100)] as const);
		const trip = (i: number, j: number): number => {
			const [a, b] = [real[i] as readonly [number, number], real[j] as readonly [number, number]];
			return Math.hypot(a[0] - b[0], a[1] - b[1]) + 4;
		};
		const coordinates: Coordinate[] = real.map(() => originCoordinate);
		for (let round = 0; round < 300; round++) {
			for (let i = 0; i < 60; i++) {
				const j = (i + 1 + dice.below(59)) % 60;
				coordinates[i] = updateCoordinate(coordinates[i] as Coordinate, coordinates[j] as Coordinate, trip(i, j), dice);
			}
		}
		const errors: number[] = [];
		for (let i = 0; i < 60; i++) {
			for (let j = 0; j < i; j++) {
				const estimate = estimateRoundTripMs(coordinates[i] as Coordinate, coordinates[j] as Coordinate);
				errors.push(Math.abs(estimate - trip(i, j)) / trip(i, j));
			}
		}
		expect(errors.toSorted((x, y) => x - y)[errors.length >> 1]).toBeLessThan(0.1);
	});

	it("serf #468: whatever another sends, the own coordinate stays sound", () => {
		const anyNumber = fc.oneof(
			fc.double(),
			fc.constant(Number.NaN),
			fc.constant(Number.POSITIVE_INFINITY),
			fc.constant(1e308),
		);
		const coordinate = fc.record({
			place: fc.array(anyNumber, { minLength: 7, maxLength: 8 }),
			heightMs: anyNumber,
			error: anyNumber,
		});
		fc.assert(
			fc.property(fc.array(fc.tuple(coordinate, anyNumber), { maxLength: 20 }), (samples) => {
				let own = originCoordinate;
				for (const [other, roundTripMs] of samples)
					own = updateCoordinate(own, other, roundTripMs, { below: (n) => n >> 1 });
				expect(isSoundCoordinate(own)).toBe(true);
			}),
		);
	});
});

describe("push-sum (FOCS 2003; GOS-16)", () => {
	const run = (masses: readonly { sum: number; weight: number }[], rounds: number, loss = 0): PushSum[] => {
		const dice = new Generator(3, "push-sum");
		const members = masses.map((mass) => new PushSum(1, mass));
		for (let round = 0; round < rounds; round++) {
			for (const member of members) {
				const half = member.give();
				if (!dice.chance(loss)) (members[dice.below(members.length)] as PushSum).take(1, half);
			}
		}
		return members;
	};

	it("every member learns the average, in a number of rounds that grows with the logarithm", () => {
		const values = Array.from({ length: 1_000 }, (_, i) => i);
		const members = run(
			values.map((sum) => ({ sum, weight: 1 })),
			40,
		);
		for (const member of members) expect(Math.abs(member.estimate - 499.5)).toBeLessThan(0.5);
		expect(members.every((member) => member.isSettled())).toBe(true);
	});

	it("and the number of members, from one that counts", () => {
		const members = run(
			Array.from({ length: 500 }, (_, i) => ({ sum: 1, weight: i === 0 ? 1 : 0 })),
			40,
		);
		for (const member of members) expect(Math.abs(member.estimate - 500)).toBeLessThan(1);
	});

	it("mass is kept: what is given is taken out", () => {
		const members = run(
			Array.from({ length: 50 }, (_, i) => ({ sum: i, weight: 1 })),
			13,
		);
		expect(members.reduce((sum, { mass }) => sum + mass.sum, 0)).toBeCloseTo(1_225, 6);
		expect(members.reduce((sum, { mass }) => sum + mass.weight, 0)).toBeCloseTo(50, 6);
	});

	it("mass of another epoch, or that is none, is refused", () => {
		const member = new PushSum(2, { sum: 1, weight: 1 });
		expect(member.take(1, { sum: 1, weight: 1 })).toBe(false);
		expect(member.take(2, { sum: Number.NaN, weight: 1 })).toBe(false);
		expect(member.take(2, { sum: 1, weight: -1 })).toBe(false);
		expect(member.mass).toEqual({ sum: 1, weight: 1 });
		expect(member.isSettled()).toBe(false);
	});
});

describe("adaptive fanout (Kermarrec et al. 2003; GOS-17, GOS-18)", () => {
	const config = fanoutConfig();
	const from = { fanout: 2, intervalMs: 100 };
	const signal = { members: 1_000, loss: 0, messageBytes: 1_400 };

	it("is ln n + c, more with loss, in its bounds", () => {
		const fanout = (members: number, loss: number): number =>
			chooseFanout(from, { ...signal, members, loss }, config).fanout;
		expect(fanout(1_000, 0)).toBe(Math.ceil(Math.log(1_000) + 4));
		expect(fanout(1_000, 0.2)).toBe(Math.ceil((Math.log(1_000) + 4) / 0.8));
		expect(fanout(1e9, 0.5)).toBe(16);
		expect(fanout(0, 0)).toBeGreaterThanOrEqual(2);
		expect(fanout(10, Number.POSITIVE_INFINITY)).toBe(16);
	});

	it("does not flap: a small change of the signal changes nothing", () => {
		const present = chooseFanout(from, signal, config);
		for (const members of [800, 900, 1_050])
			expect(chooseFanout(present, { ...signal, members }, config)).toEqual(present);
		expect(chooseFanout(present, { ...signal, members: 10_000 }, config).fanout).toBeGreaterThan(present.fanout);
	});

	it("never sends more than it may: the interval stretches first, then the fanout shrinks", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 2, max: 1e6 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				fc.integer({ min: 1, max: 65_000 }),
				(members, loss, messageBytes) => {
					const tight = fanoutConfig({ bytesPerSecondMax: 50_000 });
					const { fanout, intervalMs } = chooseFanout(from, { members, loss, messageBytes }, tight);
					expect((fanout * messageBytes * 1_000) / intervalMs).toBeLessThanOrEqual(50_000 * 1.001);
					expect(fanout).toBeGreaterThanOrEqual(2);
				},
			),
		);
	});
});
