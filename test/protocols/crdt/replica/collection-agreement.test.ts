/**
 * Goal: a group collects at one point or not at all (CRDT-29), whatever the network and the machines do: no two members ever differ
 * because of it, no acknowledged change is lost, and nobody waits for ever.
 * Method: `ReplicaWorld` under chaos with rounds begun all the time; then single messages lost on purpose, so that members
 * stand at each place of a round where it matters. A failure prints the seed.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import type { CollectionStep, CrdtCommand, CrdtMessage, DocumentSchema } from "../../../../protocols/crdt/index.ts";
import { ReplicaWorld } from "./replica-world.ts";

const schema: DocumentSchema = { text: "text", hits: "pn-counter", users: "add-wins-set" };

function randomCommand(draw: Generator, textLength: number): CrdtCommand {
	const at = draw.below(textLength + 1);
	switch (draw.below(5)) {
		case 0:
			return { type: "increment", path: ["hits"], amount: 1 + draw.below(5) };
		case 1:
			return { type: draw.below(2) === 0 ? "remove" : "add", path: ["users"], value: `u${draw.below(6)}` };
		case 2:
			return { type: "delete", path: ["text"], position: Math.max(0, at - 1), count: textLength > 0 ? 1 : 0 };
		default:
			return { type: "insert", path: ["text"], position: at, content: `${draw.below(1000)} ` };
	}
}

function change(world: ReplicaWorld, index: number, draw: Generator): void {
	const { length } = world.members[index]!.machine.document.text("text");
	world.change(index, randomCommand(draw, length));
}

function settle(world: ReplicaWorld): void {
	world.isPartitioned = false;
	world.lossPercent = 0;
	world.drops = () => false;
	for (const [index, { isUp }] of world.members.entries()) if (!isUp) world.restart(index);
	world.run(world.members.length * world.members.length * 300);
}

function expectConverged(world: ReplicaWorld): void {
	const [first, ...others] = world.members.map(({ machine }) => machine.document);
	for (const other of others) {
		expect(other.epoch).toBe(first!.epoch);
		expect(other.encodeShared()).toEqual(first!.encodeShared());
		expect(other.waiting).toBe(0);
	}
	for (const reply of world.replies) {
		if (reply.type === "changed") expect(first!.context.has(reply.replica, reply.through)).toBe(true);
	}
	expect(world.events.filter(({ event }) => event.type === "message-refused")).toEqual([]);
}

function epochs(world: ReplicaWorld): number[] {
	return world.members.map(({ machine }) => machine.document.epoch);
}

/** Three members with something to collect, all up to date. */
function trio(seed: number): ReplicaWorld {
	const world = new ReplicaWorld({ seed, members: 3, schema, lossPercent: 0 });
	world.change(1, { type: "insert", path: ["text"], position: 0, content: "one two three" });
	world.change(1, { type: "delete", path: ["text"], position: 3, count: 4 });
	world.run(2_000);
	return world;
}

function isStep(message: CrdtMessage, ...steps: CollectionStep[]): boolean {
	return message.type === "collection" && steps.includes(message.step);
}

describe("a group that collects", () => {
	it("comes to the same bytes under losses, duplicates, partitions and crashes, and does collect meanwhile", () => {
		let collections = 0;
		let aborted = 0;
		const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });
		fc.assert(
			fc.property(seeds, fc.integer({ min: 2, max: 5 }), (seed, members) => {
				const config = { appendsMax: 20, collectionAttemptsMax: 6 };
				const world = new ReplicaWorld({ seed, members, schema, lossPercent: 10, config });
				const draw = new Generator(seed, "chaos");
				for (let i = 0; i < 150; i++) {
					change(world, draw.below(members), draw);
					if (draw.below(6) === 0) world.ask(draw.below(members), { type: "collect" });
					if (draw.below(12) === 0) world.isPartitioned = !world.isPartitioned;
					if (draw.below(12) === 0) world.crash(draw.below(members));
					if (draw.below(4) === 0) world.restart(draw.below(members));
					world.run(draw.below(150));
				}
				settle(world);
				expectConverged(world);
				collections += world.members[0]!.machine.document.epoch;
				aborted += world.events.filter(({ event }) => event.type === "collection-aborted").length;
			}),
			{ numRuns: 10 },
		);
		// Else nothing of what it is about would have happened.
		expect(collections).toBeGreaterThan(10);
		expect(aborted).toBeGreaterThan(10);
	});

	it("frees what was deleted, at all members, and keeps the value", () => {
		const world = trio(1);
		const { value } = world.members[0]!.machine.document;
		world.ask(2, { type: "collect" });
		world.run(1_000);
		expect(world.replies.at(-1)).toEqual({ type: "collecting", leader: "n0" });
		expect(epochs(world)).toEqual([1, 1, 1]);
		const collected = world.events.flatMap(({ event }) => (event.type === "collected" ? [event] : []));
		expect(collected.map(({ epoch, tombstones }) => [epoch, tombstones])).toEqual([
			[1, 4],
			[1, 4],
			[1, 4],
		]);
		expect(world.members[0]!.machine.document.value).toEqual(value);
		expectConverged(world);
	});

	it("does changes that were asked for meanwhile after it, and refuses those beyond the bound", () => {
		const world = new ReplicaWorld({ seed: 2, members: 3, schema, lossPercent: 0, config: { heldChangesMax: 2 } });
		world.run(1_000);
		const before = world.replies.length;
		world.ask(0, { type: "collect" });
		for (let i = 0; i < 3; i++) world.change(0, { type: "increment", path: ["hits"], amount: 1 });
		world.flush(world.members[0]!);
		expect(world.replies.slice(before + 1)).toEqual([
			{ type: "refused", done: 0, error: expect.objectContaining({ code: "crdt-changes-held" }) as never },
		]);
		world.run(1_000);
		expect(epochs(world)).toEqual([1, 1, 1]);
		expect(world.members.map(({ machine }) => machine.document.counter("hits").value)).toEqual([2, 2, 2]);
	});

	it("gives a round up while a member can not be reached, and goes on changing", () => {
		const world = trio(3);
		world.crash(2);
		world.ask(0, { type: "collect" });
		world.change(1, { type: "increment", path: ["hits"], amount: 1 });
		world.run(5_000);
		expect(world.events.flatMap(({ event }) => (event.type === "collection-aborted" ? [event.reason] : []))).toEqual([
			"timeout",
		]);
		world.change(1, { type: "increment", path: ["hits"], amount: 1 });
		world.run(1_000);
		expect(world.members[0]!.machine.document.counter("hits").value).toBe(2);
		expect(epochs(world).slice(0, 2)).toEqual([0, 0]);
	});

	it("tells a replica that has lost its state, and changed something before it heard of the group, instead of losing that silently", () => {
		const world = trio(7);
		world.ask(0, { type: "collect" });
		world.run(1_000);
		world.crash(2);
		Object.assign(world.members[2]!.durable, { state: null, updates: [], collection: null });
		// Not the same incarnation: that is refused elsewhere. Here it is enough that it has never been heard of.
		world.members[2]!.incarnation = 1;
		world.isPartitioned = true;
		world.restart(2);
		world.change(2, { type: "increment", path: ["hits"], amount: 1 });
		world.isPartitioned = false;
		world.run(2_000);
		expect(world.events.filter(({ node, event }) => node === "n2" && event.type === "epoch-missed")).toHaveLength(1);
		world.change(2, { type: "increment", path: ["hits"], amount: 1 });
		world.flush(world.members[2]!);
		expect(world.replies.at(-1)).toMatchObject({ type: "refused", error: { code: "crdt-behind-floor" } });
		// Anew and with nothing of its own, it is taken in.
		world.crash(2);
		Object.assign(world.members[2]!.durable, { state: null, updates: [], collection: null });
		world.members[2]!.incarnation = 2;
		world.restart(2);
		world.run(2_000);
		world.change(2, { type: "increment", path: ["hits"], amount: 5 });
		world.run(1_000);
		expect(world.members.map(({ machine }) => machine.document.counter("hits").value)).toEqual([5, 5, 5]);
	});
});

describe("a member that has promised", () => {
	/** Both others have promised, and the leader has not heard it. */
	function promised(seed: number): ReplicaWorld {
		const world = trio(seed);
		world.drops = (message) => isStep(message, "ready");
		world.ask(0, { type: "collect" });
		world.run(400);
		world.change(1, { type: "increment", path: ["hits"], amount: 1 });
		world.run(100);
		// Held: not even its own replica has done it.
		expect(world.members[1]!.machine.document.counter("hits").value).toBe(0);
		return world;
	}

	it("keeps its promise over a crash, and is released by a leader that has lost the round", () => {
		const world = promised(4);
		world.restart(1);
		world.crash(0);
		world.change(1, { type: "increment", path: ["hits"], amount: 1 });
		world.drops = () => false;
		world.run(3_000);
		// Nobody who is there could know: it waits.
		expect(world.members[1]!.machine.document.counter("hits").value).toBe(0);
		world.restart(0);
		settle(world);
		expect(world.members[1]!.machine.document.counter("hits").value).toBe(1);
		expect(epochs(world)).toEqual([0, 0, 0]);
		expectConverged(world);
	});

	it("collects when it hears from anybody who has, even if the leader is gone for good", () => {
		const world = trio(5);
		world.drops = (message, _from, to) => to === "n2" && isStep(message, "collect");
		world.ask(0, { type: "collect" });
		world.run(60);
		for (let i = 0; i < 20 && world.members[1]!.machine.document.epoch === 0; i++) world.run(20);
		expect(epochs(world)).toEqual([1, 1, 0]);
		world.crash(0);
		world.drops = () => false;
		world.run(2_000);
		expect(epochs(world).slice(1)).toEqual([1, 1]);
		settle(world);
		expectConverged(world);
	});

	it("is released by a member that has not promised, which then never does: the round stays undecided", () => {
		const world = trio(6);
		// n2 is never told the point, so it can not promise.
		world.drops = (message, _from, to) => to === "n2" && isStep(message, "point");
		world.ask(0, { type: "collect" });
		world.run(250);
		world.crash(0);
		world.drops = () => false;
		world.change(1, { type: "increment", path: ["hits"], amount: 1 });
		world.run(10_000);
		expect(world.members[1]!.machine.document.counter("hits").value).toBe(1);
		settle(world);
		expect(epochs(world)).toEqual([0, 0, 0]);
		world.ask(0, { type: "collect" });
		world.run(1_000);
		expect(epochs(world)).toEqual([1, 1, 1]);
		expectConverged(world);
	});
});
