/**
 * Goal: replicas as state machines come to the same bytes whatever the network and the machines do (CRDT-9, CRDT-11, CRDT-12, CRDT-15,
 * CRDT-16, CRDT-26, CRDT-30); acknowledged changes survive crashes; who is behind the log gets the whole state.
 * Method: `ReplicaWorld`: a chaos phase with losses, duplicates, a partition and crashes, then a quiet phase long enough for every pair to
 * exchange. A failure prints the seed.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Effect, Generator, type Input, nodeId } from "../../../../protocols/core/index.ts";
import { ByteWriter } from "../../../../protocols/crdt/encoding/byte-writer.ts";
import {
	type CrdtCommand,
	type CrdtMessage,
	type CrdtTypes,
	type DocumentSchema,
	type ReplicaConfig,
	ReplicaMachine,
	replicaConfig,
	replicaId,
} from "../../../../protocols/crdt/index.ts";
import { ReplicaWorld, type WorldOptions } from "./replica-world.ts";

const schema: DocumentSchema = { hits: "pn-counter", users: "add-wins-set", text: "text", per: { map: "pn-counter" } };

function randomCommand(draw: Generator, textLength: number): CrdtCommand {
	switch (draw.below(6)) {
		case 0:
			return { type: "increment", path: ["hits"], amount: 1 + draw.below(5) };
		case 1:
			return { type: draw.below(3) === 0 ? "remove" : "add", path: ["users"], value: `u${draw.below(6)}` };
		case 2:
			return { type: "increment", path: ["per", `k${draw.below(3)}`], amount: 1 };
		case 3:
			return { type: "remove-key", path: ["per"], key: `k${draw.below(3)}` };
		default:
			return textLength > 0 && draw.below(3) === 0
				? { type: "delete", path: ["text"], position: draw.below(textLength), count: 1 }
				: { type: "insert", path: ["text"], position: draw.below(textLength + 1), content: `${draw.below(100)} ` };
	}
}

function chaos(options: WorldOptions): ReplicaWorld {
	const world = new ReplicaWorld(options);
	const draw = new Generator(options.seed, "chaos");
	for (let i = 0; i < 120; i++) {
		const index = draw.below(options.members);
		const text = world.members[index]!.machine.document.text("text");
		world.change(index, randomCommand(draw, text.length));
		if (draw.below(8) === 0) world.isPartitioned = !world.isPartitioned;
		if (draw.below(10) === 0) world.crash(draw.below(options.members));
		if (draw.below(5) === 0) world.restart(draw.below(options.members));
		world.run(draw.below(80));
	}
	world.isPartitioned = false;
	world.lossPercent = 0;
	for (let index = 0; index < options.members; index++) if (!world.members[index]!.isUp) world.restart(index);
	world.run(options.members * options.members * 200);
	return world;
}

function expectConverged(world: ReplicaWorld): void {
	const [first, ...others] = world.members.map(({ machine }) => machine.document);
	for (const other of others) {
		expect(other.value).toEqual(first!.value);
		expect(other.encodeShared()).toEqual(first!.encodeShared());
		expect(other.waiting).toBe(0);
	}
}

describe("a group of replicas", () => {
	it("converges after losses, duplicates, partitions and crashes", () => {
		const seeds = fc.integer({ min: 0, max: 0x7fff_ffff });
		fc.assert(
			fc.property(seeds, fc.integer({ min: 2, max: 6 }), (seed, members) => {
				const world = chaos({ seed, members, schema, lossPercent: 20, config: { appendsMax: 20 } });
				expectConverged(world);
				// Nothing is an error in a group whose members do not lie.
				expect(world.events.filter(({ event }) => event.type === "message-refused")).toEqual([]);
			}),
			{ numRuns: 15 },
		);
	});

	it("sends the whole state to who is behind the bound of the log, and converges", () => {
		const world = chaos({ seed: 5, members: 4, schema, lossPercent: 60, config: { logRecordsMax: 3 } });
		expectConverged(world);
		const types = new Set(world.events.map(({ event }) => (event.type === "log-cut" ? event.reason : event.type)));
		expect(types).toContain("bound");
		expect(types).toContain("state-sent");
		for (const { machine } of world.members) expect(machine.document.logLength).toBeLessThanOrEqual(3);
	});

	it("forgets what all members have acknowledged, and then exchanges digests only", () => {
		const world = chaos({ seed: 6, members: 3, schema, lossPercent: 0 });
		for (const { machine } of world.members) expect(machine.document.logLength).toBe(0);
		const before = { ...world.sentBytes };
		world.run(2_000);
		expect(world.sentBytes["delta"]).toBe(before["delta"]);
		expect(world.sentBytes["state"]).toBe(before["state"]);
		expect(world.sentBytes["digest"]).toBeGreaterThan(before["digest"]!);
	});

	it("asks less often while there is nothing to exchange, and at once often again when there is (CRDT-28)", () => {
		const config = { syncIntervalMs: 100, syncIntervalMaxMs: 2_000 };
		const worlds = [config, { syncIntervalMs: 100 }].map((each) => {
			const world = new ReplicaWorld({ seed: 11, members: 3, schema, lossPercent: 0, config: each });
			world.change(0, { type: "add", path: ["users"], value: "first" });
			world.run(5_000);
			return world;
		});
		const digests = (world: ReplicaWorld, forMs: number): number => {
			const before = world.sentBytes["digest"]!;
			world.run(forMs);
			return world.sentBytes["digest"]! - before;
		};
		const [eager, steady] = worlds.map((world) => digests(world, 20_000));
		expect(eager! * 8).toBeLessThan(steady!);
		// The push of this change is lost: only an exchange can repair it, and it comes as if nobody had been idle.
		const [world] = worlds;
		world!.drops = (message) => message.type === "delta";
		world!.change(0, { type: "add", path: ["users"], value: "second" });
		world!.flush(world!.members[0]!);
		world!.drops = () => false;
		world!.run(600);
		for (const { machine } of world!.members) expect(machine.document.set("users").has("second")).toBe(true);
	});

	it("never loses a change that was answered", () => {
		const world = new ReplicaWorld({ seed: 7, members: 3, schema, lossPercent: 100 });
		for (let i = 0; i < 10; i++) {
			world.change(0, { type: "increment", path: ["hits"], amount: 1 });
			if (i % 3 === 0) world.flush(world.members[0]!);
		}
		const answered = world.replies.filter(({ type }) => type === "changed").length;
		world.restart(0);
		expect(answered).toBeGreaterThan(0);
		expect(world.members[0]!.machine.document.counter("hits").value).toBe(answered);
	});

	it("lets nothing leave of a change before that is durable", () => {
		const world = new ReplicaWorld({ seed: 8, members: 2, schema, lossPercent: 0 });
		world.run(1_000);
		world.change(0, { type: "add", path: ["users"], value: "early" });
		const effects: Effect<CrdtTypes>[] = [];
		world.members[0]!.machine.step({ type: "timer", timer: "sync" }, 0, effects);
		expect(effects.flatMap((effect) => (effect.type === "send" ? [effect.release] : []))).toEqual(["after-durable"]);
		// Its disk never has it: the other one never hears of it, and the restarted one can use the same dot.
		world.restart(0);
		world.run(1_000);
		expect(world.members[1]!.machine.document.set("users").has("early")).toBe(false);
		world.change(0, { type: "add", path: ["users"], value: "late" });
		world.flush(world.members[0]!);
		world.run(1_000);
		expect(world.members[1]!.machine.document.set("users").values).toEqual(["late"]);
	});
});

describe("a replica's machine", () => {
	const config = replicaConfig({ replica: replicaId("a", 0), members: ["a", "b"].map(nodeId), schema });

	it("answers a command that can not be done with its error, and keeps what was done before it", () => {
		const world = new ReplicaWorld({ seed: 9, members: 2, schema, lossPercent: 0 });
		const good: CrdtCommand = { type: "increment", path: ["hits"], amount: 1 };
		world.change(0, good, { type: "insert", path: ["text"], position: 9, content: "x" }, good);
		world.run(100);
		expect(world.replies).toEqual([
			{ type: "refused", done: 1, error: expect.objectContaining({ code: "crdt-position-out-of-range" }) as never },
		]);
		expect(world.members[1]!.machine.document.counter("hits").value).toBe(1);
	});

	it("ignores strangers, refuses damaged messages with an event, and never throws", () => {
		const machine = new ReplicaMachine(config);
		const effects: Effect<CrdtTypes>[] = [];
		machine.step({ type: "start", durable: { state: null, updates: [], collection: null } }, 0, effects);
		const bytes = new Uint8Array([1, 2, 3]);
		effects.length = 0;
		for (const message of [
			{ type: "delta", update: bytes },
			{ type: "state", state: bytes },
			{ type: "digest", context: bytes, epoch: 0, isAnswer: false },
		] as const) {
			machine.step({ type: "message", from: nodeId("b"), message }, 0, effects);
			machine.step({ type: "message", from: nodeId("c"), message }, 0, effects);
		}
		const types = effects.map((effect) => (effect.type === "emit" ? effect.event.type : effect.type));
		expect(types).toEqual(Array.from({ length: 3 }, () => ["message-refused", "stranger"]).flat());
	});

	/** A machine of a, which runs with b and c, and what its last input has led to. */
	function lone(more: Partial<ReplicaConfig> = {}) {
		const members = ["a", "b", "c"].map(nodeId);
		const machine = new ReplicaMachine(replicaConfig({ replica: replicaId("a", 0), members, schema, ...more }));
		const step = (input: Input<CrdtTypes>): Effect<CrdtTypes>[] => {
			const effects: Effect<CrdtTypes>[] = [];
			machine.step(input, 0, effects);
			return effects;
		};
		step({ type: "start", durable: { state: null, updates: [], collection: null } });
		const hear = (from: string, message: CrdtMessage) => step({ type: "message", from: nodeId(from), message });
		const increment = () => {
			const commands: CrdtCommand[] = [{ type: "increment", path: ["hits"], amount: 1 }];
			return step({ type: "request", requestId: 1, request: { type: "change", commands } });
		};
		const context = (): Uint8Array => {
			const writer = new ByteWriter();
			machine.document.context.encode(writer);
			return writer.take();
		};
		return { machine, hear, increment, context };
	}

	it("counts as answers what answers a question of its own, not the questions of others", () => {
		const { machine, hear, context } = lone();
		hear("b", { type: "digest", context: context(), epoch: 0, isAnswer: false });
		expect(machine.answersOf(nodeId("b"))).toBe(0);
		hear("b", { type: "digest", context: context(), epoch: 0, isAnswer: true });
		expect(machine.answersOf(nodeId("b"))).toBe(1);
	});

	it("keeps the log of a change until the last member has acknowledged it", () => {
		const { machine, hear, increment, context } = lone();
		increment();
		hear("b", { type: "digest", context: context(), epoch: 0, isAnswer: true });
		expect(machine.document.logLength).toBe(1);
		hear("c", { type: "digest", context: context(), epoch: 0, isAnswer: true });
		expect(machine.document.logLength).toBe(0);
	});

	it("writes its whole state after `appendsMax` updates, so that a restart reads no more of them", () => {
		const { increment } = lone({ appendsMax: 2 });
		const writes = Array.from({ length: 6 }, increment).flatMap((effects) =>
			effects.flatMap((effect) => (effect.type === "persist" ? [effect.write.type] : [])),
		);
		expect(writes).toEqual(["append", "append", "replace", "append", "append", "replace"]);
	});

	it("applies nothing while it has promised that it stands at the point of a collection (CRDT-29)", () => {
		const [other, { machine, hear, context }] = [lone(), lone({ replica: replicaId("b", 0) })];
		const sent = other.increment().flatMap((effect) => (effect.type === "send" ? [effect.message] : []));
		const [delta] = sent;
		expect(delta?.type).toBe("delta");
		hear("a", { type: "collection", step: "freeze", epoch: 0, round: 1, context: new Uint8Array() });
		hear("a", { type: "collection", step: "point", epoch: 0, round: 1, context: context() });
		expect(hear("c", delta!)).toEqual([]);
		hear("a", { type: "state", state: other.machine.document.encode() });
		expect(machine.document.counter("hits").value).toBe(0);
		hear("a", { type: "collection", step: "abort", epoch: 0, round: 1, context: new Uint8Array() });
		hear("a", { type: "state", state: other.machine.document.encode() });
		expect(machine.document.counter("hits").value).toBe(1);
	});

	it("is copied with all that decides what it does", () => {
		const world = chaos({ seed: 10, members: 3, schema, lossPercent: 10 });
		const { machine } = world.members[0]!;
		const copy = machine.copy();
		expect(copy.state).toEqual(machine.state);
		const outputs = [machine, copy].map((one) => {
			const effects: Effect<CrdtTypes>[] = [];
			const commands: CrdtCommand[] = [{ type: "insert", path: ["text"], position: 0, content: "both" }];
			one.step({ type: "request", requestId: 1, request: { type: "change", commands } }, 0, effects);
			one.step({ type: "timer", timer: "sync" }, 0, effects);
			return effects;
		});
		expect(outputs[0]).toEqual(outputs[1]);
	});

	it("refuses a config that can not work", () => {
		const codes = [
			{ ...config, syncIntervalMs: 0 },
			{ ...config, members: [nodeId("b")] },
			{ ...config, members: ["a", "a"].map(nodeId) },
			{ ...config, schema: { x: "nothing" as never } },
		].map((bad) => {
			try {
				new ReplicaMachine(bad);
				return "accepted";
			} catch (error) {
				return (error as { code: string }).code;
			}
		});
		expect(codes).toEqual([
			"invalid-argument",
			"crdt-replica-config-invalid",
			"crdt-replica-config-invalid",
			"crdt-schema-invalid",
		]);
	});
});
