/** One SWIM member under a test's hand: inputs in, effects looked at; no clock, no network. */
import {
	assert,
	type ChoicePort,
	type CryptoPort,
	type Effect,
	Generator,
	type Input,
	must,
	type NodeId,
	nodeId,
} from "../../../../protocols/core/index.ts";
import {
	type MemberUpdate,
	type SwimConfig,
	type SwimEvent,
	SwimMachine,
	type SwimMessage,
	type SwimReply,
	type SwimRequest,
	type SwimTimer,
	type SwimTypes,
	swimConfig,
} from "../../../../protocols/gossip/index.ts";

export const a: NodeId = nodeId("a");
export const b: NodeId = nodeId("b");
export const c: NodeId = nodeId("c");
export const d: NodeId = nodeId("d");
export const e: NodeId = nodeId("e");
const none = new Uint8Array(0);

/** Always the first of what could be chosen. */
export const firstChoice: ChoicePort = { below: () => 0 };

/** Choices that vary, and are the same in each run. */
export function variedChoices(seed: number): ChoicePort {
	return new Generator(seed, "choices");
}

export function alive(node: NodeId, incarnation = 1, tags: Uint8Array = none): MemberUpdate {
	return { kind: "alive", node, incarnation, by: node, tags, signature: none };
}
export function suspected(node: NodeId, by: NodeId, incarnation = 1): MemberUpdate {
	return { kind: "suspect", node, incarnation, by, tags: none, signature: none };
}
export function dead(node: NodeId, by: NodeId, incarnation = 1): MemberUpdate {
	return { kind: "dead", node, incarnation, by, tags: none, signature: none };
}
export function left(node: NodeId, incarnation = 1): MemberUpdate {
	return { kind: "left", node, incarnation, by: node, tags: none, signature: none };
}

export class LoneMember {
	machine: SwimMachine;
	readonly config: SwimConfig;
	/** Of the last input. */
	effects: Effect<SwimTypes>[] = [];
	#nextRequest = 1;

	/** Member `a`, started, that knows these others alive. */
	constructor(
		options: {
			readonly others?: readonly NodeId[];
			readonly config?: Partial<SwimConfig>;
			readonly crypto?: CryptoPort;
			readonly choices?: ChoicePort;
			readonly incarnation?: number;
		} = {},
	) {
		this.config = swimConfig({ nodeId: a, ...options.config });
		const { crypto, choices = firstChoice } = options;
		this.machine = new SwimMachine(this.config, crypto === undefined ? { choices } : { choices, crypto });
		this.step({ type: "start", durable: { incarnation: options.incarnation ?? 0 } });
		for (const other of options.others ?? []) this.hear(other, alive(other));
	}

	step(input: Input<SwimTypes>): this {
		this.effects = [];
		this.machine.step(input, 0, this.effects);
		this.machine.step({ type: "batch-ended" }, 0, this.effects);
		return this;
	}
	receive(from: NodeId, message: SwimMessage): this {
		return this.step({ type: "message", from, message });
	}
	/** Gossip with these statements. */
	hear(from: NodeId, ...updates: MemberUpdate[]): this {
		return this.receive(from, { type: "gossip", updates, events: [] });
	}
	timer(timer: SwimTimer): this {
		return this.step({ type: "timer", timer });
	}
	request(request: SwimRequest): SwimReply[] {
		this.step({ type: "request", requestId: this.#nextRequest++, request });
		return this.replies;
	}
	ping(from: NodeId, sequence = 7): this {
		return this.receive(from, { type: "ping", sequence, updates: [], events: [] });
	}
	ack(from: NodeId, sequence: number): this {
		return this.receive(from, { type: "ack", sequence, payload: new Uint8Array(0), updates: [], events: [] });
	}
	/** Lets a probe of the next member fail altogether; returns who was probed. */
	failProbe(): NodeId {
		this.timer("probe");
		const [ping] = this.sent("ping");
		this.timer("probe-timeout");
		this.timer("probe");
		return must(ping, "somebody was probed").to;
	}
	/** Sends until nothing is left to be spread. */
	spreadAll(): this {
		for (let i = 0; i < 1_000 && this.machine.status.updatesWaiting > 0; i++) this.timer("gossip");
		assert(this.machine.status.updatesWaiting === 0, "everything is spread at some time");
		return this;
	}

	sent<Type extends SwimMessage["type"]>(
		type: Type,
	): { readonly to: NodeId; readonly message: Extract<SwimMessage, { type: Type }> }[] {
		return this.effects.flatMap((effect) =>
			effect.type === "send" && effect.message.type === type
				? [{ to: effect.to, message: effect.message as Extract<SwimMessage, { type: Type }> }]
				: [],
		);
	}
	get events(): SwimEvent[] {
		return this.effects.flatMap((effect) => (effect.type === "emit" ? [effect.event] : []));
	}
	get replies(): SwimReply[] {
		return this.effects.flatMap((effect) => (effect.type === "reply" ? [effect.reply] : []));
	}
	/** Delays that the last input set, by timer. */
	get timers(): ReadonlyMap<SwimTimer, { readonly min: number; readonly max: number }> {
		return new Map(
			this.effects.flatMap((effect) => (effect.type === "set-timer" ? [[effect.timer, effect.afterMs]] : [])),
		);
	}
	get cancelled(): SwimTimer[] {
		return this.effects.flatMap((effect) => (effect.type === "cancel-timer" ? [effect.timer] : []));
	}
	stateOf(id: NodeId): string {
		return this.machine.status.stateOf(id);
	}
	incarnationOf(id: NodeId): number | undefined {
		return this.machine.status.members().find(({ node }) => node === id)?.incarnation;
	}
	/** What waits to be spread about a member. */
	waitingAbout(id: NodeId): MemberUpdate | undefined {
		const { updates } = this.machine.state as { updates: readonly { item: MemberUpdate }[] };
		return updates.map(({ item }) => item).find(({ node }) => node === id);
	}
}
