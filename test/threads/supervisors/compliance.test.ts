/**
 * The rules of supervision on worker threads and real time, with the built package. One system serves all rules: each
 * has a supervisor and names of its own, and its thread supervisor starts afresh.
 */

import { Generator } from "quorate/protocols/core";
import {
	type ActorSpec,
	ActorSystem,
	createThreadBackend,
	type ModuleSource,
	type Placement,
	type ThreadBackend,
} from "quorate/runtime";
import { SupervisorClient, supervisorActor, ThreadSupervisor } from "quorate/supervisors";
import { afterAll, expect, it } from "vitest";
import { describeSupervision, type SupervisionWorld } from "../../supervisors/tree/supervision-compliance.ts";

/** Only ends a hang: a rule that is broken fails after it, and a busy machine may take many seconds for each thread. */
const PATIENCE_MS = 120_000;
/** Some conditions come true without an event. */
const LOOK_EVERY_MS = 5;

/** One thread for the ordinary children of all rules: an anchor keeps it alive between them. */
const CHILDREN: Placement = { group: "children" };

interface Running {
	readonly backend: ThreadBackend;
	readonly system: ActorSystem;
	readonly threadSupervisor: ThreadSupervisor;
	readonly events: { readonly type: string }[];
}

let running: Running | null = null;

function source(module: string, exported: string, args: unknown): ModuleSource {
	return { module: new URL(`../../../dist/test/fixtures/${module}.js`, import.meta.url), export: exported, args };
}

function worker(name: string, placement: Placement): ActorSpec {
	return { name, behaviour: source("supervised-worker", "SupervisedWorker", {}), placement };
}

async function start(): Promise<Running> {
	const backend = await createThreadBackend({ seed: 1 });
	const system = new ActorSystem(backend);
	const events: { readonly type: string }[] = [];
	system.events$.subscribe((event) => events.push(event));
	const threadSupervisor = new ThreadSupervisor({
		threads: system.threads,
		clock: backend.ports.clock,
		generator: new Generator(1, "threads"),
		publish: (event) => system.publish(event),
	});
	await system.spawn(worker("anchor", CHILDREN));
	return { backend, system, threadSupervisor, events };
}

afterAll(async () => {
	running?.threadSupervisor.stop();
	await running?.system.stop();
});

async function world(): Promise<SupervisionWorld> {
	running ??= await start();
	const { system, threadSupervisor, events } = running;
	threadSupervisor.start();
	return {
		supervisorActor,
		client: (ref) => new SupervisorClient(ref),
		source,
		isVirtual: false,
		placement: CHILDREN,
		spawn: (spec) => system.spawn(spec),
		stop: (ref) => system.stopActor(ref, 60_000),
		ref: (address) => system.ref(address),
		lookup: (name) => system.lookup(name),
		events,
		run: (promise) => promise,
		until: (what, done) => until(system, what, done),
		killThreadOf: (ref) => system.threads.kill(ref.address.slot, "killed"),
		leaveThreads: () => threadSupervisor.stop(),
		replaceThreadOf: (ref) => system.threads.replace(ref.address.slot),
		giveUpThreadOf: (ref) => system.threads.release(ref.address.slot),
		close: async () => threadSupervisor.stop(),
	};
}

/** What a rule that waits in vain has to show. */
function lastEvents(): string {
	const last = running?.events.slice(-30) ?? [];
	return last.map((event) => JSON.stringify(event)).join("\n");
}

function until(system: ActorSystem, what: string, done: () => boolean): Promise<void> {
	return new Promise((resolve, reject) => {
		const look = (): void => {
			if (done()) finish(resolve);
		};
		const finish = (settle: () => void): void => {
			clearTimeout(deadline);
			clearInterval(looking);
			subscription.unsubscribe();
			settle();
		};
		const deadline = setTimeout(
			() => finish(() => reject(new Error(`${what}: not within ${PATIENCE_MS} ms, after\n${lastEvents()}`))),
			PATIENCE_MS,
		);
		const looking = setInterval(look, LOOK_EVERY_MS);
		const subscription = system.events$.subscribe(look);
		look();
	});
}

describeSupervision("supervision on worker threads", world);

it("what an actor says last is heard, though its thread has nothing left to do and is ended", async () => {
	const { close } = await world();
	const { system, events } = running as Running;
	for (let i = 0; i < 5; i++) {
		const name = `last-words-${i}`;
		const ref = await system.spawn(worker(name, { group: name }));
		await system.stopActor(ref);
		const isLast = (event: object): boolean =>
			"name" in event && event.name === name && "what" in event && event.what === "stopping";
		await until(system, `${name} says so`, () => events.some(isLast));
		expect(await system.lookup(name)).toBeNull();
	}
	await close();
});
