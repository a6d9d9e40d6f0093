/**
 * Goal: the storage actor commits in groups, acknowledges only what is flushed, keeps one store's trouble from the
 * others, and loses nothing where the way is full. Method: real actor and real clients over a small world in which
 * the engine's flush, the lanes and the clock are held in the test's hand.
 */
import { describe, expect, it } from "vitest";
import type { QuorateError } from "../../../protocols/core/index.ts";
import type {
	Settle,
	StorageEngine,
	StoreContents,
	StoreOperation,
	StoreWrite,
} from "../../../runtime/storage/contract.ts";
import { diskFull, storeCorrupt } from "../../../runtime/storage/errors.ts";
import { STORAGE_MESSAGE_BYTES, STORAGE_QUEUE_BYTES_MAX, STORAGE_ROOM_BYTES } from "../../../runtime/storage/limits.ts";
import { MemoryEngine } from "../../../runtime/storage/memory-engine.ts";
import { StorageActor } from "../../../runtime/storage/storage-actor.ts";
import { StorageClient } from "../../../runtime/storage/storage-client.ts";
import { loadFrom } from "./engine-compliance.ts";
import { type TestActor, World } from "./world.ts";

/** A memory engine whose flushes wait for `release`, or fail. */
class HeldEngine implements StorageEngine {
	readonly inner: MemoryEngine = new MemoryEngine();
	readonly groups: (readonly StoreWrite[])[] = [];
	held = false;
	failure: QuorateError | null = null;
	#waiting: (() => void)[] = [];

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		this.groups.push(writes);
		const flush = (): void => {
			if (this.failure === null) this.inner.commit(writes, settle);
			else settle({ ok: false, error: this.failure });
		};
		if (this.held) this.#waiting.push(flush);
		else flush();
	}

	release(): void {
		for (const flush of this.#waiting.splice(0)) flush();
	}

	load(store: string, settle: Settle<StoreContents>): void {
		this.inner.load(store, settle);
	}

	readSnapshot(...call: Parameters<StorageEngine["readSnapshot"]>): void {
		this.inner.readSnapshot(...call);
	}

	close(): Promise<void> {
		return this.inner.close();
	}
}

interface Member {
	readonly actor: TestActor;
	readonly client: StorageClient;
	readonly contents: StoreContents;
	readonly durable: number[];
	readonly failures: QuorateError[];
	readonly rooms: true[];
}

class Setup {
	readonly world: World = new World();
	readonly engine: HeldEngine = new HeldEngine();
	readonly behaviour: StorageActor = new StorageActor({ engine: { type: "provided", open: () => this.engine } });
	readonly storage: TestActor = this.world.actor("storage", this.behaviour as never);

	async started(): Promise<this> {
		await this.behaviour.started(this.storage.context as never);
		return this;
	}

	async member(store: string): Promise<Member> {
		const durable: number[] = [];
		const failures: QuorateError[] = [];
		const rooms: true[] = [];
		let client: StorageClient | undefined;
		const actor = this.world.actor(store, { receive: (message) => void client?.receive(message) });
		client = new StorageClient(actor.context, this.storage.refFrom(actor), store, {
			durable: (sequence) => durable.push(sequence),
			failed: (error) => failures.push(error),
			room: () => rooms.push(true),
		});
		const opening = client.open();
		void this.world.settle();
		return { actor, client, contents: await opening, durable, failures, rooms };
	}
}

const bytes = (length: number, fill = 7): Uint8Array => new Uint8Array(length).fill(fill);
const append = (firstIndex: number, ...records: Uint8Array[]): StoreOperation => ({
	type: "append",
	firstIndex,
	records,
});
const setup = (): Promise<Setup> => new Setup().started();

/** The parts of a set-up, to take apart. */
function bound(made: Setup): Pick<Setup, "world" | "engine" | "storage" | "behaviour" | "member"> & {
	readonly published: World["published"];
} {
	const { world, engine, storage, behaviour } = made;
	return { world, engine, storage, behaviour, published: world.published, member: (store) => made.member(store) };
}

/** Loses the next message on the way while the sender hears `ok`. */
function dropNext(actor: TestActor): void {
	actor.verdict = () => {
		actor.verdict = () => "ok";
		return "lost";
	};
}

describe("group commit", () => {
	it("commits the writes of one batch, of all stores, as one group", async () => {
		const made = await setup();
		const a = await made.member("a");
		const b = await made.member("b");
		for (let i = 1; i <= 5; i++) a.client.write([append(i, bytes(10))]);
		for (let i = 1; i <= 3; i++) b.client.write([append(i, bytes(10))]);
		await made.world.settle();
		expect(made.engine.groups.map((group) => group.length)).toEqual([8]);
		expect(a.durable).toEqual([5]);
		expect(b.durable).toEqual([3]);
	});

	it("gathers what comes during a flush into the next group", async () => {
		const { world, engine, member } = bound(await setup());
		const a = await member("a");
		engine.held = true;
		a.client.write([append(1, bytes(1))]);
		await world.settle();
		for (let i = 2; i <= 4; i++) {
			a.client.write([append(i, bytes(1))]);
			await world.settle();
		}
		expect(engine.groups.map((group) => group.length)).toEqual([1]);
		engine.held = false;
		engine.release();
		await world.settle();
		expect(engine.groups.map((group) => group.length)).toEqual([1, 3]);
		expect(a.durable).toEqual([1, 4]);
	});

	it("lets no acknowledgement leave before the flush", async () => {
		const { world, engine, member } = bound(await setup());
		const a = await member("a");
		const b = await member("b");
		engine.held = true;
		a.client.write([append(1, bytes(1))]);
		b.client.write([append(1, bytes(1))]);
		const read = b.client.readSnapshot("none", 0, 10);
		let answered = false;
		void read.then(() => {
			answered = true;
		});
		await world.advance(10_000);
		expect([a.durable, b.durable, a.actor.inbox, answered]).toEqual([[], [], [], false]);
		engine.release();
		await world.settle();
		expect([a.durable, b.durable, answered]).toEqual([[1], [1], true]);
		expect(a.client.durableSequence).toBe(1);
	});

	it("holds its mailbox back when too much waits, and goes on when there is room", async () => {
		const { world, engine, storage, member } = bound(await setup());
		const a = await member("a");
		engine.held = true;
		const big = bytes(1024 * 1024);
		for (let i = 1; i <= 60; i++) a.client.write([append(i, big)]);
		await world.settle();
		expect(storage.waiting).toBeGreaterThan(20);
		expect((60 - storage.waiting) * big.length).toBeLessThan(STORAGE_QUEUE_BYTES_MAX + 8 * 1024 * 1024);
		engine.held = false;
		engine.release();
		await world.settle();
		expect(a.client.durableSequence).toBe(60);
		expect(storage.waiting).toBe(0);
	});
});

describe("a store's session", () => {
	it("finds again what a former session wrote, and fences that session", async () => {
		const { world, engine, member } = bound(await setup());
		const first = await member("a");
		engine.held = true;
		first.client.write([append(1, bytes(3)), { type: "put", key: "term", value: bytes(2) }]);
		const opening = member("a");
		await world.settle();
		engine.held = false;
		engine.release();
		const second = await opening;
		expect(second.contents).toEqual({
			values: new Map([["term", bytes(2)]]),
			snapshot: null,
			firstIndex: 1,
			records: [bytes(3)],
		});
		first.client.write([append(2, bytes(3))]);
		second.client.write([append(2, bytes(4))]);
		await world.settle();
		expect(first.failures.map(({ code }) => code)).toEqual(["store-fenced"]);
		expect(second.durable).toEqual([1]);
		expect((await loadFrom(engine, "a")).records).toEqual([bytes(3), bytes(4)]);
	});

	it("ignores what was told to a former life of the participant", async () => {
		const { member } = bound(await setup());
		const a = await member("a");
		expect(a.client.receive({ type: "storage-durable", store: "a", session: 999, sequence: 9 })).toBe(true);
		expect(a.durable).toEqual([]);
		expect(a.client.receive({ type: "vote" })).toBe(false);
	});

	it("fails when a write was lost on the way, and nothing after the gap is written", async () => {
		const { world, engine, storage, member } = bound(await setup());
		const a = await member("a");
		a.client.write([append(1, bytes(1))]);
		dropNext(storage);
		a.client.write([append(2, bytes(1))]);
		a.client.write([{ type: "put", key: "commit", value: bytes(1) }]);
		await world.settle();
		expect(a.failures.map(({ code, details }) => [code, details])).toEqual([
			["write-lost", { store: "a", expected: 2, found: 3 }],
		]);
		expect((await loadFrom(engine, "a")).values.size).toBe(0);
	});

	it("moves large writes in parts and large stores in pages, whole", async () => {
		const { world, engine, storage, member } = bound(await setup());
		const a = await member("a");
		const records = Array.from({ length: 40 }, (_, i) => bytes(100_000, i));
		a.client.write([
			append(1, ...records),
			{ type: "put", key: "large", value: bytes(4 * 1024 * 1024, 9) },
			{ type: "stage-snapshot", name: "s", offset: 0, data: bytes(700_000, 1) },
			{ type: "stage-snapshot", name: "s", offset: 700_000, data: bytes(300_000, 2) },
			{ type: "publish-snapshot", name: "s", sizeBytes: 1_000_000, description: bytes(5) },
		]);
		await world.settle();
		expect(storage.inbox.length).toBeGreaterThan((40 * 100_000) / STORAGE_MESSAGE_BYTES);
		expect(engine.groups.map((group) => group.length)).toEqual([1]);
		const again = await member("a");
		expect(again.contents.records.length).toBe(40);
		expect(Buffer.compare(Buffer.concat(again.contents.records), Buffer.concat(records))).toBe(0);
		const large = again.contents.values.get("large") ?? bytes(0);
		expect(Buffer.compare(large, bytes(4 * 1024 * 1024, 9))).toBe(0);
		expect(again.contents.snapshot).toEqual({ name: "s", sizeBytes: 1_000_000, description: bytes(5) });
		const reading = again.client.readSnapshot("s", 600_000, 900_000);
		void world.settle();
		const expected = Buffer.concat([bytes(100_000, 1), bytes(300_000, 2)]);
		expect(Buffer.compare((await reading) ?? bytes(0), expected)).toBe(0);
	});
});

describe("trouble", () => {
	it("of one store is not the others': a refused write fails its store, the rest of the group is written", async () => {
		const { world, engine, published, member } = bound(await setup());
		const a = await member("a");
		const b = await member("b");
		a.client.write([append(1, bytes(1))]);
		b.client.write([append(5, bytes(1))]);
		b.client.write([append(9, bytes(1))]);
		a.client.write([append(2, bytes(1))]);
		await world.settle();
		expect(a.durable).toEqual([2]);
		expect(a.failures).toEqual([]);
		expect(b.failures.map(({ code, details }) => [code, details])).toEqual([
			["log-gap", { store: "b", expected: 6, found: 9 }],
		]);
		expect(b.durable).toEqual([]);
		expect((await loadFrom(engine, "b")).records).toEqual([]);
		expect(published.map(({ type }) => type)).toEqual(["store-failed"]);
		expect(() => b.client.write([append(1, bytes(1))])).toThrow("log continues at index 6");
	});

	it("of the disk is told to everybody at once, and nothing is taken any more", async () => {
		const { world, engine, published, member } = bound(await setup());
		const a = await member("a");
		const b = await member("b");
		engine.held = true;
		a.client.write([append(1, bytes(1))]);
		await world.settle();
		b.client.write([append(1, bytes(1))]);
		const read = b.client.readSnapshot("s", 0, 1).catch((error: QuorateError) => error.code);
		await world.settle();
		engine.failure = diskFull({ directory: "/data", operation: "commit", problem: "ENOSPC" });
		engine.release();
		await world.settle();
		expect([a.durable, b.durable]).toEqual([[], []]);
		expect([a, b].map(({ failures }) => failures.map(({ code }) => code))).toEqual([["disk-full"], ["disk-full"]]);
		expect(await read).toBe("storage-unusable");
		expect(published.at(-1)?.type).toBe("storage-failed");
		await expect(member("c")).rejects.toMatchObject({ code: "storage-unusable", details: { failure: "disk-full" } });
	});

	it("of a full way is waited out, in order, without loss", async () => {
		const { world, storage, engine, member } = bound(await setup());
		const a = await member("a");
		let refusals = 0;
		storage.verdict = () => {
			refusals += 1;
			return refusals % 3 === 0 ? "ok" : "full";
		};
		for (let i = 1; i <= 20; i++) a.client.write([append(i, bytes(1, i))]);
		a.actor.verdict = () => (world.nowMs < 50 ? "full" : "ok");
		await world.advance(49);
		expect(a.durable).toEqual([]);
		await world.advance(100);
		expect((await loadFrom(engine, "a")).records.map((record) => record[0])).toEqual(
			Array.from({ length: 20 }, (_, i) => i + 1),
		);
		expect(a.client.durableSequence).toBe(20);
		expect(a.failures).toEqual([]);
	});

	it("of a dead storage fails the participant", async () => {
		const { world, storage, member } = bound(await setup());
		const a = await member("a");
		storage.verdict = () => "dead";
		a.client.write([append(1, bytes(1))]);
		await world.advance(0);
		expect(a.failures.map(({ code }) => code)).toEqual(["storage-unreachable"]);
	});

	it("of too much outstanding is told before it is refused", async () => {
		const { world, engine, member } = bound(await setup());
		const a = await member("a");
		engine.held = true;
		const big = bytes(4 * 1024 * 1024);
		let index = 1;
		while (a.client.hasRoom) a.client.write([append(index++, big)]);
		expect(index).toBeGreaterThan(STORAGE_ROOM_BYTES / big.length);
		expect(() => {
			for (;;) a.client.write([append(index++, big)]);
		}).toThrow("wait to become durable");
		engine.held = false;
		engine.release();
		await world.settle();
		expect(a.rooms).toHaveLength(1);
		expect(a.client.durableSequence).toBe(index - 2);
	});

	it("of a corrupt store concerns its opening only", async () => {
		const { world, engine, member } = bound(await setup());
		const a = await member("a");
		engine.load = (store, settle) => {
			settle({ ok: false, error: storeCorrupt({ store, part: "record", key: "3", problem: "checksum" }) });
		};
		await expect(member("b")).rejects.toMatchObject({ code: "store-corrupt" });
		a.client.write([append(1, bytes(1))]);
		await world.settle();
		expect(a.durable).toEqual([1]);
	});
});

it("flushes what is gathered before it stops", async () => {
	const made = await setup();
	const { engine, member, behaviour } = bound(made);
	const a = await member("a");
	const closed: number[] = [];
	engine.close = async () => {
		closed.push((await loadFrom(engine, "a")).records.length);
	};
	engine.held = true;
	a.client.write([append(1, bytes(1))]);
	made.storage.turn();
	a.client.write([append(2, bytes(1))]);
	made.storage.turn();
	const stopping = behaviour.stopping();
	engine.held = false;
	engine.release();
	await stopping;
	expect(closed).toEqual([2]);
});
