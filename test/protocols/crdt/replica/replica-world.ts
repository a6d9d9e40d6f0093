/**
 * A deterministic host for a group of replicas: virtual time, and one seed that decides every delay, loss, duplicate, partition and
 * crash. It does what the contract asks of a host: effects are held until what was persisted before them is durable, a crash
 * loses what was not, and a restart gets exactly what was.
 */
import { type Effect, Generator, type Input, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	type CollectionRecord,
	type CrdtCommand,
	type CrdtDurable,
	type CrdtEvent,
	type CrdtMessage,
	type CrdtReply,
	type CrdtRequest,
	type CrdtTypes,
	type CrdtWrite,
	type DocumentSchema,
	type ReplicaConfig,
	ReplicaMachine,
	replicaConfig,
	replicaId,
} from "../../../../protocols/crdt/index.ts";

type Send = Extract<Effect<CrdtTypes>, { type: "send" }>;
type Held = Extract<Effect<CrdtTypes>, { type: "send" | "reply" }>;

interface Member {
	readonly node: NodeId;
	machine: ReplicaMachine;
	/** Null while it is down. */
	isUp: boolean;
	durable: { state: Uint8Array | null; updates: Uint8Array[]; collection: CollectionRecord | null };
	/** Writes that are not durable yet, each with what waits for it. */
	writing: { readonly write: CrdtWrite; readonly held: Held[] }[];
	readonly timersAtMs: Map<CrdtTypes["timer"], number>;
	/** Of its replica: a new one after its state was lost. */
	incarnation: number;
	/** Counts lives: what belongs to a former one is dropped. */
	life: number;
}

interface Flight {
	readonly atMs: number;
	readonly from: NodeId;
	readonly send: Send;
}

export interface WorldOptions {
	readonly seed: number;
	readonly members: number;
	readonly schema: DocumentSchema;
	readonly lossPercent: number;
	readonly config?: Partial<ReplicaConfig>;
}

export class ReplicaWorld {
	readonly members: Member[];
	readonly events: { readonly node: NodeId; readonly event: CrdtEvent }[] = [];
	readonly replies: CrdtReply[] = [];
	/** Bytes of messages by type. */
	readonly sentBytes: Record<string, number> = { digest: 0, delta: 0, state: 0, collection: 0 };
	nowMs = 0;
	lossPercent: number;
	/** Members of the first half can not reach the others. */
	isPartitioned = false;
	/** Messages that are lost on purpose. */
	drops: (message: CrdtMessage, from: NodeId, to: NodeId) => boolean = () => false;
	readonly #draw: Generator;
	readonly #options: WorldOptions;
	#flights: Flight[] = [];
	#requests = 0;

	constructor(options: WorldOptions) {
		this.#options = options;
		this.#draw = new Generator(options.seed, "world");
		this.lossPercent = options.lossPercent;
		const nodes = Array.from({ length: options.members }, (_unused, i) => nodeId(`n${i}`));
		this.members = nodes.map((node) => ({
			node,
			machine: this.#machine(node, nodes, 0),
			incarnation: 0,
			isUp: true,
			durable: { state: null, updates: [], collection: null },
			writing: [],
			timersAtMs: new Map(),
			life: 0,
		}));
		for (const member of this.members) this.#start(member);
	}

	#machine(node: NodeId, members: readonly NodeId[], incarnation: number): ReplicaMachine {
		const { schema, config } = this.#options;
		return new ReplicaMachine(replicaConfig({ replica: replicaId(node, incarnation), members, schema, ...config }));
	}

	change(index: number, ...commands: readonly CrdtCommand[]): void {
		this.ask(index, { type: "change", commands });
	}

	ask(index: number, request: CrdtRequest): void {
		const member = this.members[index]!;
		if (!member.isUp) return;
		this.#requests += 1;
		this.step(member, { type: "request", requestId: this.#requests, request });
	}

	/** Everything in memory and every write under way is lost; messages that have left are not. */
	crash(index: number): void {
		const member = this.members[index]!;
		member.isUp = false;
		member.writing = [];
		member.timersAtMs.clear();
		member.life += 1;
	}

	restart(index: number): void {
		const member = this.members[index]!;
		if (member.isUp) this.crash(index);
		member.isUp = true;
		member.machine = this.#machine(
			member.node,
			this.members.map(({ node }) => node),
			member.incarnation,
		);
		this.#start(member);
	}

	/** Lets time pass. */
	run(forMs: number): void {
		const end = this.nowMs + forMs;
		for (;;) {
			const flight = this.#flights.reduce<Flight | null>((a, b) => (a === null || b.atMs < a.atMs ? b : a), null);
			const due = this.#nextTimer();
			const next = Math.min(flight?.atMs ?? Number.POSITIVE_INFINITY, due?.atMs ?? Number.POSITIVE_INFINITY);
			if (next > end) break;
			this.nowMs = next;
			if (flight !== null && flight.atMs === next) this.#arrive(flight);
			else if (due !== null) {
				due.member.timersAtMs.delete(due.timer);
				this.step(due.member, { type: "timer", timer: due.timer });
			}
			// Disks are now and then a few events behind.
			for (const member of this.members) if (this.#draw.below(3) === 0) this.flush(member);
		}
		this.nowMs = end;
		for (const member of this.members) this.flush(member);
	}

	#nextTimer(): { readonly member: Member; readonly timer: CrdtTypes["timer"]; readonly atMs: number } | null {
		const timers = this.members.flatMap((member) =>
			[...member.timersAtMs].map(([timer, atMs]) => ({ member, timer, atMs })),
		);
		return timers.reduce<(typeof timers)[number] | null>((a, b) => (a === null || b.atMs < a.atMs ? b : a), null);
	}

	step(member: Member, input: Input<CrdtTypes>): void {
		const effects: Effect<CrdtTypes>[] = [];
		member.machine.step(input, this.nowMs, effects);
		member.machine.step({ type: "batch-ended" }, this.nowMs, effects);
		for (const effect of effects) this.#perform(member, effect);
	}

	/** Makes everything durable that a member has persisted, and releases what has waited for it. */
	flush(member: Member): void {
		for (const { write, held } of member.writing.splice(0)) {
			if (write.type === "replace") Object.assign(member.durable, { state: write.state, updates: [] });
			else if (write.type === "append") member.durable.updates.push(write.update);
			else member.durable.collection = write.record;
			for (const effect of held) this.#release(member, effect);
		}
	}

	#start(member: Member): void {
		const durable: CrdtDurable = { ...member.durable, updates: [...member.durable.updates] };
		this.step(member, { type: "start", durable });
	}

	#perform(member: Member, effect: Effect<CrdtTypes>): void {
		switch (effect.type) {
			case "persist":
				member.writing.push({ write: effect.write, held: [] });
				return;
			case "send":
			case "reply": {
				const last = member.writing.at(-1);
				if (last === undefined) this.#release(member, effect);
				else last.held.push(effect);
				return;
			}
			case "set-timer":
				member.timersAtMs.set(
					effect.timer,
					this.nowMs + effect.afterMs.min + this.#draw.below(effect.afterMs.max - effect.afterMs.min + 1),
				);
				return;
			case "emit":
				this.events.push({ node: member.node, event: effect.event });
				return;
			default:
				throw new Error(`no host for ${effect.type}`);
		}
	}

	#release(member: Member, effect: Held): void {
		if (effect.type === "reply") {
			this.replies.push(effect.reply);
			return;
		}
		const { message } = effect;
		this.sentBytes[message.type]! += bytesOf(message).length;
		if (this.#draw.below(100) < this.lossPercent || this.drops(message, member.node, effect.to)) return;
		const copies = this.#draw.below(20) === 0 ? 2 : 1;
		for (let copy = 0; copy < copies; copy++) {
			this.#flights.push({ atMs: this.nowMs + 1 + this.#draw.below(30), from: member.node, send: effect });
		}
	}

	#arrive(flight: Flight): void {
		this.#flights = this.#flights.filter((other) => other !== flight);
		const to = this.members.findIndex(({ node }) => node === flight.send.to);
		const from = this.members.findIndex(({ node }) => node === flight.from);
		const half = this.members.length / 2;
		if (this.isPartitioned && from < half !== to < half) return;
		const member = this.members[to]!;
		if (member.isUp) this.step(member, { type: "message", from: flight.from, message: flight.send.message });
	}
}

function bytesOf(message: CrdtMessage): Uint8Array {
	switch (message.type) {
		case "digest":
		case "collection":
			return message.context;
		case "delta":
			return message.update;
		case "state":
			return message.state;
	}
}
