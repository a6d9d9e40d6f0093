/**
 * Goal: each fault of a network does to messages what its name says, on the links it is on and on no other, and stops when
 * it is removed; it counts what it really did.
 * Method: the policy by itself for every kind, then two actors in a simulation for what only arrival shows. Each kind is
 * also seen not to act: on another link, or after its removal.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import type { EnvelopeHead } from "../../../runtime/actor/index.ts";
import {
	FaultyNetwork,
	type NetworkDelivery,
	type NetworkFault,
	networkFaultKinds,
} from "../../../runtime/simulation/index.ts";
import { Pair } from "./pair.ts";

const nodes = ["a", "b", "c", "d", "e"];
const base = 0.25;

/** A network of five nodes, node i on slot i. */
function network(seed = 1): FaultyNetwork {
	return new FaultyNetwork({
		generator: new Generator(seed, "network"),
		nodeOf: ({ slot }) => nodes[slot] ?? null,
		delay: { type: "constant", ms: base },
	});
}

function pass(
	net: FaultyNetwork,
	from: string,
	to: string,
	{ nowMs = 0, type = "vote", sizeBytes = 100 } = {},
): readonly NetworkDelivery[] | null {
	const address = (node: string): EnvelopeHead["target"] => {
		const slot = node === "client" ? 9 : nodes.indexOf(node);
		return { slot: slot as never, actor: 1, incarnation: 1 };
	};
	const head: EnvelopeHead = {
		kind: "tell",
		target: address(to),
		sender: address(from),
		correlation: 0,
		deadlineMs: 0,
		priority: "normal",
	};
	return net.deliveries(head, { type }, nowMs, sizeBytes);
}

/** Links on which nothing arrives, as `ab`. */
function cutLinks(net: FaultyNetwork, nowMs = 0): string[] {
	return nodes.flatMap((from) =>
		nodes.flatMap((to) => (from !== to && pass(net, from, to, { nowMs })?.length === 0 ? [from + to] : [])),
	);
}

const links = (...pairs: readonly string[]): string[] => pairs.flatMap(([a, b]) => [`${a}${b}`, `${b}${a}`]).sort();

describe("a network without faults", () => {
	it("delivers once, and leaves alone what is not between two nodes", () => {
		const net = network();
		expect(pass(net, "a", "b")).toEqual([{ afterMs: base }]);
		expect(pass(net, "client", "b")).toBeNull();
		expect(pass(net, "a", "client")).toBeNull();
		expect(cutLinks(net)).toEqual([]);
		expect(net.counts.size).toBe(0);
	});
});

describe("cuts", () => {
	const cases: readonly (readonly [NetworkFault, readonly string[]])[] = [
		[{ kind: "partition", groups: [["a", "b"]] }, links("ac", "ad", "ae", "bc", "bd", "be")],
		[
			{
				kind: "partition",
				groups: [
					["a", "b", "c"],
					["c", "d", "e"],
				],
			},
			links("ad", "ae", "bd", "be"),
		],
		[{ kind: "one-way", from: ["a"], to: ["b", "c"] }, ["ab", "ac"]],
		[{ kind: "ring", order: nodes }, links("ac", "ad", "bd", "be", "ce")],
		[{ kind: "ring", order: ["a", "b", "c", "d"], reach: 1 }, links("ac", "bd")],
		[{ kind: "isolate", nodes: ["b"] }, links("ab", "cb", "db", "eb")],
		[{ kind: "isolate", nodes: ["b"], direction: "in" }, ["ab", "cb", "db", "eb"]],
		[{ kind: "isolate", nodes: ["b"], direction: "out" }, ["ba", "bc", "bd", "be"]],
		[{ kind: "loss", probability: 1, from: ["c"] }, ["ca", "cb", "cd", "ce"]],
		[{ kind: "drop-kind", messageTypes: ["vote"], to: ["e"] }, ["ae", "be", "ce", "de"]],
	];

	it.each(cases)("%j", (fault, expected) => {
		const net = network();
		const added = net.add(fault);
		expect(net.active).toEqual([fault]);
		expect(cutLinks(net).sort()).toEqual([...expected].sort());
		expect(net.counts.get(fault.kind)).toBe(expected.length);
		added.remove();
		added.remove();
		expect(net.active).toEqual([]);
		expect(cutLinks(net)).toEqual([]);
	});

	it("of some types leave the others", () => {
		const net = network();
		net.add({ kind: "drop-kind", messageTypes: ["append"] });
		expect(pass(net, "a", "b", { type: "vote" })).toHaveLength(1);
		expect(pass(net, "a", "b", { type: "append" })).toEqual([]);
	});

	it("that flap are up and down for as long as they say", () => {
		const net = network();
		net.add({ kind: "flap", upMs: 30, downMs: 10, from: ["a"] });
		const fates = Array.from({ length: 400 }, (_, ms) => pass(net, "a", "b", { nowMs: ms })?.length);
		expect(fates.filter((copies) => copies === 0)).toHaveLength(100);
		const changes = fates.filter((copies, i) => i > 0 && copies !== fates[i - 1]).length;
		expect(changes).toBeGreaterThanOrEqual(19);
		expect(changes).toBeLessThanOrEqual(20);
		expect(cutLinks(net).filter((link) => !link.startsWith("a"))).toEqual([]);
	});
});

describe("what changes messages", () => {
	it("loses the given share", () => {
		const net = network();
		net.add({ kind: "loss", probability: 0.3 });
		const lost = Array.from({ length: 10_000 }, () => pass(net, "a", "b")).filter((copies) => copies?.length === 0);
		expect(lost.length).toBeGreaterThan(2_800);
		expect(lost.length).toBeLessThan(3_200);
		expect(net.counts.get("loss")).toBe(lost.length);
	});

	it("copies, and copies again much later", () => {
		const net = network();
		net.add({ kind: "duplicate", probability: 1 });
		net.add({ kind: "replay", probability: 1, ageMs: { min: 500, max: 600 }, to: ["b"] });
		const [first, second, old] = pass(net, "a", "b") ?? [];
		expect([first?.afterMs, second?.afterMs]).toEqual([base, base]);
		expect(old?.afterMs).toBeGreaterThanOrEqual(500 + base);
		expect(old?.afterMs).toBeLessThan(600 + base);
		expect(pass(net, "a", "c")).toHaveLength(2);
	});

	it("puts off some, within the window", () => {
		const net = network();
		net.add({ kind: "reorder", probability: 0.5, windowMs: 20 });
		const delays = Array.from({ length: 1_000 }, () => pass(net, "a", "b")?.[0]?.afterMs ?? 0);
		expect(delays.filter((ms) => ms === base).length).toBeGreaterThan(400);
		expect(Math.max(...delays)).toBeLessThan(20 + base);
		expect(Math.max(...delays)).toBeGreaterThan(15);
	});

	const means: readonly (readonly [string, NetworkFault & { kind: "delay" }, number, number])[] = [
		["constant", { kind: "delay", delay: { type: "constant", ms: 7 } }, 7, 0],
		["uniform", { kind: "delay", delay: { type: "uniform", min: 2, max: 8 } }, 5, Math.sqrt(3)],
		["exponential", { kind: "delay", delay: { type: "exponential", meanMs: 10, minMs: 3 } }, 13, 10],
		["lognormal", { kind: "delay", delay: { type: "lognormal", meanMs: 20, jitterMs: 8 } }, 20, 8],
	];
	it.each(means)("delays by a %s distribution", (_, fault, mean, deviation) => {
		const net = network();
		net.add({ ...fault, from: ["a"] });
		const delays = Array.from({ length: 20_000 }, () => (pass(net, "a", "b")?.[0]?.afterMs ?? 0) - base);
		const measured = delays.reduce((sum, ms) => sum + ms, 0) / delays.length;
		const variance = delays.reduce((sum, ms) => sum + (ms - measured) ** 2, 0) / delays.length;
		expect(Math.abs(measured - mean)).toBeLessThan(0.02 * mean + 1e-9);
		expect(Math.abs(Math.sqrt(variance) - deviation)).toBeLessThan(0.06 * deviation + 1e-9);
		expect(pass(net, "b", "a")).toEqual([{ afterMs: base }]);
	});

	it("lets a link carry so many bytes, and loses what would wait behind too many", () => {
		const net = network();
		net.add({ kind: "bandwidth", bytesPerMs: 10, queueBytesMax: 250 });
		const delays = Array.from({ length: 6 }, () => pass(net, "a", "b")?.[0]?.afterMs);
		expect(delays).toEqual([10 + base, 20 + base, 30 + base, undefined, undefined, undefined]);
		// Another link has its own; and a quarter of a second later this one is free.
		expect(pass(net, "a", "c")?.[0]?.afterMs).toBe(10 + base);
		expect(pass(net, "a", "b", { nowMs: 250 })?.[0]?.afterMs).toBe(10 + base);
	});

	it("are independent: taking one away changes nothing for the others", () => {
		const fates = (withDelay: boolean): (number | undefined)[] => {
			const net = network(5);
			const delay = net.add({ kind: "delay", delay: { type: "exponential", meanMs: 3 } });
			net.add({ kind: "loss", probability: 0.5 });
			if (!withDelay) delay.remove();
			return Array.from({ length: 100 }, () => pass(net, "a", "b")?.length);
		};
		expect(fates(true)).toEqual(fates(false));
	});
});

describe("between actors", () => {
	async function pair(...faults: readonly NetworkFault[]): Promise<{ pair: Pair; net: FaultyNetwork }> {
		const made = await new Pair().start();
		const net = new FaultyNetwork({ generator: made.simulation.generator("network"), nodeOf: made.nodeOf });
		made.simulation.network = net;
		for (const fault of faults) net.add(fault);
		return { pair: made, net };
	}

	it("everything arrives without faults", async () => {
		const { pair: two } = await pair();
		two.sendMany(50);
		await two.pass(20);
		expect(two.numbers().sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
		await two.stop();
	});

	it("a clogged link holds messages, and then all come", async () => {
		const { pair: two, net } = await pair();
		const clog = net.add({ kind: "clog", from: ["a"] });
		two.sendMany(20);
		await two.pass(5_000);
		expect(two.heard).toEqual([]);
		expect(net.counts.get("clog")).toBe(20);
		clog.remove();
		await two.pass(5);
		expect(two.heard).toHaveLength(20);
		two.sendMany(1);
		await two.pass(5);
		expect(two.heard).toHaveLength(21);
		await two.stop();
	});

	it("clearing all faults opens what they hold", async () => {
		const { pair: two, net } = await pair({ kind: "clog" }, { kind: "duplicate", probability: 1 });
		two.sendMany(3);
		await two.pass(50);
		net.clear();
		await two.pass(50);
		expect(two.heard).toHaveLength(6);
		expect(net.active).toEqual([]);
		await two.stop();
	});

	it("what is corrupted on a checked link is refused as undecodable", async () => {
		const { pair: two } = await pair({ kind: "corrupt", probability: 1, bits: 1 });
		two.sendMany(200);
		await two.pass(50);
		expect(two.heard).toEqual([]);
		expect(two.system.deadLetters.counts.get("undecodable")).toBe(200);
		await two.stop();
	});

	it("what is corrupted on an unchecked link arrives as it decodes, or not at all", async () => {
		const { pair: two } = await pair({ kind: "corrupt", probability: 1, bits: 3, isChecked: false });
		const text = "x".repeat(64);
		two.send(...Array.from({ length: 200 }, (_, i) => ({ type: "number", number: i, text })));
		await two.pass(50);
		const refused = two.system.deadLetters.counts.get("undecodable") ?? 0;
		expect(two.heard.length).toBeGreaterThan(0);
		expect(refused).toBeGreaterThan(0);
		await two.stop();
	});

	it("is decided by the seed", async () => {
		const run = async (seed: number): Promise<string> => {
			const two = await new Pair({ seed }).start();
			const net = new FaultyNetwork({ generator: two.simulation.generator("network"), nodeOf: two.nodeOf });
			two.simulation.network = net;
			net.add({ kind: "loss", probability: 0.5 });
			net.add({ kind: "delay", delay: { type: "lognormal", meanMs: 3, jitterMs: 3 } });
			two.sendMany(50);
			await two.pass(100);
			await two.stop();
			return `${two.simulation.traceHash} ${two.numbers()}`;
		};
		expect(await run(3)).toBe(await run(3));
		expect(await run(3)).not.toBe(await run(4));
	});
});

describe("a fault that can not be", () => {
	const bad: readonly (readonly [string, object, string])[] = [
		["a probability", { kind: "loss", probability: 1.5 }, "probability"],
		["no probability", { kind: "duplicate", probability: Number.NaN }, "probability"],
		["a ring of two", { kind: "ring", order: ["a", "b"] }, "order"],
		["a period", { kind: "flap", upMs: 0, downMs: 5 }, "upMs"],
		["an age", { kind: "replay", probability: 1, ageMs: { min: 5, max: 1 } }, "ageMs"],
		["a window", { kind: "reorder", probability: 1, windowMs: -1 }, "windowMs"],
		["a delay", { kind: "delay", delay: { type: "exponential", meanMs: -1 } }, "delay"],
		["a distribution", { kind: "delay", delay: { type: "cauchy" } }, "delay"],
		["a rate", { kind: "bandwidth", bytesPerMs: 0, queueBytesMax: 1 }, "bytesPerMs"],
		["bits", { kind: "corrupt", probability: 1, bits: 0 }, "bits"],
		["a kind", { kind: "gremlin" }, "kind"],
	];
	it.each(bad)("is refused: %s", (_, fault, argument) => {
		const net = network();
		expect(() => net.add(fault as NetworkFault)).toThrow(
			expect.objectContaining({ code: "fault-invalid", details: expect.objectContaining({ argument }) }),
		);
		expect(net.active).toEqual([]);
	});

	it("is none of the catalogue's", () => {
		expect(new Set(networkFaultKinds).size).toBe(networkFaultKinds.length);
	});
});
