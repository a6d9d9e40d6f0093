/**
 * Goal: what a manager promises over the ends of swarms: its events go on with the next one, a group boots only after one
 * that was in its way has stopped, and an observer that throws harms nobody.
 * Method: managers on simulated backends; test/threads/raft-manager has the same ones on threads.
 */
import { describe, expect, it } from "vitest";
import { raftClientLayouts } from "../../../actors/participant/index.ts";
import { RaftConsensusManager } from "../../../actors/raft-manager/index.ts";
import type { SwarmBackend, SwarmEvent } from "../../../actors/swarm/index.ts";
import { raftLayouts } from "../../../protocols/raft/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { StorageActor, storageLayouts } from "../../../runtime/storage/index.ts";

const storageModule = "file:///simulated/storage.js";
const members = ["node-1", "node-2", "node-3"];
const storage = {
	name: "storage",
	behaviour: { module: storageModule, export: "StorageActor", args: { engine: { type: "memory" } } },
	placement: "dedicated",
	neverKilled: true,
} as const;

function simulated(seed: number): Simulation {
	return new Simulation({
		seed,
		modules: new Map([[storageModule, { StorageActor }]]),
		codec: { layouts: [raftLayouts, raftClientLayouts, storageLayouts], records: [] },
	});
}

describe("a Raft manager", () => {
	it("tells events again after its swarm has failed and it was initialized anew", async () => {
		let simulation = simulated(1);
		const backend: SwarmBackend = {
			get backend() {
				return simulation.backend;
			},
			storage,
		};
		const manager = new RaftConsensusManager("node-1", members, { backend });
		const types: string[] = [];
		let completed = false;
		manager.events$.subscribe({ next: ({ type }) => types.push(type), complete: () => (completed = true) });
		await simulation.complete(manager.initialize());
		const slot = simulation.threads.status().find(({ spec }) => spec.name === "storage")?.slot;
		await simulation.complete(simulation.endThread(slot as never, { cause: "crashed", exitCode: 1, error: null }));
		// Time enough for the failed swarm to have stopped by itself.
		await simulation.run({ untilMs: simulation.nowMs + 60_000 });
		expect(types).toContain("swarm-failed");
		await simulation.complete(manager.shutdown());
		expect(completed).toBe(false);

		simulation = simulated(2);
		types.length = 0;
		await simulation.complete(manager.initialize());
		const member = simulation.threads.status().find(({ spec }) => spec.name === "raft/node-1")?.slot;
		await simulation.complete(simulation.threads.kill(member as never, "killed"));
		await simulation.complete(manager.propose({ type: "put", key: "a", value: 1 }));
		await simulation.complete(manager.shutdown());
		expect(types).toContain("thread-ended");
	});

	it.each([
		{ what: "the same members", others: members },
		{ what: "other members, on the same directory", others: ["node-4"] },
	])("waits for the stop under way of a group of $what", async ({ others }) => {
		const directory = { storage: { type: "lmdb", directory: "/nowhere/at/all" } } as const;
		const [first, second] = [simulated(3), simulated(4)];
		const order: string[] = [];
		let release = (): void => undefined;
		const held = new Promise<void>((resolve) => {
			release = resolve;
		});
		const leaving = new RaftConsensusManager("node-1", members, {
			...directory,
			backend: {
				backend: first.backend,
				storage,
				dispose: async () => {
					await held;
					order.push("first gave everything back");
				},
			},
		});
		const coming = new RaftConsensusManager(others[0] as string, others, {
			...directory,
			backend: { backend: second.backend, storage, observeStalls: () => order.push("second boots") },
		});
		await first.complete(leaving.initialize());
		const left = leaving.shutdown();
		// The first has stopped its actors now, and is giving back what it holds.
		await first.run({ untilMs: first.nowMs + 10_000 });
		const joined = coming.initialize();
		await second.run({ untilMs: second.nowMs + 1_000 });
		release();
		await first.complete(left);
		await second.complete(joined);
		expect(order).toEqual(["first gave everything back", "second boots"]);
		await second.complete(coming.shutdown());
	});

	it("survives an observer that throws, and tells of it", async () => {
		const simulation = simulated(5);
		const manager = new RaftConsensusManager("node-1", members, { backend: { backend: simulation.backend, storage } });
		const events: SwarmEvent[] = [];
		let calls = 0;
		manager.events$.subscribe((event) => events.push(event));
		manager.events$.subscribe(() => {
			calls += 1;
			throw new Error("an observer is at fault");
		});
		await simulation.complete(manager.initialize());
		const member = simulation.threads.status().find(({ spec }) => spec.name === "raft/node-1")?.slot;
		await simulation.complete(simulation.threads.kill(member as never, "killed"));
		await simulation.complete(manager.propose({ type: "put", key: "a", value: 1 }));
		await simulation.complete(manager.shutdown());
		expect(calls).toBe(1);
		const failures = events.filter((event) => event.type === "published" && event.event.type === "observer-failed");
		expect(failures).toMatchObject([{ node: "node-1", event: { error: { message: "an observer is at fault" } } }]);
	});
});
