/**
 * Goal: what stands between an experiment and what it breaks: threads that are held dead, the board on which members read
 * which faults are in force, and partitions in the words of the network.
 * Method: each piece alone.
 */
import { describe, expect, it } from "vitest";
import {
	createFaultBoard,
	FaultBoardReader,
	FaultBoardWriter,
	memberOrders,
} from "../../../actors/experiment/fault-board.ts";
import { HeldThreads } from "../../../actors/experiment/held-threads.ts";
import { networkFaultsOf } from "../../../actors/experiment/network-faults.ts";
import { TargetSelection } from "../../../actors/experiment/target-selection.ts";
import type { Swarm } from "../../../actors/swarm/index.ts";
import { Generator } from "../../../protocols/core/index.ts";
import type { NetworkFault, ThreadDirectory } from "../../../runtime/index.ts";
import type { FaultArgument } from "../../../supervisors/index.ts";

describe("a held thread", () => {
	it("is not started before everybody who holds it has let it go", async () => {
		const started: string[] = [];
		const threads = new HeldThreads({
			start: async ({ name }: { readonly name: string }) => {
				started.push(name);
				return 1;
			},
		} as unknown as ThreadDirectory);
		const spec = { name: "raft/node-1", waiting: "async", dedicated: true } as const;
		const [first, second] = [threads.hold("raft/node-1"), threads.hold("raft/node-1")];
		const start = threads.start(spec);
		await threads.start({ ...spec, name: "raft/node-2" });
		first();
		first();
		await Promise.resolve();
		expect(started).toEqual(["raft/node-2"]);
		second();
		await start;
		expect(started).toEqual(["raft/node-2", "raft/node-1"]);
	});
});

describe("the fault board", () => {
	const loss = (probability: number): NetworkFault => ({ kind: "loss", probability });

	it("shows each reader what is in force, once for each change, however late it comes", () => {
		const memory = createFaultBoard();
		const writer = new FaultBoardWriter(memory);
		const early = new FaultBoardReader(memory);
		expect(early.changed()).toBeNull();
		const end = writer.add(loss(0.1));
		writer.add(loss(0.2));
		expect(early.changed()?.map(({ fault }) => fault)).toEqual([loss(0.1), loss(0.2)]);
		expect(early.changed()).toBeNull();
		end();
		expect(new FaultBoardReader(memory).changed()?.map(({ fault }) => fault)).toEqual([loss(0.2)]);
		expect(early.changed()?.map(({ number }) => number)).toEqual([2]);
	});

	it("refuses more than it holds, and keeps what it had", () => {
		const memory = createFaultBoard();
		const writer = new FaultBoardWriter(memory);
		writer.add(loss(0.5));
		const names = Array.from({ length: 10_000 }, (_, number) => `node-${number}`);
		expect(() => writer.add({ kind: "isolate", nodes: names })).toThrowError(
			expect.objectContaining({ code: "faults-too-large" }),
		);
		expect(new FaultBoardReader(memory).changed()?.map(({ fault }) => fault)).toEqual([loss(0.5)]);
	});

	it("gives an order to its member, once", () => {
		const memory = createFaultBoard();
		const writer = new FaultBoardWriter(memory);
		writer.order(2, memberOrders.spin);
		const reader = new FaultBoardReader(memory);
		expect(reader.takeOrder(1)).toBe(memberOrders.none);
		expect(reader.takeOrder(2)).toBe(memberOrders.spin);
		// The thread that replaces this one must not obey again.
		expect(new FaultBoardReader(memory).takeOrder(2)).toBe(memberOrders.none);
		writer.order(2, memberOrders.none);
		expect(reader.takeOrder(2)).toBe(memberOrders.none);
	});

	it("tells what is wrong with the disk, and to whom the lanes are to be full", () => {
		const memory = createFaultBoard();
		const [writer, reader] = [new FaultBoardWriter(memory), new FaultBoardReader(memory)];
		const sound = { isStalled: false, isFull: false, delayMs: 0, flushFails: 0, readFails: 0 };
		expect(reader.disk).toEqual(sound);
		for (const isStalled of [true, false]) {
			const state = { isStalled, isFull: !isStalled, delayMs: 12, flushFails: 0.25, readFails: 0.000_001 };
			writer.disk = state;
			expect(reader.disk).toEqual(state);
		}
		const [first, second] = [writer.fillLanes(1), writer.fillLanes(1)];
		first();
		expect([reader.isFilled(0), reader.isFilled(1)]).toEqual([false, true]);
		second();
		expect(reader.isFilled(1)).toBe(false);
	});

	it("holds a member until the order is withdrawn", () => {
		const memory = createFaultBoard();
		const [writer, reader] = [new FaultBoardWriter(memory), new FaultBoardReader(memory)];
		writer.order(0, memberOrders.hold);
		expect([reader.isTaken(0), reader.takeOrder(0), reader.isTaken(0)]).toEqual([false, memberOrders.hold, true]);
		writer.order(0, memberOrders.none);
		expect(reader.isTaken(0)).toBe(false);
	});
});

describe("network faults", () => {
	const nodes = ["node-1", "node-2", "node-3", "node-4", "node-5"];
	const swarm = {
		nodes: nodes.map((node) => ({ node })),
		leader: { leader: "node-2", term: 7 },
	} as unknown as Swarm;
	const selection = new TargetSelection(swarm, new Generator(1));
	const faultsOf = (kind: string, given: Readonly<Record<string, FaultArgument>>): readonly NetworkFault[] =>
		networkFaultsOf({ kind, arguments: given }, selection).faults;
	const partition = (shape: string, given = {}): readonly NetworkFault[] =>
		faultsOf("partition", { shape, target: "node-4", direction: "in", ...given });

	it.each([
		[
			"halves",
			{ side: ["node-1", "node-2"] },
			[
				["node-1", "node-2"],
				["node-3", "node-4", "node-5"],
			],
		],
		["isolate", {}, [["node-4"], ["node-1", "node-2", "node-3", "node-5"]]],
		["leader-vs-rest", {}, [["node-2"], ["node-1", "node-3", "node-4", "node-5"]]],
		[
			"bridge",
			{},
			[
				["node-1", "node-2", "node-4"],
				["node-3", "node-5", "node-4"],
			],
		],
	])("cut as %s", (shape, given, groups) => {
		expect(partition(shape, given)).toEqual([{ kind: "partition", groups }]);
	});

	it("cut one way and as a ring in which everybody sees a majority", () => {
		expect(partition("one-way")).toEqual([{ kind: "one-way", to: ["node-4"] }]);
		expect(partition("one-way", { direction: "out" })).toEqual([{ kind: "one-way", from: ["node-4"] }]);
		expect(partition("majorities-ring")).toEqual([{ kind: "ring", order: nodes, reach: 1 }]);
	});

	it("are on both directions of a member's links, and on no link twice", () => {
		expect(faultsOf("loss", { target: "leader", probability: 0.5 })).toEqual([
			{ kind: "loss", probability: 0.5, from: ["node-2"] },
			{ kind: "loss", probability: 0.5, to: ["node-2"] },
		]);
		expect(faultsOf("loss", { target: "all", probability: 0.5 })).toEqual([{ kind: "loss", probability: 0.5 }]);
	});

	it("never delay by less than nothing", () => {
		const given = { target: "all", meanMs: 10, jitterMs: 30, distribution: "uniform" };
		expect(faultsOf("delay", given)).toEqual([{ kind: "delay", delay: { type: "uniform", min: 0, max: 20 } }]);
	});

	it("need somebody to hit", () => {
		const leaderless = new TargetSelection(
			{ ...swarm, nodes: swarm.nodes, leader: null } as unknown as Swarm,
			new Generator(1),
		);
		expect(() => leaderless.one("kill", "leader")).toThrowError(
			expect.objectContaining({ code: "fault-not-applicable" }),
		);
		expect(selection.one("kill", "follower")).not.toBe("node-2");
	});
});
