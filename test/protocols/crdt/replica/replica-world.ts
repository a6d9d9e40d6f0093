/**
 * A deterministic host for a group of replicas: virtual time, and one seed that decides every delay, loss, duplicate, partition and
 * crash. It does what the contract asks of a host: effects are held until what was persisted before them is durable, a crash
 * loses what was not, and a restart gets exactly what was.
 */
import { type Effect, Generator, type Input, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	type CrdtCommand,
	type CrdtDurable,
	type CrdtEvent,
	type CrdtReply,
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
	durable: { state: Uint8Array | null; updates: Uint8Array[] };
	/** Writes that are not durable yet, each with what waits for it. */
	writing: { readonly write: CrdtWrite; readonly held: Held[] }[];
	timerAtMs: number;
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
	readonly sentBytes: Record<string, number> = { digest: 0, delta: 0, state: 0 };
	nowMs = 0;
	lossPercent: number;
	/** Members of the first half can not reach the others. */
	isPartitioned = false;
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
			machine: this.#machine(node, nodes),
			isUp: true,
			durable: { state: null, updates: [] },
			writing: [],
			timerAtMs: Number.POSITIVE_INFINITY,
			life: 0,
		}));
		for (const member of this.members) this.#start(member);
	}

	#machine(node: NodeId, members: readonly NodeId[]): ReplicaMachine {
		const { schema, config } = this.#options;
		return new ReplicaMachine(replicaConfig({ replica: replicaId(node, 0), members, schema, ...config }));
	}

	change(index: number, ...commands: readonly CrdtCommand[]): void {
		const member = this.members[index]!;
		if (!member.isUp) return;
		this.#requests += 1;
		this.step(member, { type: "request", requestId: this.#requests, request: { type: "change", commands } });
	}

	/** Everything in memory and every write under way is lost; messages that have left are not. */
	crash(index: number): void {
		const member = this.members[index]!;
		member.isUp = false;
		member.writing = [];
		member.timerAtMs = Number.POSITIVE_INFINITY;
		member.life += 1;
	}

	restart(index: number): void {
		const member = this.members[index]!;
		if (member.isUp) this.crash(index);
		member.isUp = true;
		member.machine = this.#machine(
			member.node,
			this.members.map(({ node }) => node),
		);
		this.#start(member);
	}

	/** Lets time pass. */
	run(forMs: number): void {
		const end = this.nowMs + forMs;
		for (;;) {
			const flight = this.#flights.reduce<Flight | null>((a, b) => (a === null || b.atMs < a.atMs ? b : a), null);
			const timer = this.members.reduce((a, b) => (b.timerAtMs < a.timerAtMs ? b : a));
			const next = Math.min(flight?.atMs ?? Number.POSITIVE_INFINITY, timer.timerAtMs);
			if (next > end) break;
			this.nowMs = next;
			if (flight !== null && flight.atMs === next) this.#arrive(flight);
			else {
				timer.timerAtMs = Number.POSITIVE_INFINITY;
				this.step(timer, { type: "timer", timer: "sync" });
			}
			// Disks are now and then a few events behind.
			for (const member of this.members) if (this.#draw.below(3) === 0) this.flush(member);
		}
		this.nowMs = end;
		for (const member of this.members) this.flush(member);
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
			if (write.type === "replace") member.durable = { state: write.state, updates: [] };
			else member.durable.updates.push(write.update);
			for (const effect of held) this.#release(member, effect);
		}
	}

	#start(member: Member): void {
		const durable: CrdtDurable = { state: member.durable.state, updates: [...member.durable.updates] };
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
				member.timerAtMs =
					this.nowMs + effect.afterMs.min + this.#draw.below(effect.afterMs.max - effect.afterMs.min + 1);
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
		const bytes =
			message.type === "digest" ? message.context : message.type === "delta" ? message.update : message.state;
		this.sentBytes[message.type]! += bytes.length;
		if (this.#draw.below(100) < this.lossPercent) return;
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
