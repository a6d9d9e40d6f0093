/** The simulation keeps the rules that all backends keep. */
import { ActorSystem } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import * as actors from "../../fixtures/actors.ts";
import { type ActorWorld, actorCompliance } from "../compliance/actor-compliance.ts";

const MODULE = "file:///test/fixtures/actors.js";

async function setup(): Promise<ActorWorld> {
	const simulation = new Simulation({ seed: 7, parallelism: 2, modules: new Map([[MODULE, { ...actors }]]) });
	const system = new ActorSystem(simulation.backend);
	const events: { readonly type: string }[] = [];
	system.events$.subscribe((event) => events.push(event));
	const slotOf = (ref: { readonly address: { readonly slot: unknown } }) => ref.address.slot as never;
	return {
		source: (exported, args) => ({ module: MODULE, export: exported, args }),
		spawn: (spec) => system.spawn(spec),
		stopActor: (ref, timeoutMs) => system.stopActor(ref, timeoutMs),
		lookup: (name) => system.lookup(name),
		ref: (address) => system.ref(address),
		events,
		deadLetters: (reason) => system.deadLetters.counts.get(reason) ?? 0,
		run: (promise) => simulation.complete(promise),
		until: async (what, done) => {
			const end = await simulation.run({ until: done });
			if (end !== "condition") throw new Error(`${what}: never, the simulation ended (${end})`);
		},
		killThreadOf: (ref) => system.threads.kill(slotOf(ref), "killed"),
		replaceThreadOf: (ref) => system.threads.replace(slotOf(ref)),
		close: () => simulation.complete(system.stop()),
	};
}

actorCompliance("virtual threads", setup);
