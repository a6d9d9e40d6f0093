/** Two actors on threads of their own, that write down what they hear: the least system in which a fault can be seen. */
import {
	type ActorContext,
	type ActorRef,
	ActorSystem,
	type Address,
	addressText,
	type Behaviour,
} from "../../../runtime/actor/index.ts";
import { Simulation, type SimulationOptions } from "../../../runtime/simulation/index.ts";

const MODULE = "file:///simulated/pair.js";

/** A number that is sent on when told to. */
export interface Numbered {
	readonly type: string;
	readonly number: number;
	readonly text?: string;
}
type Order =
	| { readonly type: "peer"; readonly address: Address }
	| { readonly type: "send"; readonly messages: readonly Numbered[] };

/** What was heard, by whom and when. */
export interface Heard {
	readonly node: string;
	readonly type: string;
	readonly number: number;
	readonly atMs: number;
}

/** Sends on what it is told to, and publishes all else that comes. */
class Talker implements Behaviour<Order | Numbered> {
	#peer: ActorRef | null = null;

	receive(message: Order | Numbered, context: ActorContext<Order | Numbered>): void {
		if ("address" in message) this.#peer = context.ref(message.address);
		else if ("messages" in message) for (const one of message.messages) this.#peer?.tell(one);
		else {
			const { type, number } = message;
			const heard = { type: "heard", heard: type, number, node: context.name, atMs: context.clock.nowMs() };
			context.publish(heard as { readonly type: string });
		}
	}
}

export class Pair {
	readonly simulation: Simulation;
	readonly system: ActorSystem;
	readonly heard: Heard[] = [];
	#a: ActorRef | null = null;
	readonly #names = new Map<string, string>();

	constructor(options: Partial<SimulationOptions> = {}) {
		const modules = new Map([[MODULE, { Talker }]]);
		this.simulation = new Simulation({ seed: 1, modules, ...options });
		this.system = new ActorSystem(this.simulation.backend);
		this.system.events$.subscribe((event) => {
			if (event.type !== "heard") return;
			const { node, heard, number, atMs } = event as unknown as Heard & { readonly heard: string };
			this.heard.push({ node, type: heard, number, atMs });
		});
	}

	async start(): Promise<this> {
		const { simulation, system } = this;
		const spawn = (name: string): Promise<ActorRef> =>
			simulation.complete(
				system.spawn({ name, behaviour: { module: MODULE, export: "Talker" }, placement: "dedicated" }),
			);
		const a = await spawn("a");
		const b = await spawn("b");
		a.tell({ type: "peer", address: b.address });
		b.tell({ type: "peer", address: a.address });
		this.#a = a;
		for (const ref of [a, b]) this.#names.set(addressText(ref.address), ref.name);
		await simulation.run({ untilMs: simulation.nowMs + 10 });
		return this;
	}

	/** For a network between the two. */
	nodeOf = (address: Address): string | null => this.#names.get(addressText(address)) ?? null;

	/** Lets `a` send these to `b`, in one turn. */
	send(...messages: readonly Numbered[]): void {
		this.#a?.tell({ type: "send", messages });
	}

	/** So many messages of one type, numbered from 1. */
	sendMany(count: number, type = "number"): void {
		this.send(...Array.from({ length: count }, (_, i) => ({ type, number: i + 1 })));
	}

	async pass(ms: number): Promise<void> {
		await this.simulation.run({ untilMs: this.simulation.nowMs + ms });
	}

	numbers(): number[] {
		return this.heard.map(({ number }) => number);
	}

	async stop(): Promise<void> {
		await this.simulation.complete(this.system.stop());
	}
}
