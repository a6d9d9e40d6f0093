/**
 * Goal: groups of a thousand members detect, spread and forgive within the published bounds (GOS-12, GOS-19, SCALE-3). Method:
 * the shipped machine on virtual time, fixed seeds; each bound says where it is published, and the margin what it is made of.
 */
import { describe, expect, it } from "vitest";
import { must, type NodeId } from "../../../../protocols/core/index.ts";
import { retransmitLimit, type SwimConfig, suspicionMinMs } from "../../../../protocols/gossip/index.ts";
import { plainSwim, SwimCrowd } from "./swim-crowd.ts";

describe("a thousand members", () => {
	it("detect crashes in e/(e − 1) periods on average and agree on them (SWIM §3.1)", () => {
		const victims = new Set(Array.from({ length: 30 }, (_, i) => 31 * i + 7));
		const firstFailedMs = new Map<NodeId, number>();
		const heldDeadBy = new Map<NodeId, number>();
		let crashedAtMs = 0;
		let lastAtMs = 0;
		const crowd = new SwimCrowd({
			seed: 2,
			size: 1_000,
			observe: (_place, event, nowMs) => {
				if (event.type === "probe-failed" && !firstFailedMs.has(event.node))
					firstFailedMs.set(event.node, nowMs - crashedAtMs);
				if (event.type !== "member-failed") return;
				heldDeadBy.set(event.node, (heldDeadBy.get(event.node) ?? 0) + 1);
				lastAtMs = nowMs - crashedAtMs;
			},
		});
		crowd.gather();
		expect(crowd.counts).toEqual({ suspicions: 0, failures: 0, refutations: 0, refused: 0 });
		crashedAtMs = crowd.crowd.nowMs;
		for (const victim of victims) crowd.crowd.crash(victim);
		crowd.run(100_000, () => crowd.counts.failures === 30 * 970);
		// All are held dead by all, and nobody else by anybody.
		expect(new Set(heldDeadBy.keys())).toEqual(new Set([...victims].map((victim) => crowd.nodeAt(victim))));
		expect(new Set(heldDeadBy.values())).toEqual(new Set([970]));
		// In each period a victim is drawn by somebody with probability 1 − (1 − 1/n)^n = 0.632: on average after 1.582 periods,
		// with a standard deviation of 0.96. A probe that fails is seen at the end of its period; members' periods are out of
		// phase, so the first of them begins up to one period earlier. 3.3 standard errors on either side.
		const periods = [...firstFailedMs.values()].map((ms) => ms / 1_000);
		const mean = periods.reduce((sum, value) => sum + value, 0) / victims.size;
		const margin = (3.3 * 0.96) / Math.sqrt(victims.size);
		expect(mean).toBeGreaterThan(1.582 - 0.5 - margin);
		expect(mean).toBeLessThan(1.582 + 0.5 + margin);
		// The last death: drawn late, confirmed by nobody, and then heard of.
		const minMs = suspicionMinMs(4, 1_000, 1_000);
		expect(lastAtMs).toBeGreaterThan(minMs);
		expect(lastAtMs).toBeLessThan(10_000 + 6 * minMs + 5_000);
	});

	it.each([0, 0.1, 0.3])("spread one event to all: loss %f", (lossChance) => {
		const heardAt: number[] = [];
		let from = 0;
		const crowd = new SwimCrowd({
			seed: 3,
			size: 1_000,
			// Probes are off, so that nothing but gossip carries the news.
			config: { probeIntervalMs: 600_000, probeTimeoutMs: 599_000, syncIntervalMs: 600_000_000 },
			observe: (_place, event, nowMs) => {
				if (event.type === "user-event") heardAt.push(nowMs - from);
			},
		});
		crowd.gather();
		crowd.crowd.network.lossChance = lossChance;
		from = crowd.crowd.nowMs;
		crowd.crowd.request(0, { type: "spread-event", name: "hello", payload: new Uint8Array(8) });
		crowd.run(10_000);
		// Each member sends it 16 times to 3 members a tick, so the chance to miss one is e^−(16 (1 − loss)) at most.
		expect(retransmitLimit(4, 1_000)).toBe(16);
		expect(heardAt.length).toBe(1_000);
		// Push gossip takes log_{f+1} n + ln n / f rounds and a little, about 8.3 at fanout 3 (§2 of the reference run), divided by
		// what loss leaves; ticks are out of phase, so a hop takes up to a tick and half of one on average.
		const rounds = must(heardAt.at(-1), "somebody hears last") / 200;
		expect(rounds).toBeLessThan(8.3 / (1 - lossChance) + 2);
		expect(rounds).toBeGreaterThan(3);
	});
});

describe("128 members", () => {
	it("meet through one seed, all of them", () => {
		const crowd = new SwimCrowd({ seed: 1, size: 128 });
		crowd.settle();
		expect(new Set(crowd.presentCounts())).toEqual(new Set([128]));
		expect(crowd.counts.failures).toBe(0);
	});

	it("at 30 % loss Lifeguard declares at most a third as many live members dead as plain SWIM", () => {
		const failures = (config: Partial<SwimConfig>): number => {
			const crowd = new SwimCrowd({ seed: 4, size: 128, config });
			crowd.gather();
			crowd.crowd.network.lossChance = 0.3;
			crowd.run(60_000);
			// A probe fails with (1 − q²)(1 − q⁴)³ = 0.224, q = 0.7: up to 29 a second here, less as health scores rise.
			expect(crowd.counts.suspicions).toBeGreaterThan(128 * 20);
			return crowd.counts.failures;
		};
		const plain = failures(plainSwim);
		expect(plain).toBeGreaterThan(15);
		expect(failures({})).toBeLessThan(plain / 3);
	});
});

describe("partitions", () => {
	it("each side declares the other dead, and after healing all are alive to all", () => {
		const crowd = new SwimCrowd({ seed: 5, size: 64 });
		crowd.settle();
		crowd.crowd.network.isCut = (from, to) => from < 24 !== to < 24;
		crowd.run(180_000);
		expect(new Set(crowd.presentCounts().slice(0, 24))).toEqual(new Set([24]));
		expect(new Set(crowd.presentCounts().slice(24))).toEqual(new Set([40]));
		crowd.crowd.network.isCut = null;
		// Gossip to the lately dead has ended: only the healer brings the sides together.
		expect(crowd.run(180_000, () => crowd.presentCounts().every((present) => present === 64))).toBe(true);
	});

	it("without the healer they stay apart", () => {
		const crowd = new SwimCrowd({ seed: 5, size: 64, config: { healIntervalMs: 2_000_000_000 } });
		crowd.settle();
		crowd.crowd.network.isCut = (from, to) => from < 24 !== to < 24;
		crowd.run(180_000);
		crowd.crowd.network.isCut = null;
		crowd.run(180_000);
		expect(new Set(crowd.presentCounts().slice(0, 24))).toEqual(new Set([24]));
	});
});

describe("one seed decides everything", () => {
	it("two runs of a seed have the same messages, another seed has others", () => {
		const trace = (seed: number): string => {
			const crowd = new SwimCrowd({ seed, size: 40, network: { lossChance: 0.2 } });
			crowd.settle();
			crowd.crowd.crash(3);
			crowd.run(60_000);
			return JSON.stringify([crowd.crowd.counts, crowd.counts, crowd.presentCounts()]);
		};
		expect(trace(9)).toBe(trace(9));
		expect(trace(9)).not.toBe(trace(10));
	});
});

describe("a leave in a group", () => {
	it("is seen by all as a leave, and nobody fails", () => {
		const crowd = new SwimCrowd({ seed: 6, size: 50 });
		crowd.settle();
		let answered = "";
		crowd.crowd.request(7, { type: "leave" }, ({ type }) => (answered = type));
		crowd.run(30_000);
		expect(answered).toBe("left");
		expect(crowd.presentCounts().filter((_, place) => place !== 7)).toEqual(new Array(49).fill(49));
		expect(crowd.counts.failures).toBe(0);
	});
});
