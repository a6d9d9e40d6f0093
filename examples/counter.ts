/**
 * A state machine of your own. It is a class that each participant constructs in its own thread, so it is named by
 * module and export; it must be deterministic, and importing its module must do nothing else.
 *
 * Run it: `npm run build && node dist/examples/counter.js`
 */
import { fileURLToPath } from "node:url";
import { Swarm } from "quorate";
import type { Application } from "quorate/protocols/core";

export type CounterCommand = { readonly add: number };
export type CounterQuery = "value" | "changes";

/** Adds numbers, and refuses to go below its floor. */
export class Counter implements Application<CounterCommand, number | "refused", CounterQuery, number> {
	readonly #floor: number;
	#value = 0;
	#changes = 0;

	/** The `args` of the source come here. */
	constructor(args: { readonly floor: number }) {
		this.#floor = args.floor;
	}

	/** To refuse a command is a result. A throw would stop the participant, since replicas must not differ. */
	apply({ add }: CounterCommand): number | "refused" {
		if (this.#value + add < this.#floor) return "refused";
		this.#value += add;
		this.#changes++;
		return this.#value;
	}

	query(query: CounterQuery): number {
		return query === "value" ? this.#value : this.#changes;
	}

	takeSnapshot(): unknown {
		return [this.#value, this.#changes];
	}

	restoreSnapshot(snapshot: unknown): void {
		[this.#value, this.#changes] = snapshot as [number, number];
	}
}

async function main(): Promise<void> {
	const application = { module: import.meta.url, export: "Counter", args: { floor: 0 } };
	const swarm = await Swarm.start({ raft: { nodes: 3, application } });
	try {
		// A client may have many commands outstanding; they are decided in some order, each once.
		const client = swarm.client({ window: 32 });
		await Promise.all(Array.from({ length: 100 }, () => client.propose({ add: 1 })));
		console.log(`value: ${await client.read("value")}`);
		console.log(`minus 200: ${await client.propose({ add: -200 })}`);

		// Each replica can be asked for itself. Nobody confirms that, and it may lag behind.
		for (const { node } of swarm.nodes) console.log(`${node}: ${await swarm.inspect(node, "value")}`);
	} finally {
		await swarm.stop();
	}
}

// Threads import this module too, for the class alone. (No top-level await: the module must be loaded completely before
// it can be imported again.)
if (process.argv[1] === fileURLToPath(import.meta.url)) void main();
