/**
 * A cumulative network explored the plain way: states are members as objects and the set of all messages ever sent, told
 * apart by their text. Nothing is left out, nothing is remembered but what was seen, and no code is shared with the
 * checker's spaces. The disk is synchronous.
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
	readonly machine: StateMachine<RaftTypes>;
	readonly durable: RaftTypes["durable"];
	readonly timers: ReadonlySet<RaftTypes["timer"]>;
}
interface World {
	readonly members: readonly Member[];
	readonly network: ReadonlyMap<string, Envelope<RaftTypes>>;
	readonly crashes: number;
	readonly requests: number;
}
type Model = GroupModel<RaftTypes, RaftView>;

/** Every group of members that is reached within the bounds, as `describe` puts it, and how many states there are. */
export function reachNaively(
	model: Model,
	describe: (member: Member, node: NodeId) => string,
): { readonly groups: ReadonlySet<string>; readonly distinct: number } {
	const { nodes, blank } = model.port;
	const groups = new Set<string>();
	const seen = new Set<string>();
	const queue: World[] = [];
	const offer = (world: World): void => {
		const isWithin = world.members.every(({ machine }) => model.port.isWithin(model.port.essence(machine.state, null)));
		const text = canonicalText([
			world.members.map((member) => textOf(model, member)),
			[...world.network.keys()].sort(),
			world.crashes,
			world.requests,
		]);
		if (!isWithin || seen.has(text)) return;
		seen.add(text);
		queue.push(world);
	};
	const members = nodes.map((node) => new Run(model, node, null).start(blank).member());
	offer({ members, network: new Map(), crashes: 0, requests: 0 });
	for (const world of queue) {
		groups.add(world.members.map((member, i) => describe(member, must(nodes[i], "a node"))).join("\n"));
		expand(model, world, offer);
	}
	return { groups, distinct: seen.size };
}

function expand(model: Model, world: World, offer: (next: World) => void): void {
	const { port, bounds } = model;
	const take = (i: number, input: Input<RaftTypes>, spent: Partial<World> = {}): void => {
		const at = must(world.members[i], "a member");
		const node = must(port.nodes[i], "a node");
		const whole = new Run(model, node, at).take(input);
		offer({ ...world, ...spent, ...joined(world, i, whole.finish()) });
		if (world.crashes >= bounds.crashes) return;
		const crashes = world.crashes + 1;
		for (let survivors = 0; ; survivors++) {
			const run = new Run(model, node, at).take(input);
			if (survivors > run.unfinished.length) break;
			offer({ ...world, ...spent, crashes, ...joined(world, i, run.crash(survivors).finish()) });
		}
	};
	for (const [i, { timers }] of world.members.entries()) {
		for (const timer of timers) take(i, { type: "timer", timer });
		const request = port.requests[world.requests];
		if (request !== undefined) {
			take(i, { type: "request", requestId: world.requests, request }, { requests: world.requests + 1 });
		}
		if (world.crashes < bounds.crashes) {
			const run = new Run(model, must(port.nodes[i], "a node"), must(world.members[i], "a member")).crash(0).finish();
			offer({ ...world, crashes: world.crashes + 1, ...joined(world, i, run) });
		}
	}
	for (const { from, to, message } of world.network.values()) {
		take(port.nodes.indexOf(to), { type: "message", from, message });
	}
}

function joined(world: World, i: number, run: Run): Pick<World, "members" | "network"> {
	const network = new Map(world.network);
	for (const envelope of run.sent) network.set(canonicalText([envelope.from, envelope.to, envelope.message]), envelope);
	return { members: world.members.map((member, at) => (at === i ? run.member() : member)), network };
}

function textOf({ port }: Model, { machine, durable, timers }: Member): string {
	return canonicalText([port.essence(machine.state, null), durable, timers]);
}

/** One member while it takes an input. */
class Run {
	readonly #model: Model;
	readonly #node: NodeId;
	#machine: StateMachine<RaftTypes>;
	#durable: RaftTypes["durable"];
	readonly #timers: Set<RaftTypes["timer"]>;
	readonly sent: Envelope<RaftTypes>[] = [];
	unfinished: Extract<Effect<RaftTypes>, { type: "persist" }>[] = [];
	#held: Extract<Effect<RaftTypes>, { type: "send" }>[] = [];

	constructor(model: Model, node: NodeId, member: Member | null) {
		this.#model = model;
		this.#node = node;
		this.#machine = member?.machine.copy() ?? model.port.create(node);
		this.#durable = member?.durable ?? model.port.blank;
		this.#timers = new Set(member?.timers);
	}

	member(): Member {
		return { machine: this.#machine, durable: this.#durable, timers: this.#timers };
	}

	start(durable: RaftTypes["durable"]): this {
		return this.take({ type: "start", durable }).finish();
	}

	take(input: Input<RaftTypes>): this {
		if (input.type === "timer") this.#timers.delete(input.timer);
		const effects: Effect<RaftTypes>[] = [];
		this.#machine.step(input, 0, effects);
		this.#machine.step({ type: "batch-ended" }, 0, effects);
		for (const effect of effects) {
			if (effect.type === "persist") this.unfinished.push(effect);
			if (effect.type === "set-timer") this.#timers.add(effect.timer);
			if (effect.type === "cancel-timer") this.#timers.delete(effect.timer);
			if (effect.type !== "send") continue;
			if (effect.release === "after-durable" && this.unfinished.length > 0) this.#held.push(effect);
			else this.#send(effect);
		}
		return this;
	}

	/** The disk does what it was given, and what waited for it leaves. */
	finish(): this {
		for (let next = this.unfinished.shift(); next !== undefined; next = this.unfinished.shift()) {
			this.#durable = this.#model.port.performWrite(this.#durable, next.write);
			if (this.unfinished.length === 0) for (const effect of this.#held.splice(0)) this.#send(effect);
			this.take({ type: "write-completed", writeId: next.writeId });
		}
		return this;
	}

	/** Keeps the first so many writes that are not finished, loses the rest, and starts again. */
	crash(survivors: number): this {
		for (const { write } of this.unfinished.slice(0, survivors)) {
			this.#durable = this.#model.port.performWrite(this.#durable, write);
		}
		this.unfinished = [];
		this.#held = [];
		this.#timers.clear();
		this.#machine = this.#model.port.create(this.#node);
		return this.take({ type: "start", durable: this.#durable });
	}

	#send({ to, message }: { readonly to: NodeId; readonly message: RaftTypes["message"] }): void {
		this.sent.push({ from: this.#node, to, message });
	}
}
