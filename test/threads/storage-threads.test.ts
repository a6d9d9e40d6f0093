/**
 * Goal: on real threads, with compiled layouts and LMDB, what a writer's store has reported durable is there when the writer's
 * thread was killed, and when the whole system is started again; one directory serves one system. Method: writers on threads
 * of their own under load from many asks, killed in the middle.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ActorSystem, createThreadBackend, storageLayouts } from "quorate/runtime";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { StoreWriterContents } from "../fixtures/store-writer.ts";

const writerModule = new URL("../../dist/test/fixtures/store-writer.js", import.meta.url);
const storageModule = new URL("../../dist/runtime/storage/storage-actor.js", import.meta.url);
const owner = { clusterId: "threads", nodeIds: ["a", "b"] };

type Ref = Awaited<ReturnType<ActorSystem["spawn"]>>;

interface Stage {
	readonly system: ActorSystem;
	readonly writers: ReadonlyMap<string, Ref>;
}

let directory = "";
const systems: ActorSystem[] = [];

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "quorate-storage-"));
});
afterEach(async () => {
	for (const system of systems.splice(0)) await system.stop();
	rmSync(directory, { recursive: true, force: true });
});

async function systemOf(): Promise<ActorSystem> {
	const backend = await createThreadBackend({ seed: 1, layouts: [storageLayouts] });
	const system = new ActorSystem(backend);
	systems.push(system);
	backend.threads.observe((event) => {
		if (event.type === "thread-ended" && event.end.cause === "killed") void backend.threads.replace(event.slot);
	});
	return system;
}

function storageOf(system: ActorSystem): Promise<Ref> {
	const args = { engine: { type: "lmdb", directory, ...owner } };
	return system.spawn({
		name: "storage",
		behaviour: { module: storageModule, export: "StorageActor", args },
		placement: "dedicated",
	});
}

async function start(): Promise<Stage> {
	const system = await systemOf();
	const storage = await storageOf(system);
	const keeper = await system.spawn({
		name: "keeper",
		behaviour: {
			local: () => ({
				receive: () => undefined,
				async signal(signal, context) {
					if (signal.type === "child-failed") await context.restart(signal.child);
				},
			}),
		},
	});
	const writers = new Map<string, Ref>();
	for (const store of ["a", "b"]) {
		const behaviour = { module: writerModule, export: "StoreWriter", args: { store, storage: storage.address } };
		writers.set(store, await system.spawn({ name: `writer-${store}`, behaviour, placement: "dedicated" }, keeper));
	}
	return { system, writers };
}

const writer = (stage: Stage, store: string): Ref => {
	const ref = stage.writers.get(store);
	if (ref === undefined) throw new Error(`a writer of ${store}`);
	return ref;
};

/** Appends until told to stop, some asks at a time; returns the highest index that was answered. */
async function load(ref: Ref, appends: number): Promise<number> {
	let through = 0;
	let left = appends;
	const client = async (): Promise<void> => {
		while (left > 0) {
			left -= 1;
			// An ask that its target's death cuts off has an unknown outcome.
			const answer = await ref.ask<number>({ type: "append", records: 3 }).catch(() => 0);
			through = Math.max(through, answer);
		}
	};
	await Promise.all(Array.from({ length: 16 }, client));
	return through;
}

test("what is durable is there after a thread's death, and after a restart of the system", async () => {
	const stage = await start();
	const a = writer(stage, "a");
	const loads = [load(a, 600), load(writer(stage, "b"), 300)];
	await new Promise((resolve) => setTimeout(resolve, 100));
	await stage.system.threads.kill(a.address.slot, "killed");
	const [throughA = 0, throughB = 0] = await Promise.all(loads);
	expect(throughB).toBe(900);
	const again = await a.ask<StoreWriterContents>({ type: "found" }, { timeoutMs: 120_000 });
	expect(again.inOrder).toBe(true);
	const last = await a.ask<number>({ type: "append", records: 1 });
	expect(last).toBeGreaterThanOrEqual(throughA);
	systems.length = 0;
	await stage.system.stop();

	const next = await start();
	for (const [store, records] of [
		["a", last],
		["b", throughB],
	] as const) {
		const found = await writer(next, store).ask<StoreWriterContents>({ type: "found" });
		expect(found).toEqual({ records, inOrder: true });
	}
});

test("a directory that is in use is refused with its holder, and free again after a stop", async () => {
	const first = await systemOf();
	await storageOf(first);
	const second = await systemOf();
	await expect(storageOf(second)).rejects.toMatchObject({
		code: "data-directory-in-use",
		details: { directory, pid: process.pid },
	});
	systems.splice(systems.indexOf(first), 1);
	await first.stop();
	await storageOf(second);
});
