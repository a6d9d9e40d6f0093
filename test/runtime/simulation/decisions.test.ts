/**
 * Goal: every choice of a run passes through one seam, where it is recorded, replayed and replaced; a log of another
 * version is refused.
 * Method: whole small runs compared by trace hash, with and without an oracle, and logs that were changed on purpose.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import {
	type DecisionOptions,
	DecisionOracle,
	drawFeatures,
	drawSubrange,
	FaultyNetwork,
	formatDecisionLog,
	parseDecisionLog,
	type Scheduling,
} from "../../../runtime/simulation/index.ts";
import { Pair } from "./pair.ts";

interface Run {
	readonly hash: string;
	readonly heard: readonly number[];
	readonly lost: number;
	readonly nowMs: number;
	readonly oracle: DecisionOracle;
}

/** Two actors on a network that loses and delays. */
async function run(seed: number, options?: DecisionOptions): Promise<Run> {
	const oracle = new DecisionOracle(options ?? {});
	const two = await new Pair({ seed, ...(options === undefined ? {} : { oracle }) }).start();
	const net = new FaultyNetwork({ generator: two.simulation.generator("network"), nodeOf: two.nodeOf });
	net.add({ kind: "loss", probability: 0.3 });
	net.add({ kind: "delay", delay: { type: "uniform", min: 1, max: 9 } });
	two.simulation.network = net;
	two.sendMany(40);
	await two.pass(50);
	const lost = net.counts.get("loss") ?? 0;
	await two.stop();
	return { hash: two.simulation.traceHash, heard: two.numbers(), lost, nowMs: two.simulation.nowMs, oracle };
}

describe("recorded decisions", () => {
	it("change nothing, and replay to the same run from another seed", async () => {
		const plain = await run(7);
		const recorded = await run(7, { record: true });
		expect(recorded.hash).toBe(plain.hash);
		const log = parseDecisionLog(formatDecisionLog(recorded.oracle.log(7)));
		expect(log.seed).toBe(7);
		const replayed = await run(8, { replay: log });
		expect(replayed.hash).toBe(plain.hash);
		expect(replayed.oracle.beyondReplay).toBe(0);
		expect((await run(8)).hash).not.toBe(plain.hash);
	});

	it("cover the runtime, the actors' machines and the network by labels of their own", async () => {
		const { oracle } = await run(7, { record: true });
		const labels = [...oracle.log(7).streams.keys()];
		for (const prefix of ["simulation/ties", "simulation/net", "simulation/turns", "simulation/threads", "network"]) {
			expect(labels.some((label) => label.startsWith(prefix))).toBe(true);
		}
		expect(labels).toContain("network/fault:0:loss");
	});

	it("fall back to the seed where a log ends, and say so", async () => {
		const log = (await run(7, { record: true })).oracle.log(7);
		const streams = new Map(log.streams);
		streams.delete("network/fault:0:loss");
		const replayed = await run(9, { replay: { seed: 7, streams } });
		expect(replayed.oracle.beyondReplay).toBe(40);
	});

	it("are not kept unless asked for", async () => {
		const { oracle } = await run(7, {});
		expect([...oracle.log(7).streams.values()].every((draws) => draws.length === 0)).toBe(true);
	});
});

describe("overrides", () => {
	it("of zero are the simplest outcome: no fault, the shortest delay", async () => {
		expect((await run(7)).lost).toBeGreaterThan(0);
		const simple = await run(7, { overrides: [{ prefix: "network", value: 0 }] });
		expect(simple.lost).toBe(0);
		expect(simple.heard).toHaveLength(40);
	});

	it("of one label leave the draws of all others as they were", async () => {
		const all = (await run(7, { record: true })).oracle.log(7);
		const overridden = await run(7, { record: true, overrides: [{ prefix: "network/fault:1", value: 0 }] });
		const { streams } = overridden.oracle.log(7);
		expect(streams.get("network/fault:0:loss")).toEqual(all.streams.get("network/fault:0:loss"));
		expect(streams.get("network/fault:1:delay")?.every((drawn) => drawn === 0)).toBe(true);
	});

	it("can be of a part of a label's draws", async () => {
		const one = { prefix: "network/fault:0", value: 0xffff_ffff, from: 3, to: 5 };
		const simple = { prefix: "network", value: 0 };
		const { heard, lost } = await run(7, { overrides: [one, simple] });
		expect(lost).toBe(2);
		expect(heard).not.toContain(4);
		expect(heard).not.toContain(5);
	});
});

describe("a generator with an oracle", () => {
	const fixed = (value: number): Generator => new Generator(1, "", { stream: () => ({ draw: () => value }) });

	it("takes no chance at zero, and every one at the other end", () => {
		expect(fixed(0).chance(0.999)).toBe(false);
		expect(fixed(0xffff_ffff).chance(0.001)).toBe(true);
		expect([fixed(0).fraction(), fixed(0).between(3, 9), fixed(0).pick(["x", "y"])]).toEqual([0, 3, "x"]);
	});

	it("does not draw for ever when all draws are rejected", () => {
		expect(fixed(0xffff_ffff).below(3)).toBeLessThan(3);
	});

	it("passes every draw on, also those of its forks, by label", () => {
		const labels: string[] = [];
		const stream = (label: string) => ({
			draw: (seeded: number): number => {
				labels.push(label);
				return seeded;
			},
		});
		const watched = new Generator(5, "a", { stream });
		const plain = new Generator(5, "a");
		const draws = (generator: Generator): unknown[] => [
			generator.uint32(),
			generator.fraction(),
			generator.chance(0.5),
			generator.fork("b").between(1, 1_000),
		];
		expect(draws(watched)).toEqual(draws(plain));
		expect(labels).toEqual(["a", "a", "a", "a/b"]);
	});
});

describe("the text of a decision log", () => {
	const text = formatDecisionLog({ seed: 4, streams: new Map([["x", Uint32Array.of(1, 0xffff_ffff)]]) });

	it("is read back", () => {
		expect(parseDecisionLog(text)).toEqual({ seed: 4, streams: new Map([["x", Uint32Array.of(1, 0xffff_ffff)]]) });
	});

	it("of another version is refused", () => {
		expect(() => parseDecisionLog(text.replace("/v1", "/v0"))).toThrow(
			expect.objectContaining({
				code: "decision-log-format",
				details: expect.objectContaining({ found: expect.any(String) }),
			}),
		);
		expect(() => parseDecisionLog('{"seed":4}\n')).toThrow(expect.objectContaining({ code: "decision-log-format" }));
	});

	const damaged: readonly (readonly [string, string])[] = [
		["no JSON", "hello"],
		["no object", "5"],
		["a seed that is none", text.replace('"seed":4', '"seed":"4"')],
		["a line without draws", `${text}{"label":"y"}\n`],
		["a label twice", `${text}${text.split("\n")[1]}\n`],
		["half a word", text.replace(/"draws":"[^"]*"/, '"draws":"AAAA"')],
		["draws that are no base64", text.replace(/"draws":"[^"]*"/, '"draws":"!!!!"')],
	];
	it.each(damaged)("is refused with %s", (_, bad) => {
		expect(() => parseDecisionLog(bad)).toThrow(expect.objectContaining({ code: "decision-log-invalid" }));
	});
});

describe("swarm testing", () => {
	it("gives each seed some of the features, the same ones each time", () => {
		const features = ["loss", "delay", "kill", "pause"] as const;
		const sets = Array.from({ length: 100 }, (_, seed) => drawFeatures(new Generator(seed), features).join());
		expect(new Set(sets).size).toBe(16);
		expect(drawFeatures(new Generator(5), features).join()).toBe(sets[5]);
		expect(drawFeatures(new Generator(5), features, 1)).toEqual(features);
		expect(drawFeatures(new Generator(5), features, 0)).toEqual([]);
	});

	it("decides each feature by itself: a new one does not change the others", () => {
		for (let seed = 0; seed < 20; seed++) {
			const few = drawFeatures(new Generator(seed), ["a", "b"]);
			expect(drawFeatures(new Generator(seed), ["c", "a", "b"]).filter((one) => one !== "c")).toEqual(few);
		}
	});

	it("gives a part of a range", () => {
		for (let seed = 0; seed < 50; seed++) {
			const { min, max } = drawSubrange(new Generator(seed), { min: 10, max: 20 });
			expect(min >= 10 && min <= max && max < 20).toBe(true);
		}
	});
});

describe("scheduling by priorities", () => {
	/** `a` and `b` have a turn each, asked for at the same moment; whose comes first? */
	async function firstIs(seed: number, scheduling: Scheduling): Promise<string> {
		const two = await new Pair({ seed, scheduling, latencyMs: { min: 0.1, max: 0.1 } }).start();
		const order: string[] = [];
		for (let round = 0; round < 20; round++) {
			const before = two.heard.length;
			for (const name of ["a", "b"]) {
				const ref = await two.simulation.complete(two.system.lookup(name));
				ref?.tell({ type: "number", number: round });
			}
			await two.pass(30);
			const [first] = two.heard.slice(before).sort((x, y) => x.atMs - y.atMs);
			order.push(first?.node ?? "none");
		}
		await two.stop();
		return order.join("");
	}

	it("keeps one thread ahead of the other for a whole run; at random they change", async () => {
		const orders = new Set<string>();
		for (let seed = 1; seed <= 8; seed++) {
			orders.add(await firstIs(seed, { type: "priorities", changePoints: 0, turnsExpected: 200 }));
			expect(new Set(await firstIs(seed, { type: "random" })).size).toBe(2);
		}
		expect([...orders].sort()).toEqual(["a".repeat(20), "b".repeat(20)]);
	});

	it("changes its mind at change points", async () => {
		const changes: number[] = [];
		for (let seed = 1; seed <= 8; seed++) {
			const order = await firstIs(seed, { type: "priorities", changePoints: 3, turnsExpected: 100 });
			changes.push([...order].filter((one, i) => i > 0 && one !== order[i - 1]).length);
		}
		expect(Math.max(...changes)).toBeGreaterThan(0);
		expect(Math.max(...changes)).toBeLessThanOrEqual(3);
	});
});
