/**
 * The same model, explored the plain way: every state as objects, every step by the machines themselves, states told apart
 * by their canonical text (under symmetry the least over all renamings). No numbers, no memory of transitions, no sums.
 */
import {
	canonicalText,
	type Effect,
	type Input,
	must,
	type NodeId,
	type StateMachine,
} from "../../../../protocols/core/index.ts";
import type { RaftTypes, RaftView } from "../../../../protocols/raft/index.ts";
import type { Envelope, GroupModel } from "../../../../protocols/verification/model-checker/index.ts";

interface Member {
	machine: StateMachine<RaftTypes>;
	durable: RaftTypes["durable"];
	unfinished: Extract<Effect<RaftTypes>, { type: "persist" }>[];
	held: { after: number; effect: Effect<RaftTypes> }[];
	timers: Set<RaftTypes["timer"]>;
}
interface World {
	members: Member[];
	network: Envelope<RaftTypes>[];
	crashes: number;
	losses: number;
	duplicates: number;
	requests: number;
}

/** How many distinct states a model has: asynchronous disk, multiset, no reduction. */
export function countNaively(model: GroupModel<RaftTypes, RaftView>): { readonly distinct: number } {
	const explorer = new NaiveExplorer(model);
	return { distinct: explorer.run() };
}

class NaiveExplorer {
	readonly #model: GroupModel<RaftTypes, RaftView>;
	readonly #seen = new Set<string>();
	readonly #queue: World[] = [];

	constructor(model: GroupModel<RaftTypes, RaftView>) {
		this.#model = model;
	}

	run(): number {
		const { port } = this.#model;
		const world: World = { members: [], network: [], crashes: 0, losses: 0, duplicates: 0, requests: 0 };
		for (const node of port.nodes) world.members.push(this.#started(node, port.blank, world));
		this.#offer(world);
		for (const next of this.#queue) this.#expand(next);
		return this.#seen.size;
	}

	#started(node: NodeId, durable: RaftTypes["durable"], world: World): Member {
		const machine = this.#model.port.create(node);
		const member: Member = { machine, durable, unfinished: [], held: [], timers: new Set() };
		this.#step(world, member, node, { type: "start", durable });
		return member;
	}

	#expand(world: World): void {
		const { bounds, port } = this.#model;
		for (const [i, node] of port.nodes.entries()) {
			const at = must(world.members[i], "a member");
			for (const timer of at.timers) {
				this.#try(
					world,
					(next, member) => {
						member.timers.delete(timer);
						this.#step(next, member, node, { type: "timer", timer });
					},
					i,
				);
			}
			if (at.unfinished.length > 0) this.#try(world, (next, member) => this.#finishOldest(next, member, node), i);
			for (let survivors = 0; world.crashes < bounds.crashes && survivors <= at.unfinished.length; survivors++) {
				const next = copyOf(world);
				next.crashes++;
				let { durable } = at;
				for (const { write } of at.unfinished.slice(0, survivors)) durable = port.performWrite(durable, write);
				next.members[i] = this.#started(node, durable, next);
				this.#offer(next);
			}
			const request = port.requests[world.requests];
			if (request !== undefined) {
				const next = copyOf(world);
				next.requests++;
				const before = this.#textOf(next);
				this.#step(next, must(next.members[i], "a member"), node, {
					type: "request",
					requestId: world.requests,
					request,
				});
				if (this.#textOf(next) !== before) this.#offer(next);
			}
		}
		for (const [slot, envelope] of world.network.entries()) this.#move(world, slot, envelope);
	}

	#move(world: World, slot: number, { from, to, message }: Envelope<RaftTypes>): void {
		const { bounds, port } = this.#model;
		const i = port.nodes.indexOf(to);
		const deliver = (next: World, member: Member): void =>
			this.#step(next, member, to, { type: "message", from, message });
		this.#try(
			world,
			(next, member) => {
				next.network.splice(slot, 1);
				deliver(next, member);
			},
			i,
		);
		if (bounds.duplicates !== "any" && world.duplicates < bounds.duplicates) {
			this.#try(
				world,
				(next, member) => {
					next.duplicates++;
					deliver(next, member);
				},
				i,
			);
		}
		if (bounds.losses !== "any" && world.losses < bounds.losses) {
			this.#try(
				world,
				(next) => {
					next.losses++;
					next.network.splice(slot, 1);
				},
				i,
			);
		}
	}

	#try(world: World, change: (next: World, member: Member) => void, i: number): void {
		const next = copyOf(world);
		const member = must(next.members[i], "a member");
		member.machine = member.machine.copy();
		change(next, member);
		this.#offer(next);
	}

	#offer(world: World): void {
		const { bounds, port } = this.#model;
		const waiting = world.members.map(({ held }) => held.filter(({ effect }) => effect.type === "send").length);
		if (bounds.inFlight !== "any" && Math.max(world.network.length, ...waiting) > bounds.inFlight) return;
		if (!world.members.every((member) => port.isWithin(this.#essenceOf(member)))) return;
		const text = this.#textOf(world);
		if (this.#seen.has(text)) return;
		this.#seen.add(text);
		this.#queue.push(world);
	}

	#step(world: World, member: Member, node: NodeId, input: Input<RaftTypes>): void {
		member.machine = member.machine.copy();
		const effects: Effect<RaftTypes>[] = [];
		member.machine.step(input, 0, effects);
		member.machine.step({ type: "batch-ended" }, 0, effects);
		for (const effect of effects) {
			const newest = member.unfinished.at(-1);
			const waits = "release" in effect && effect.release === "after-durable" && newest !== undefined;
			if (waits) member.held.push({ after: newest.writeId, effect });
			else this.#perform(world, member, node, effect);
		}
	}

	#perform(world: World, member: Member, node: NodeId, effect: Effect<RaftTypes>): void {
		if (effect.type === "send") world.network.push({ from: node, to: effect.to, message: effect.message });
		if (effect.type === "persist") member.unfinished.push(effect);
		if (effect.type === "set-timer") member.timers.add(effect.timer);
		if (effect.type === "cancel-timer") member.timers.delete(effect.timer);
	}

	#finishOldest(world: World, member: Member, node: NodeId): void {
		const { writeId, write } = must(member.unfinished.shift(), "a write is unfinished");
		member.durable = this.#model.port.performWrite(member.durable, write);
		const released = member.held.filter(({ after }) => after <= writeId);
		member.held = member.held.filter(({ after }) => after > writeId);
		for (const { effect } of released) this.#perform(world, member, node, effect);
		this.#step(world, member, node, { type: "write-completed", writeId });
	}

	#essenceOf({ machine, unfinished }: Member): unknown {
		return this.#model.port.essence(machine.state, unfinished[0]?.writeId ?? null);
	}

	/** The state as text; under symmetry the least of the texts under all renamings. */
	#textOf(world: World): string {
		const { nodes } = this.#model.port;
		const { crashes, losses, duplicates, requests } = world;
		const members = new Map(
			world.members.map((member, i) => {
				const first = member.unfinished[0]?.writeId ?? 0;
				const held = member.held.map(({ after, effect }) => [after - first, effect]);
				const writes = member.unfinished.map(({ write }) => write);
				return [nodes[i], [this.#essenceOf(member), member.durable, writes, held, member.timers]];
			}),
		);
		const plain = (order: readonly string[]): string => {
			const rename = (value: unknown): unknown => renamed(value, nodes, order);
			const network = world.network.map((envelope) => canonicalText(rename(envelope))).sort();
			return canonicalText([rename(members), network, crashes, losses, duplicates, requests]);
		};
		if (!this.#model.isSymmetric) return plain(nodes);
		return must(ordersOf(nodes).map(plain).sort()[0], "there is an order");
	}
}

function copyOf(world: World): World {
	const members = world.members.map((member) => ({
		...member,
		unfinished: member.unfinished.slice(),
		held: member.held.slice(),
		timers: new Set(member.timers),
	}));
	return { ...world, members, network: world.network.slice() };
}

function ordersOf(nodes: readonly string[]): string[][] {
	if (nodes.length === 0) return [[]];
	return nodes.flatMap((node) => ordersOf(nodes.filter((other) => other !== node)).map((order) => [node, ...order]));
}

function renamed(value: unknown, nodes: readonly string[], order: readonly string[]): unknown {
	const of = (item: unknown): unknown => renamed(item, nodes, order);
	if (typeof value === "string") return nodes.includes(value) ? order[nodes.indexOf(value)] : value;
	if (value === null || typeof value !== "object" || value instanceof Uint8Array) return value;
	if (Array.isArray(value)) return value.map(of);
	if (value instanceof Set) return new Set([...value].map(of));
	if (value instanceof Map) return new Map([...value].map(([key, item]) => [of(key), of(item)]));
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, of(item)]));
}
