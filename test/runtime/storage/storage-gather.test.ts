/**
 * Goal: writers that write a moment after each other share a flush, nobody waits for one that has gone silent, and a fast
 * disk waits for nobody.
 * Method: a storage actor and two writers in simulation, on an engine that notes when each group began and who was in it.
 */
import { describe, expect, it } from "vitest";
import { type ActorContext, ActorSystem, type Behaviour, type Clock } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import {
	MemoryEngine,
	StorageActor,
	StorageClient,
	type StorageEngine,
	storageLayouts,
} from "../../../runtime/storage/index.ts";

interface Group {
	readonly atMs: number;
	readonly stores: readonly string[];
}

/** Keeps its data in memory and takes a fixed time for each flush. */
function slowEngine(clock: Clock, flushMs: number, groups: Group[]): StorageEngine {
	const memory = new MemoryEngine();
	return {
		load: (store, settle) => memory.load(store, settle),
		commit: (writes, settle) => {
			groups.push({ atMs: clock.nowMs(), stores: writes.map(({ store }) => store) });
			clock.schedule(flushMs, () => memory.commit(writes, settle));
		},
		readSnapshot: (store, name, offset, lengthBytes, settle) =>
			memory.readSnapshot(store, name, offset, lengthBytes, settle),
		close: () => memory.close(),
	};
}

/** Groups that came of writes at these times (virtual ms, writer), on a disk of this speed. */
async function groupsOf(flushMs: number, writes: readonly (readonly [number, "a" | "b"])[]): Promise<Group[]> {
	const simulation = new Simulation({ seed: 1, codec: { layouts: [storageLayouts], records: [] } });
	const system = new ActorSystem(simulation.backend);
	const groups: Group[] = [];
	const storage = await simulation.complete(
		system.spawn({
			name: "storage",
			behaviour: {
				local: () =>
					new StorageActor({
						engine: { type: "provided", open: ({ clock }: ActorContext) => slowEngine(clock, flushMs, groups) },
					}) as Behaviour,
			},
		}),
	);
	for (const name of ["a", "b"]) {
		let client: StorageClient | undefined;
		const writer: Behaviour = {
			async started(context) {
				const handlers = { durable: () => undefined, failed: () => undefined };
				client = new StorageClient(context, context.ref(storage.address), name, handlers);
				await client.open();
				for (const [atMs, who] of writes) {
					if (who !== name) continue;
					context.timers.run(`write-${atMs}`, atMs - context.clock.nowMs(), () => {
						client?.write([{ type: "put", key: "k", value: new Uint8Array(1) }]);
					});
				}
			},
			receive(message) {
				client?.receive(message);
			},
		};
		await simulation.complete(system.spawn({ name, behaviour: { local: () => writer } }));
	}
	await simulation.run({ untilMs: 1_000 });
	await simulation.complete(system.stop());
	return groups;
}

describe("a group of writes", () => {
	it("waits a moment for who was in the last ones", async () => {
		const groups = await groupsOf(8, [
			[100, "a"],
			[100.5, "b"],
			[200, "a"],
			[201, "b"],
		]);
		expect(groups.slice(2).map(({ stores }) => stores)).toEqual([["a", "b"]]);
	});

	it("waits no longer than a part of a flush, and not again for who has gone silent", async () => {
		const groups = await groupsOf(8, [
			[100, "a"],
			[100.5, "b"],
			[200, "a"],
			[300, "a"],
			[400, "a"],
		]);
		const [, , second, third, fourth] = groups;
		expect(second?.atMs).toBeGreaterThan(201.5);
		expect(second?.atMs).toBeLessThan(203);
		expect(third?.atMs).toBeGreaterThan(301.5);
		expect(fourth?.atMs).toBeLessThan(400.5);
	});

	it("begins at once on a fast disk", async () => {
		const groups = await groupsOf(0.5, [
			[100, "a"],
			[100.2, "b"],
			[200, "a"],
			[200.2, "b"],
		]);
		expect(groups.slice(2).map(({ stores }) => stores)).toEqual([["a"], ["b"]]);
	});
});
