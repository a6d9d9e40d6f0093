/**
 * Goal: whole participants keep Raft's promises under every fault that the simulated network, threads, clocks and disks
 * have: while it lasts nothing wrong is answered, and when it is over everything is answered and all replicas are equal.
 * Also: the shipped code asks the real world for neither time nor chance, and repeats itself event by event.
 * Method: five participants, a client that proposes all the time, one fault at a time for some virtual seconds. Every
 * fault must have done something.
 */
import { describe, expect, it } from "vitest";
import type { RaftTuning } from "../../../actors/participant/index.ts";
import { type NodeId, QuorateError } from "../../../protocols/core/index.ts";
import {
	DecisionOracle,
	FaultyNetwork,
	findDivergence,
	formatDecisionLog,
	type NetworkFault,
	type ProcessFault,
	parseDecisionLog,
	type SimulationOptions,
	type TraceObserver,
} from "../../../runtime/simulation/index.ts";
import type { DiskFault } from "../../../runtime/storage/index.ts";
import { World } from "./world.ts";

const FAULT_MS = 1_500;
const EVERY_MS = 40;
const tuning = { electionTimeoutMs: { min: 150, max: 300 }, heartbeatMs: 50, snapshotEveryEntries: 40 };

interface Faulty {
	readonly world: World;
	readonly network: FaultyNetwork;
	readonly leader: NodeId;
	/** Three of the others. */
	readonly rest: readonly NodeId[];
}

type Options = Pick<SimulationOptions, "guardGlobals" | "observe" | "oracle">;

async function start(seed: number, options: Options = {}, more: RaftTuning = {}) {
	const world = new World({ seed, nodes: 5, tuning: { ...tuning, ...more }, simulation: options });
	const network = new FaultyNetwork({
		generator: world.simulation.generator("network"),
		nodeOf: (address) => world.nodeOf(address),
	});
	world.simulation.network = network;
	await world.start();
	await world.simulation.run({ untilMs: 3_000, until: () => world.view.leader !== null });
	const leader = world.view.leader?.leader ?? expect.fail("a leader is elected");
	return { world, network, leader, rest: world.nodes.filter((node) => node !== leader).slice(0, 3) };
}

/** Proposes while the fault lasts, ends it, and sees that all is well. Returns the trace's hash. */
async function survive(faulty: Faulty, begin: (faulty: Faulty) => { remove(): void }): Promise<string> {
	const { world } = faulty;
	const { simulation } = world;
	const client = world.client(20_000);
	const outcomes: Promise<string | number>[] = [];
	const fault = begin(faulty);
	for (const endMs = simulation.nowMs + FAULT_MS; simulation.nowMs < endMs; ) {
		outcomes.push(client.propose<number>({ id: `${outcomes.length}` }).catch(codeOf));
		await simulation.run({ untilMs: simulation.nowMs + EVERY_MS });
	}
	fault.remove();
	const places = await simulation.complete(Promise.all(outcomes), { untilMs: simulation.nowMs + 60_000 });
	await simulation.complete(world.client(20_000).propose({ id: "last" }));
	await simulation.run({ untilMs: simulation.nowMs + 3_000 });
	const replicas = await simulation.complete(Promise.all(world.nodes.map((node) => world.replica(node))));
	const [order = []] = replicas;
	for (const replica of replicas) expect(replica).toEqual(order);
	expect(new Set(order).size).toBe(order.length);
	for (const [id, place] of places.entries()) {
		if (typeof place === "number") expect(order[place - 1]).toBe(String(id));
		else expect(["outcome-unknown", "not-decided"]).toContain(place);
	}
	expect(places.filter((place) => typeof place === "number").length).toBeGreaterThan(places.length / 2);
	const hash = simulation.traceHash;
	await world.stop();
	return hash;
}

function codeOf(error: unknown): string {
	if (error instanceof QuorateError) return error.code;
	throw error;
}

describe("a network fault", () => {
	type Made = (faulty: Faulty) => NetworkFault;
	const faults: readonly (readonly [string, Made])[] = [
		["a partition", ({ leader, rest }) => ({ kind: "partition", groups: [[leader, ...rest.slice(0, 1)]] })],
		[
			"a bridge",
			({
				world: {
					nodes: [a, b, c, d, e],
				},
			}) => ({
				kind: "partition",
				groups: [
					[a, b, c],
					[c, d, e],
				] as string[][],
			}),
		],
		["a one-way cut", ({ leader, rest }) => ({ kind: "one-way", from: rest, to: [leader] })],
		["a ring", ({ world }) => ({ kind: "ring", order: world.nodes })],
		["isolation", ({ leader }) => ({ kind: "isolate", nodes: [leader] })],
		["a leader that is not heard", ({ leader }) => ({ kind: "isolate", nodes: [leader], direction: "out" })],
		["loss", () => ({ kind: "loss", probability: 0.2 })],
		["lost responses", () => ({ kind: "drop-kind", messageTypes: ["append-response"], probability: 0.5 })],
		["flapping", ({ leader }) => ({ kind: "flap", upMs: 120, downMs: 180, from: [leader] })],
		["duplication", () => ({ kind: "duplicate", probability: 0.5 })],
		["replay", () => ({ kind: "replay", probability: 0.3, ageMs: { min: 200, max: 1_000 } })],
		["reordering", () => ({ kind: "reorder", probability: 0.5, windowMs: 30 })],
		["delay", () => ({ kind: "delay", delay: { type: "lognormal", meanMs: 15, jitterMs: 20 } })],
		["little bandwidth", () => ({ kind: "bandwidth", bytesPerMs: 20, queueBytesMax: 4_000 })],
		["corruption", () => ({ kind: "corrupt", probability: 0.2, bits: 2 })],
		["a clog", ({ leader, rest }) => ({ kind: "clog", from: [leader], to: rest })],
	];
	it.each(faults)("%s", async (_, made) => {
		for (const seed of [1, 2]) {
			await survive(await start(seed), (faulty) => {
				const { network } = faulty;
				const fault = made(faulty);
				const added = network.add(fault);
				return {
					remove: () => {
						added.remove();
						expect(network.counts.get(fault.kind)).toBeGreaterThan(0);
						expect(network.active).toEqual([]);
					},
				};
			});
		}
	});
});

describe("a fault of a thread or its clock", () => {
	type Made = (thread: string) => ProcessFault;
	const faults: readonly (readonly [string, Made])[] = [
		["a death", (thread) => ({ kind: "kill", thread })],
		[
			"a death in the middle of a broadcast",
			(thread) => ({ kind: "kill-at", thread, phase: "published", messageType: "append-entries", nth: 2 }),
		],
		[
			"a death before an acknowledgement of the disk",
			(thread) => ({ kind: "kill-at", thread, phase: "before", messageType: "storage-durable", nth: 3 }),
		],
		["a crash loop", (thread) => ({ kind: "crash-loop", thread, lives: 3, afterMs: { min: 10, max: 200 } })],
		["a pause longer than elections take", (thread) => ({ kind: "pause", thread })],
		["slowness", (thread) => ({ kind: "slow", thread, factor: 2_000 })],
		["a fast clock", (thread) => ({ kind: "clock-drift", thread, ppm: 900_000 })],
		["a slow clock", (thread) => ({ kind: "clock-drift", thread, ppm: -900_000 })],
		["a clock that leaps", (thread) => ({ kind: "clock-jump", thread, aheadMs: 30_000 })],
		["a frozen clock", (thread) => ({ kind: "clock-freeze", thread })],
	];
	it.each(faults)("%s", async (_, made) => {
		for (const of of ["leader", "follower"] as const) {
			await survive(await start(3), ({ world, leader, rest }) => {
				const { processes } = world.simulation;
				const fault = made(world.threadOf(of === "leader" ? leader : (rest[0] as NodeId)));
				const added = processes.add(fault);
				return {
					remove: () => {
						added.remove();
						// A follower broadcasts nothing before it is leader.
						const mayBeUnused = of === "follower" && fault.kind === "kill-at" && fault.phase === "published";
						if (!mayBeUnused) expect(processes.counts.get(fault.kind)).toBeGreaterThan(0);
						expect(processes.active).toEqual([]);
					},
				};
			});
		}
	});
});

describe("a fault of the disk", () => {
	type Made = (stores: readonly string[]) => DiskFault;
	const faults: readonly (readonly [string, Made])[] = [
		["slowness", (stores) => ({ kind: "slow", factor: 20, stores })],
		["a stall", () => ({ kind: "stall" })],
		["stale snapshots", () => ({ kind: "stale-snapshot", probability: 0.5 })],
	];
	it.each(faults)("%s", async (_, made) => {
		await survive(await start(4), ({ world, leader }) => {
			const { disk } = world;
			const fault = made([world.storeOf(leader)]);
			const added = disk.add(fault);
			return {
				remove: () => {
					added.remove();
					expect(disk.activeFaults).toEqual([]);
					if (fault.kind !== "stale-snapshot") expect(disk.faultCounts.get(fault.kind)).toBeGreaterThan(0);
				},
			};
		});
	});
});

describe("a log record whose bits have rotted", () => {
	it("is found when the member starts again, told, got again from the leader, and sound from then on", async () => {
		const { world, leader, rest } = await start(8);
		const { simulation } = world;
		const client = world.client(20_000);
		for (let i = 0; i < 10; i++) await simulation.complete(client.propose({ id: `${i}` }));
		const node = rest[0] as NodeId;
		const store = world.storeOf(node);
		// A lost term or vote is another matter: such a store is refused.
		world.kill(node);
		expect(world.disk.damage(store, "bit-rot", ["record"])).toMatch(/^record /);
		await simulation.run({ untilMs: simulation.nowMs + 3_000 });
		expect(world.counts.get("log-damaged")).toBe(1);
		expect(world.counts.get("log-repaired")).toBe(1);
		expect(world.disk.damagedStores).toEqual([]);
		expect(await simulation.complete(world.replica(node))).toEqual(await simulation.complete(world.replica(leader)));
		await world.stop();
	});
});

describe("a snapshot whose bits have rotted", () => {
	/** A world in which all members have taken snapshots. */
	const withSnapshots = async (seed: number): Promise<Faulty> => {
		const faulty = await start(seed, {}, { retainedEntries: 0 });
		const client = faulty.world.client(20_000);
		for (let i = 0; i < 90; i++) await faulty.world.simulation.complete(client.propose({ id: `${i}` }));
		await faulty.world.simulation.run({ untilMs: faulty.world.simulation.nowMs + 200 });
		return faulty;
	};
	const equal = async ({ world }: Faulty): Promise<void> => {
		const replicas = await world.simulation.complete(Promise.all(world.nodes.map((node) => world.replica(node))));
		for (const replica of replicas) expect(replica).toEqual(replicas[0]);
	};

	it("is found when the member starts again, told, got again from the leader, and sound from then on", async () => {
		const faulty = await withSnapshots(9);
		const { world, rest } = faulty;
		const { simulation } = world;
		const node = rest[0] as NodeId;
		world.kill(node);
		expect(world.disk.damage(world.storeOf(node), "bit-rot", ["snapshot"])).toMatch(/^snapshot /);
		await simulation.run({ untilMs: simulation.nowMs + 3_000 });
		expect(world.counts.get("snapshot-damaged")).toBe(1);
		expect(world.counts.get("snapshot-repaired")).toBe(1);
		expect(world.counts.get("log-damaged") ?? 0).toBe(0);
		expect(world.counts.get("log-repaired")).toBe(1);
		expect(world.disk.damagedStores).toEqual([]);
		await equal(faulty);
		await world.stop();
	});

	it("is found by a leader that is to send it, which takes another and goes on leading", async () => {
		const faulty = await withSnapshots(10);
		const { world, network, leader, rest } = faulty;
		const { simulation } = world;
		const cut = network.add({ kind: "isolate", nodes: [rest[0] as string] });
		const client = world.client(20_000);
		for (let i = 0; i < 60; i++) await simulation.complete(client.propose({ id: `more-${i}` }));
		await simulation.run({ untilMs: simulation.nowMs + 200 });
		const { term } = world.view.leader ?? expect.fail("it leads");
		world.disk.damage(world.storeOf(leader), "bit-rot", ["snapshot"]);
		cut.remove();
		await simulation.run({ untilMs: simulation.nowMs + 3_000 });
		expect(world.counts.get("snapshot-damaged")).toBe(1);
		expect(world.counts.get("child-failed") ?? 0).toBe(0);
		expect(world.view.leader).toEqual({ leader, term });
		expect(world.disk.damagedStores).toEqual([]);
		await equal(faulty);
		await world.stop();
	});
});

describe("the shipped code", () => {
	const trouble = ({ network, world, leader }: Faulty): { remove(): void } => {
		network.add({ kind: "loss", probability: 0.1 });
		network.add({ kind: "delay", delay: { type: "exponential", meanMs: 4 } });
		world.simulation.processes.add({ kind: "kill", thread: world.threadOf(leader) });
		return { remove: () => network.clear() };
	};

	it("asks the real world for neither time nor chance", async () => {
		const faulty = await start(5, { guardGlobals: true });
		const hash = await survive(faulty, trouble);
		expect(faulty.world.simulation.nondeterminism).toEqual([]);
		expect(await survive(await start(5), trouble)).toBe(hash);
	});

	it("repeats itself, event by event", async () => {
		const run = async (observe: TraceObserver): Promise<string> => survive(await start(6, { observe }), trouble);
		expect(await findDivergence(run)).toBeNull();
	});

	it("repeats a recorded run from its log alone", async () => {
		const recorded = new DecisionOracle({ record: true });
		const hash = await survive(await start(7, { oracle: recorded }), trouble);
		const replay = parseDecisionLog(formatDecisionLog(recorded.log(7)));
		const replayed = new DecisionOracle({ replay });
		expect(await survive(await start(7_000, { oracle: replayed }), trouble)).toBe(hash);
		expect(replayed.beyondReplay).toBe(0);
	});
});
