/**
 * Goal: on the runtime itself (kernel, lanes, asks, restarts), whatever dies and however slow the disk is, a writer finds
 * again all that was acknowledged and a prefix of what it wrote; and one seed gives one run. Method: writers on virtual
 * threads that are killed at random, on a simulated disk that loses what is not flushed, over some seeds.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import {
	type ActorContext,
	type ActorRef,
	ActorSystem,
	type Address,
	type Behaviour,
} from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import {
	dataDirectoryInUse,
	SimulatedDisk,
	StorageActor,
	StorageClient,
	type StorageContext,
} from "../../../runtime/storage/index.ts";

const MODULE = "file:///storage-test.js";
const STORES = ["a", "b", "c"];

/** What is known outside of all virtual threads. */
class Ledger {
	/** Highest index acknowledged, by store. */
	readonly acknowledged: Map<string, number> = new Map();
	/** How often each store was opened. */
	readonly opened: Map<string, number> = new Map();
	readonly failures: string[] = [];
}

/** Writes records 1, 2, 3, … with what it has read before as its check, a few in each tick. */
class Writer implements Behaviour {
	readonly #ledger: Ledger;
	readonly #store: string;
	readonly #storage: Address;
	#client: StorageClient | null = null;
	#next = 1;
	/** Index that each write brought the log to, by sequence. */
	readonly #through: number[] = [0];

	constructor(ledger: Ledger, store: string, storage: Address) {
		this.#ledger = ledger;
		this.#store = store;
		this.#storage = storage;
	}

	async started(context: ActorContext): Promise<void> {
		this.#client = new StorageClient(context, context.ref(this.#storage), this.#store, {
			durable: (sequence) => this.#ledger.acknowledged.set(this.#store, this.#through[sequence] ?? 0),
			failed: (error) => this.#ledger.failures.push(error.code),
		});
		const { records, firstIndex } = await this.#client.open();
		expect(firstIndex).toBe(1);
		expect(records.map((record) => new DataView(record.buffer, record.byteOffset).getUint32(0))).toEqual(
			records.map((_, i) => i + 1),
		);
		expect(records.length).toBeGreaterThanOrEqual(this.#ledger.acknowledged.get(this.#store) ?? 0);
		this.#ledger.opened.set(this.#store, (this.#ledger.opened.get(this.#store) ?? 0) + 1);
		this.#next = records.length + 1;
		this.#tick(context);
	}

	receive(message: unknown): void {
		this.#client?.receive(message);
	}

	#tick(context: ActorContext): void {
		for (let i = context.generator.between(1, 3); i > 0; i--) {
			const record = new Uint8Array(20);
			new DataView(record.buffer).setUint32(0, this.#next);
			const sequence = this.#client?.write([{ type: "append", firstIndex: this.#next, records: [record] }]) ?? 0;
			this.#through[sequence] = this.#next;
			this.#next += 1;
		}
		context.timers.run("tick", context.generator.between(0, 4), () => this.#tick(context));
	}
}

interface Run {
	readonly hash: string;
	readonly acknowledged: number;
	readonly opened: number;
}

async function run(seed: number): Promise<Run> {
	const ledger = new Ledger();
	const generator = new Generator(seed, "test");
	let disk: SimulatedDisk | undefined;
	let storage: Address | undefined;
	const open = (context: ActorContext): SimulatedDisk => {
		disk = new SimulatedDisk({ clock: context.clock, generator: context.generator.fork("disk") });
		return disk;
	};
	const modules = new Map([
		[
			MODULE,
			{
				Storage: class extends StorageActor {
					constructor() {
						super({ engine: { type: "provided", open } });
					}
				},
				Writer: class extends Writer {
					constructor({ store }: { store: string }) {
						if (storage === undefined) throw new Error("the storage comes first");
						super(ledger, store, storage);
					}
				},
			},
		],
	]);
	const simulation = new Simulation({ seed, modules, laneCapacity: 64 });
	const system = new ActorSystem(simulation.backend);
	const source = (name: string, args?: unknown) => ({ module: MODULE, export: name, args });
	const storageRef = await simulation.complete(
		system.spawn({ name: "storage", behaviour: source("Storage"), placement: "dedicated" }),
	);
	storage = storageRef.address;
	const writers: ActorRef[] = [];
	const parent: Behaviour = {
		async started(context) {
			for (const store of STORES) {
				const behaviour = source("Writer", { store });
				writers.push(await context.spawn({ name: `writer-${store}`, behaviour, placement: "dedicated" }));
			}
		},
		receive: () => undefined,
		async signal(signal, context) {
			if (signal.type === "child-failed") await context.restart(signal.child);
		},
	};
	await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
	for (let kill = 0; kill < 8; kill++) {
		await simulation.run({ untilMs: simulation.nowMs + generator.between(5, 60) });
		const victim = generator.below(STORES.length);
		const slot = writers[victim]?.address.slot;
		if (slot === undefined) throw new Error("a writer has a slot");
		if (system.threads.status().find((thread) => thread.slot === slot)?.state !== "running") continue;
		const killed = system.threads.kill(slot, "killed");
		// Half of the time the whole machine of that writer goes, with what its disk had not flushed.
		if (generator.chance(0.5)) disk?.crash(STORES[victim] ?? "");
		await simulation.complete(killed);
		await simulation.complete(system.threads.replace(slot));
	}
	await simulation.run({ untilMs: simulation.nowMs + 200 });
	expect(ledger.failures).toEqual([]);
	await simulation.complete(system.stop());
	const sum = (counts: Map<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
	return { hash: simulation.traceHash, acknowledged: sum(ledger.acknowledged), opened: sum(ledger.opened) };
}

describe("writers on a simulated disk", () => {
	it("find again what was acknowledged, and a prefix of what they wrote, over kills and crashes", {
		timeout: 30_000,
	}, async () => {
		for (let seed = 1; seed <= 8; seed++) {
			const { acknowledged, opened } = await run(seed);
			expect(acknowledged).toBeGreaterThan(50);
			expect(opened).toBeGreaterThan(STORES.length + 3);
		}
	});

	it("do the same for the same seed", async () => {
		expect(await run(99)).toEqual(await run(99));
	});
});

it("tells who starts the storage why its engine can not open", async () => {
	const refusal = dataDirectoryInUse({ directory: "/data", pid: 7, lockFile: "/data/lock-1" });
	const open = (): never => {
		throw refusal;
	};
	class Storage extends StorageActor {
		constructor() {
			super({ engine: { type: "provided", open } });
		}
	}
	for (let seed = 1; seed <= 10; seed++) {
		const simulation = new Simulation({ seed, modules: new Map([[MODULE, { Storage }]]) });
		const system = new ActorSystem(simulation.backend);
		const behaviour = { module: MODULE, export: "Storage" };
		const starting = simulation.complete(system.spawn({ name: "storage", behaviour, placement: "dedicated" }));
		await expect(starting).rejects.toMatchObject({ code: refusal.code, details: refusal.details });
		await simulation.complete(system.stop());
		expect(system.threads.status().map(({ spec }) => spec.name)).toEqual(["main"]);
	}
});

describe("a store that is empty when it is opened again", () => {
	/** Opens a store, puts a value, lets this happen (before or after the flush), and opens it again. */
	async function reopened(happen: (disk: SimulatedDisk) => void, isFlushed: boolean): Promise<string> {
		const founded = new Set<string>();
		let disk: SimulatedDisk | null = null;
		const open = ({ clock, generator }: StorageContext): SimulatedDisk => {
			disk = new SimulatedDisk({ clock, generator, flushMs: { min: 10, max: 10 }, founded });
			return disk;
		};
		class Storage extends StorageActor {
			constructor() {
				super({ engine: { type: "provided", open } }, founded);
			}
		}
		const simulation = new Simulation({ seed: 1, modules: new Map([[MODULE, { Storage }]]) });
		const system = new ActorSystem(simulation.backend);
		const { address } = await simulation.complete(
			system.spawn({ name: "storage", behaviour: { module: MODULE, export: "Storage" }, placement: "dedicated" }),
		);
		let client: StorageClient | null = null;
		const owner = (): Behaviour => ({
			async started(context) {
				client = new StorageClient(context, context.ref(address), "mine", {
					durable: () => undefined,
					failed: () => undefined,
				});
				await client.open();
			},
			receive: (message) => {
				client?.receive(message);
			},
		});
		const spawn = (name: string): Promise<ActorRef> =>
			simulation.complete(system.spawn({ name, behaviour: { local: owner } }));
		await spawn("first");
		(client as StorageClient | null)?.write([{ type: "put", key: "name", value: new Uint8Array([1]) }]);
		await simulation.run({ untilMs: simulation.nowMs + (isFlushed ? 50 : 5) });
		happen(disk ?? expect.fail("the storage has its disk"));
		await simulation.run({ untilMs: simulation.nowMs + 50 });
		const outcome = await spawn("second").then(
			() => "opened",
			(error: { readonly code: string }) => error.code,
		);
		await simulation.complete(system.stop());
		return outcome;
	}

	it("after a write was acknowledged has lost it: nobody may go on with it as if it were new", async () => {
		expect(await reopened((disk) => disk.wipe("mine"), true)).toBe("store-lost");
	});

	it("before anything was flushed is a new one", async () => {
		for (let draw = 0; draw < 4; draw++) expect(await reopened((disk) => disk.crash("mine"), false)).toBe("opened");
		expect(await reopened((disk) => disk.wipe("mine"), false)).toBe("opened");
	});

	it("is not empty if it was only closed, or lost power after the flush", async () => {
		expect(await reopened(() => undefined, true)).toBe("opened");
		expect(await reopened((disk) => disk.crash("mine"), true)).toBe("opened");
	});
});
