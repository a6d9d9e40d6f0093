/**
 * The rules of supervision in virtual time, once with children on the supervisor's own thread and once on another one.
 * The seed of each test is printed with a failure by its place in the suite; `SEED=n` runs the suite from another one.
 */

import { Generator } from "../../../protocols/core/index.ts";
import { ActorSystem, type Placement } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { SupervisorClient, supervisorActor, ThreadSupervisor } from "../../../supervisors/index.ts";
import * as supervisedWorker from "../../fixtures/supervised-worker.ts";
import { describeSupervision, type SupervisionWorld } from "./supervision-compliance.ts";

const FIXTURES = "file:///fixtures/";
const modules = new Map([[`${FIXTURES}supervised-worker.js`, supervisedWorker]]);
let seed = Number(process.env["SEED"] ?? 1);

async function simulated(placement: Placement): Promise<SupervisionWorld> {
	const simulation = new Simulation({ seed: seed++, modules });
	const system = new ActorSystem(simulation.backend);
	const threadSupervisor = new ThreadSupervisor({
		threads: system.threads,
		clock: simulation.clock,
		generator: new Generator(simulation.seed, "threads"),
		publish: (event) => system.publish(event),
	});
	threadSupervisor.start();
	const events: { readonly type: string }[] = [];
	system.events$.subscribe((event) => events.push(event));
	return {
		supervisorActor,
		client: (ref) => new SupervisorClient(ref),
		source: (module, exported, args) => ({ module: `${FIXTURES}${module}.js`, export: exported, args }),
		isVirtual: true,
		placement,
		spawn: (spec) => system.spawn(spec),
		stop: (ref) => system.stopActor(ref, 60_000),
		ref: (address) => system.ref(address),
		events,
		run: (promise) => simulation.complete(promise),
		until: async (what, done) => {
			const end = await simulation.run({ until: done, stepsMax: 1_000_000 });
			if (end !== "condition") throw new Error(`${what}: ${end} at ${simulation.nowMs} ms of seed ${simulation.seed}`);
		},
		killThreadOf: (ref) => system.threads.kill(ref.address.slot, "killed"),
		leaveThreads: () => threadSupervisor.stop(),
		replaceThreadOf: (ref) => system.threads.replace(ref.address.slot),
		giveUpThreadOf: (ref) => system.threads.release(ref.address.slot),
		lookup: (name) => system.lookup(name),
		close: async () => {
			threadSupervisor.stop();
			await simulation.complete(system.stop());
		},
	};
}

describeSupervision("supervision in virtual time, children on this thread", () => simulated("local"));
describeSupervision("supervision in virtual time, children on another thread", () => simulated({ group: "children" }));
