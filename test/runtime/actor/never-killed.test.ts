/**
 * Goal: nobody ends the thread of an actor that is never killed (a database in a transaction) before the actor has ended
 * in order: not a stop whose time is up, not the end of the system, not a kill.
 * Method: an actor on a virtual thread whose last hook takes a minute of virtual time, stopped in each of these ways.
 */
import { describe, expect, it } from "vitest";
import {
	type ActorContext,
	type ActorSpec,
	ActorSystem,
	type Behaviour,
	type ThreadEvent,
} from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";

const MODULE = "file:///simulated/database.js";
const TRANSACTION_MS = 60_000;

class Database implements Behaviour {
	#clock: ActorContext["clock"] | null = null;

	started({ clock }: ActorContext): void {
		this.#clock = clock;
	}

	receive(): void {
		// It only has to end.
	}

	stopping(_reason: unknown, context: ActorContext): Promise<void> {
		return new Promise((resolve) => {
			this.#clock?.schedule(TRANSACTION_MS, () => {
				context.publish({ type: "transaction-ended" });
				resolve();
			});
		});
	}
}

const spec: ActorSpec = {
	name: "database",
	behaviour: { module: MODULE, export: "Database" },
	placement: "dedicated",
	neverKilled: true,
};

function world() {
	const simulation = new Simulation({ seed: 3, modules: new Map([[MODULE, { Database }]]) });
	const system = new ActorSystem(simulation.backend, { shutdownTimeoutMs: 100 });
	const heard: string[] = [];
	system.events$.subscribe((event) => {
		if (event.type === "transaction-ended") heard.push(event.type);
		if (event.type === "thread-ended") {
			heard.push(`thread-ended ${(event as Extract<ThreadEvent, { type: "thread-ended" }>).end.cause}`);
		}
	});
	const settle = <T>(promise: Promise<T>): Promise<T> => simulation.complete(promise);
	return { simulation, system, heard, settle };
}

const inOrder = ["transaction-ended", "thread-ended stopped"];

describe("an actor that is never killed", () => {
	it.each([0, 100])("is stopped in order, although %d ms are allowed", async (timeoutMs) => {
		const { system, heard, settle } = world();
		const database = await settle(system.spawn(spec));
		await settle(system.stopActor(database, timeoutMs));
		await settle(system.stop());
		expect(heard).toEqual(inOrder);
	});

	it("is waited for by the end of the system, below a parent that is out of time too", async () => {
		const { system, heard, settle } = world();
		const local = (): Behaviour => ({
			receive: () => undefined,
			started: async (context) => {
				await context.spawn(spec);
			},
		});
		await settle(system.spawn({ name: "parent", behaviour: { local } }));
		await settle(system.stop());
		expect(heard).toEqual(inOrder);
	});

	it("is not killed with its thread, but may crash like any other", async () => {
		const { simulation, system, heard, settle } = world();
		const { address } = await settle(system.spawn(spec));
		const refused = { code: "thread-never-killed", details: { slot: address.slot, name: "database" } };
		await expect(settle(system.threads.kill(address.slot, "killed"))).rejects.toMatchObject(refused);
		await expect(settle(system.threads.kill(address.slot, "stalled"))).rejects.toMatchObject(refused);
		expect(heard).toEqual([]);
		await settle(simulation.endThread(address.slot, { cause: "crashed", exitCode: 1, error: null }));
		await settle(system.stop());
		expect(heard).toEqual(["thread-ended crashed"]);
	});

	it("needs a thread of its own", async () => {
		const { system, settle } = world();
		const { placement: _, ...local } = spec;
		for (const wrong of [local, { ...spec, placement: "shared" as const }]) {
			await expect(settle(system.spawn(wrong))).rejects.toMatchObject({ code: "invalid-argument" });
		}
		await settle(system.stop());
	});
});
