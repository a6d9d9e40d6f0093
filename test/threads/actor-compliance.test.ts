// Goal: real worker threads keep the rules that all backends keep. Method: the suite of all backends, on the built package.
import { ActorSystem, createThreadBackend } from "quorate/runtime";
import { type ActorWorld, actorCompliance } from "../runtime/compliance/actor-compliance.ts";

const module = new URL("../../dist/test/fixtures/actors.js", import.meta.url).href;

async function setup(): Promise<ActorWorld> {
	const system = new ActorSystem(await createThreadBackend({ seed: 7, parallelism: 2, warmSpares: 0 }));
	const events: { readonly type: string }[] = [];
	system.events$.subscribe((event) => events.push(event));
	const slotOf = (ref: { readonly address: { readonly slot: unknown } }) => ref.address.slot as never;
	return {
		source: (exported, args) => ({ module, export: exported, args }),
		spawn: (spec) => system.spawn(spec),
		stopActor: (ref, timeoutMs) => system.stopActor(ref as never, timeoutMs),
		lookup: (name) => system.lookup(name),
		ref: (address) => system.ref(address),
		events,
		deadLetters: (reason) => system.deadLetters.counts.get(reason) ?? 0,
		run: (promise) => promise,
		until: async (_what, done) => {
			while (!done()) await new Promise((resolve) => setImmediate(resolve));
		},
		killThreadOf: (ref) => system.threads.kill(slotOf(ref), "killed"),
		replaceThreadOf: (ref) => system.threads.replace(slotOf(ref)),
		close: () => system.stop(),
	};
}

actorCompliance("worker threads", setup);
