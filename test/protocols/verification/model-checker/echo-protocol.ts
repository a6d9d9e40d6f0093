/**
 * Consistent broadcast (Reiter 1994; Cachin, Guerraoui and Rodrigues §3.10), for four of whom one lies: everybody echoes
 * the first value that the sender shows, and takes a value when a quorum has echoed it.
 */
import { type Effect, type Input, type NodeId, nodeId, type StateMachine } from "../../../../protocols/core/index.ts";
import { type GroupObservation, holds, type Property, violated } from "../../../../protocols/verification/index.ts";
import type { Envelope, GroupPort } from "../../../../protocols/verification/model-checker/index.ts";

export interface EchoTypes {
	readonly message: { readonly type: "show" | "echo"; readonly value: number };
	readonly request: never;
	readonly reply: never;
	readonly timer: never;
	readonly write: never;
	readonly read: never;
	readonly readResult: never;
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: { readonly type: "taken"; readonly value: number };
	readonly durable: null;
}

export const nodes: readonly NodeId[] = ["liar", "n1", "n2", "n3"].map((name) => nodeId(name));
const liar = nodes[0] as NodeId;

interface EchoState {
	echoed: number | null;
	taken: number | null;
	echoes: Map<number, Set<NodeId>>;
}

class EchoMachine implements StateMachine<EchoTypes> {
	readonly #node: NodeId;
	readonly #quorum: number;
	readonly state: EchoState;

	constructor(node: NodeId, quorum: number, state: EchoState) {
		this.#node = node;
		this.#quorum = quorum;
		this.state = state;
	}

	step(input: Input<EchoTypes>, _now: number, effects: Effect<EchoTypes>[]): void {
		if (input.type !== "message") return;
		const { from, message } = input;
		const { state } = this;
		if (message.type === "show") {
			if (from !== liar || state.echoed !== null) return;
			state.echoed = message.value;
			for (const to of nodes) {
				if (to !== this.#node)
					effects.push({ type: "send", to, message: { ...message, type: "echo" }, release: "immediate" });
			}
			this.#count(this.#node, message.value, effects);
		} else this.#count(from, message.value, effects);
	}

	copy(): EchoMachine {
		const echoes = new Map([...this.state.echoes].map(([value, who]) => [value, new Set(who)]));
		return new EchoMachine(this.#node, this.#quorum, { ...this.state, echoes });
	}

	#count(from: NodeId, value: number, effects: Effect<EchoTypes>[]): void {
		const who = this.state.echoes.get(value) ?? new Set();
		this.state.echoes.set(value, who.add(from));
		if (who.size < this.#quorum || this.state.taken !== null) return;
		this.state.taken = value;
		effects.push({ type: "emit", event: { type: "taken", value } });
	}
}

/** No two members take different values. */
export const agreement: Property<GroupObservation<EchoTypes, EchoState>> = {
	id: "agreement",
	kind: "always",
	statement: "No two members that keep to the protocol take different values.",
	source: "this test",
	needs: "events",
	observes: ["event"],
	watch: () => watcherOf(null),
};

function watcherOf(taken: number | null): ReturnType<typeof agreement.watch> {
	let first = taken;
	return {
		observe: (observation) => {
			if (observation.type !== "event") return null;
			const { value } = observation.event;
			first ??= value;
			return first === value ? holds : violated({ first, value });
		},
		get state() {
			return first;
		},
		copy: () => watcherOf(first),
	};
}

/** Everything that the liar can sign: it shows and echoes either value to anybody. */
export const lies: readonly Envelope<EchoTypes>[] = nodes
	.filter((to) => to !== liar)
	.flatMap((to) =>
		[1, 2].flatMap((value) =>
			(["show", "echo"] as const).map((type) => ({ from: liar, to, message: { type, value } })),
		),
	);

export function echoPort(quorum: number): GroupPort<EchoTypes, EchoState> {
	return {
		nodes,
		create: (node) => new EchoMachine(node, quorum, { echoed: null, taken: null, echoes: new Map() }),
		blank: null,
		performWrite: () => null,
		view: (machine) => machine.state as EchoState,
		essence: (state) => state,
		isWithin: () => true,
		requests: [],
		liars: [liar],
		forgeries: lies,
	};
}
