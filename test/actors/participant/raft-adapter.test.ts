/**
 * Goal: what Raft persists is found again, what it delivers reaches the application once, and what is not its own is
 * refused.
 * Method: the adapter alone: its operations are played into a plain store, its deliveries into a recording host.
 */
import { describe, expect, it } from "vitest";
import {
	constructApplication,
	type DeliveryHost,
	decodeAnswer,
	encodeValue,
	HostedApplication,
	RaftAdapter,
	type SnapshotPart,
} from "../../../actors/participant/index.ts";
import { type Effect, type Input, must, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	configurationOf,
	type Entry,
	type LogIndex,
	type RaftConfig,
	type RaftTypes,
	raftConfig,
	type SessionId,
	type Term,
} from "../../../protocols/raft/index.ts";
import type { StoreContents, StoreOperation } from "../../../runtime/storage/contract.ts";

const [a, b, c] = ["a", "b", "c"].map(nodeId) as [NodeId, NodeId, NodeId];
const noMetrics = {
	counter: () => ({ add: () => undefined }),
	gauge: () => ({ set: () => undefined }),
	histogram: () => ({ record: () => undefined }),
};

/** Counts what it is given. */
class Tally {
	total = 0;
	/** Called with each command. */
	applied: () => void = () => undefined;
	apply(command: { readonly add: number }): number {
		this.applied();
		if (command.add < 0) throw new Error("negative");
		this.total += command.add;
		return this.total;
	}
	query(): number {
		return this.total;
	}
	takeSnapshot(): number {
		return this.total;
	}
	restoreSnapshot(total: number): void {
		this.total = total;
	}
}

function adapterOf(
	node: NodeId = a,
	group = "g",
	tuning: Partial<RaftConfig> = {},
): { readonly adapter: RaftAdapter; readonly tally: Tally } {
	const tally = new Tally();
	const adapter = new RaftAdapter({
		group,
		store: `raft/${group}/${node}`,
		config: raftConfig({ nodeId: node, voters: [a, b, c], ...tuning }),
		application: new HostedApplication("Tally", tally),
		metrics: noMetrics,
	});
	return { adapter, tally };
}

/** A store as plain data. */
class PlainStore {
	readonly values = new Map<string, Uint8Array>();
	firstIndex = 1;
	records: Uint8Array[] = [];
	snapshot: StoreContents["snapshot"] = null;
	bytes = new Uint8Array(0);
	staged = new Uint8Array(0);

	perform(operations: readonly StoreOperation[]): void {
		for (const operation of operations) this.#perform(operation);
	}
	#perform(operation: StoreOperation): void {
		switch (operation.type) {
			case "put":
				this.values.set(operation.key, operation.value);
				break;
			case "append":
				if (this.records.length === 0) this.firstIndex = operation.firstIndex;
				expect(operation.firstIndex).toBe(this.firstIndex + this.records.length);
				this.records.push(...operation.records);
				break;
			case "truncate-from":
				this.records.length = Math.max(0, operation.index - this.firstIndex);
				break;
			case "compact-through":
				this.records.splice(0, operation.index + 1 - this.firstIndex);
				this.firstIndex = operation.index + 1;
				break;
			case "stage-snapshot":
				if (operation.offset === 0) this.staged = new Uint8Array(0);
				expect(operation.offset).toBe(this.staged.length);
				this.staged = new Uint8Array(Buffer.concat([this.staged, operation.data]));
				break;
			case "publish-snapshot": {
				const { name, sizeBytes, description } = operation;
				expect(this.staged.length).toBe(sizeBytes);
				this.snapshot = { name, sizeBytes, description };
				this.bytes = this.staged;
				break;
			}
		}
	}
	get contents(): StoreContents {
		const { values, snapshot, firstIndex, records } = this;
		return { values, snapshot, firstIndex, records };
	}
}

class RecordingHost implements DeliveryHost<RaftTypes> {
	readonly answers = new Map<number, unknown>();
	readonly inputs: Input<RaftTypes>[] = [];
	readonly failures: unknown[] = [];
	/** What waits for a turn of its own. */
	readonly turns: (() => void)[] = [];
	ms = 0;
	readonly store: PlainStore;
	constructor(store: PlainStore = new PlainStore()) {
		this.store = store;
	}
	answer(requestId: number, value: unknown): void {
		this.answers.set(requestId, value);
	}
	write(operations: readonly StoreOperation[], durable: () => void): void {
		this.store.perform(operations);
		queueMicrotask(durable);
	}
	async readSnapshot({ name, offset, lengthBytes }: SnapshotPart): Promise<Uint8Array | null> {
		return this.store.snapshot?.name === name ? this.store.bytes.slice(offset, offset + lengthBytes) : null;
	}
	input(input: Input<RaftTypes>): void {
		this.inputs.push(input);
	}
	nowMs(): number {
		return this.ms;
	}
	later(): Promise<void> {
		return new Promise((resolve) => this.turns.push(resolve));
	}
	fail(error: unknown): void {
		this.failures.push(error);
	}
}

const term = (n: number): Term => n as Term;
const index = (n: number): LogIndex => n as LogIndex;
const command = (add: number, serial = 0, session = 0): Entry => ({
	term: term(1),
	kind: "command",
	session: session as SessionId,
	serial,
	firstIncomplete: 0,
	data: encodeValue({ add }),
});
const opening: Entry = { ...command(0), kind: "open-session", data: new Uint8Array(0) };
const entries = (firstIndex: number, list: readonly Entry[], requestIds: readonly (number | null)[] | null) =>
	({ type: "entries", firstIndex: index(firstIndex), entries: list, requestIds }) as const;
const settle = async (): Promise<void> => {
	for (let i = 0; i < 50; i++) await Promise.resolve();
};

describe("Raft's persists in a store", () => {
	it("are found again as they were", () => {
		const { adapter } = adapterOf();
		const store = new PlainStore();
		expect(adapter.recover(store.contents).durable).toEqual({
			hardState: { term: 0, votedFor: null },
			snapshot: null,
			firstIndex: 1,
			entries: [],
		});
		const list = [command(1), opening, command(2, 1, 2)];
		store.perform(adapter.operationsOf({ hardState: { term: term(3), votedFor: b } }));
		store.perform(adapter.operationsOf({ append: { firstIndex: index(1), entries: list } }));
		expect(adapterOf().adapter.recover(store.contents).durable).toEqual({
			hardState: { term: 3, votedFor: "b" },
			snapshot: null,
			firstIndex: 1,
			entries: list,
		});
	});

	it("of version 1 are taken up, and are of version 3 from the next persist on", () => {
		const store = new PlainStore();
		store.values.set("identity", encodeValue({ protocol: "raft", version: 1, group: "g", node: "a" }));
		store.values.set("hard-state", encodeValue({ term: 3, votedFor: "b" }));
		const description = encodeValue({ lastIndex: 4, lastTerm: 2, configuration: { voters: ["a", "b", "c"] } });
		store.snapshot = { name: "own-4", sizeBytes: 7, description };
		store.firstIndex = 5;
		const { adapter } = adapterOf();
		expect(adapter.recover(store.contents).durable.snapshot).toEqual({
			lastIndex: 4,
			lastTerm: 2,
			configuration: configurationOf([a, b, c]),
			sizeBytes: 7,
		});
		store.perform(adapter.operationsOf({ hardState: { term: term(4), votedFor: null } }));
		expect(decodeAnswer(store.values.get("identity") as Uint8Array)).toMatchObject({ version: 3 });
		expect(adapter.operationsOf({ hardState: { term: term(5), votedFor: null } })).toHaveLength(1);
	});

	it("that the store has found damaged are reported to the machine, which gets them again", () => {
		const { adapter } = adapterOf();
		const store = new PlainStore();
		adapter.recover(store.contents);
		store.perform(adapter.operationsOf({ hardState: { term: 1 as Term, votedFor: a } }));
		const contents = { ...store.contents, firstIndex: 3, damagedFrom: 3 };
		expect(adapter.repairsLog).toBe(true);
		expect(adapterOf().adapter.recover(contents).durable).toMatchObject({ entries: [], firstIndex: 3, damagedFrom: 3 });
	});

	it("that can not be decoded are reported as damaged from there on, with all that follows", () => {
		const { adapter } = adapterOf();
		const store = new PlainStore();
		adapter.recover(store.contents);
		const list = [command(1), command(2), command(3)];
		store.perform(adapter.operationsOf({ hardState: { term: term(1), votedFor: b } }));
		store.perform(adapter.operationsOf({ append: { firstIndex: index(1), entries: list } }));
		const [first, second, third] = store.contents.records as [Uint8Array, Uint8Array, Uint8Array];
		const contents = { ...store.contents, records: [first, second.slice(0, 5), third] };
		expect(adapterOf().adapter.recover(contents).durable).toMatchObject({ entries: [command(1)], damagedFrom: 2 });
		expect(adapterOf().adapter.recover(store.contents).durable).not.toHaveProperty("damagedFrom");
	});

	it("keep a witness's snapshot for one without bytes", () => {
		const { adapter } = adapterOf();
		const store = new PlainStore();
		adapter.recover(store.contents);
		const configuration = configurationOf([a, b, c], [], [a]);
		const snapshot = { lastIndex: index(4), lastTerm: term(1), configuration, sizeBytes: 0, withheld: true } as const;
		const data = new Uint8Array(0);
		const snapshotChunk = { lastIndex: index(4), lastTerm: term(1), offset: 0, data };
		store.perform(adapter.operationsOf({ snapshotChunk, installSnapshot: snapshot }));
		expect(adapterOf().adapter.recover(store.contents).durable.snapshot).toEqual(snapshot);
	});

	it("follow the order of one write: state, cut, entries, chunk, snapshot, compaction", () => {
		const { adapter } = adapterOf();
		adapter.recover(new PlainStore().contents);
		const snapshot = {
			lastIndex: index(9),
			lastTerm: term(2),
			configuration: configurationOf([a, b, c]),
			sizeBytes: 1,
		};
		const operations = adapter.operationsOf({
			hardState: { term: term(2), votedFor: null },
			truncateFrom: index(5),
			append: { firstIndex: index(5), entries: [command(1)] },
			snapshotChunk: { lastIndex: index(9), lastTerm: term(2), offset: 0, data: new Uint8Array(1) },
			installSnapshot: snapshot,
			compactThrough: index(4),
		});
		expect(operations.map(({ type }) => type)).toEqual([
			"put",
			"put",
			"truncate-from",
			"append",
			"stage-snapshot",
			"publish-snapshot",
			"compact-through",
		]);
	});

	it("carry the member's identity with the first write, and a foreign one is refused", () => {
		const { adapter } = adapterOf();
		const store = new PlainStore();
		adapter.recover(store.contents);
		store.perform(adapter.operationsOf({ hardState: { term: term(1), votedFor: null } }));
		const foreign = expect.objectContaining({ code: "store-foreign" });
		expect(() => adapterOf(b).adapter.recover(store.contents)).toThrowError(foreign);
		expect(() => adapterOf(a, "other").adapter.recover(store.contents)).toThrowError(foreign);
		store.values.set("identity", encodeValue({ protocol: "raft", version: 99, group: "g", node: "a" }));
		expect(() => adapterOf().adapter.recover(store.contents)).toThrowError(foreign);
		store.values.set("identity", new Uint8Array([0xc1]));
		expect(() => adapterOf().adapter.recover(store.contents)).toThrowError(foreign);
		store.values.delete("identity");
		expect(() => adapterOf().adapter.recover(store.contents)).toThrowError(foreign);
	});
});

/** What the machine is told of an application that lags, or no more. */
const behind = (isBehind: boolean): Input<RaftTypes> => {
	return { type: "request", requestId: 0, request: { type: "application-behind", isBehind } };
};

describe("Raft's deliveries", () => {
	it("reach the application in order, and each waiting request is answered with its result", () => {
		const { adapter, tally } = adapterOf();
		const host = new RecordingHost();
		void adapter.deliver(entries(1, [command(1), command(2), command(3)], [null, 7, 8]), host);
		expect(tally.total).toBe(6);
		expect([...host.answers]).toEqual([
			[7, { type: "result", index: 2, data: encodeValue(3) }],
			[8, { type: "result", index: 3, data: encodeValue(6) }],
		]);
		void adapter.deliver({ type: "query", requestId: 9, query: encodeValue(null) }, host);
		expect(host.answers.get(9)).toEqual({ type: "answer", data: encodeValue(6) });
		expect(adapter.status()).toMatchObject({ appliedIndex: 3 });
	});

	it("are applied in slices of time, and the machine is told when too much waits and when half of that is done", async () => {
		const { adapter, tally } = adapterOf(a, "g", { maxUnappliedEntries: 20 });
		const host = new RecordingHost();
		const { machine, durable } = adapter.recover(new PlainStore().contents);
		const effects: Effect<RaftTypes>[] = [];
		machine.step({ type: "start", durable }, 0, effects);
		const list = Array.from({ length: 60 }, () => command(1));
		const zero = { prevIndex: 0 as LogIndex, prevTerm: 0 as Term, round: 0 };
		const message = {
			type: "append-entries",
			term: 1 as Term,
			commit: 60 as LogIndex,
			entries: list,
			...zero,
		} as const;
		machine.step({ type: "message", from: b, message }, 0, effects);
		machine.step({ type: "batch-ended" }, 0, effects);
		const [delivery] = effects.flatMap((effect) => (effect.type === "apply" ? [effect.delivery] : []));
		// Each command takes a millisecond: a slice ends after 1 + 2 + 4, which is more than five.
		tally.applied = () => {
			host.ms += 1;
		};
		const done = adapter.deliver(must(delivery, "all of it is delivered"), host);
		expect(tally.total).toBe(7);
		expect(host.inputs).toEqual([behind(true)]);
		const totals: number[] = [];
		for (let turn = host.turns.shift(); turn !== undefined; turn = host.turns.shift()) {
			turn();
			await Promise.resolve();
			await Promise.resolve();
			totals.push(tally.total);
		}
		await done;
		expect(totals).toEqual([14, 21, 28, 35, 42, 49, 56, 60]);
		expect(host.inputs).toEqual([behind(true), behind(false)]);
		expect(adapter.status()).toMatchObject({ appliedIndex: 60, deliveredIndex: 60 });
	});

	it("are applied at once when that takes no time, and nothing is told", () => {
		const { adapter, tally } = adapterOf(a, "g", { maxUnappliedEntries: 1 });
		const host = new RecordingHost();
		expect(adapter.deliver(entries(1, [command(1), command(2), command(3)], null), host)).toBeUndefined();
		expect([tally.total, host.inputs, host.turns]).toEqual([6, [], []]);
	});

	it("apply a command of a session once, however often it stands in the log", () => {
		const { adapter, tally } = adapterOf();
		const host = new RecordingHost();
		void adapter.deliver(entries(1, [opening, command(5, 1, 1), command(5, 1, 1)], [1, 2, 3]), host);
		expect(tally.total).toBe(5);
		expect(host.answers.get(1)).toEqual({ type: "session-opened", session: 1 });
		expect(host.answers.get(3)).toEqual(host.answers.get(2));
	});

	it("stop the participant when the application throws, naming hook and index", () => {
		const { adapter } = adapterOf();
		expect(() => adapter.deliver(entries(4, [command(-1)], null), new RecordingHost())).toThrowError(
			expect.objectContaining({
				code: "application-failed",
				details: { application: "Tally", hook: "apply", index: 4, reason: "it threw: negative" },
				message: "the application Tally failed in apply at index 4: it threw: negative",
			}),
		);
	});
});

describe("queries", () => {
	it("that throw are answered with the failure, and the participant goes on", () => {
		const { adapter, tally } = adapterOf();
		Object.assign(tally, {
			query: () => {
				throw new Error("no such question");
			},
		});
		const host = new RecordingHost();
		void adapter.deliver({ type: "query", requestId: 1, query: encodeValue(null) }, host);
		const { data } = host.answers.get(1) as { readonly data: Uint8Array };
		expect(() => decodeAnswer(data)).toThrowError(
			expect.objectContaining({ code: "query-failed", details: { application: "Tally", reason: "no such question" } }),
		);
	});
});

describe("snapshots", () => {
	const configuration = configurationOf([a, b, c]);
	const take = { type: "take-snapshot", lastIndex: index(2), lastTerm: term(1), configuration } as const;

	it("are staged, published, reported ready, and carry application and sessions to another member", async () => {
		const { adapter } = adapterOf();
		const host = new RecordingHost();
		adapter.recover(host.store.contents);
		host.store.perform(adapter.operationsOf({ hardState: { term: term(1), votedFor: null } }));
		void adapter.deliver(entries(1, [opening, command(5, 1, 1)], null), host);
		void adapter.deliver(take, host);
		await settle();
		const { sizeBytes } = host.store.snapshot as NonNullable<StoreContents["snapshot"]>;
		const snapshot = { lastIndex: 2, lastTerm: 1, configuration, sizeBytes };
		expect(host.inputs).toEqual([{ type: "snapshot-ready", snapshot }]);

		const next = adapterOf();
		const { durable } = next.adapter.recover(host.store.contents);
		expect(durable.snapshot).toEqual(snapshot);
		await next.adapter.deliver({ type: "restore-snapshot", snapshot: durable.snapshot as never }, host);
		expect(next.tally.total).toBe(5);
		// The session's result is remembered: the retry is not applied.
		void next.adapter.deliver(entries(3, [command(5, 1, 1)], [1]), host);
		expect(next.tally.total).toBe(5);
		expect(next.adapter.snapshotPartOf({ lastIndex: index(2), offset: 0, lengthBytes: 4 })).toMatchObject({
			name: host.store.snapshot?.name,
		});
	});

	it("fail loudly when their bytes are gone", async () => {
		const { adapter } = adapterOf();
		const snapshot = { lastIndex: index(2), lastTerm: term(1), configuration, sizeBytes: 10 };
		await expect(adapter.deliver({ type: "restore-snapshot", snapshot }, new RecordingHost())).rejects.toMatchObject({
			code: "snapshot-lost",
		});
	});

	it("of one's own wait while a leader's is arriving, and go on when that is given up", async () => {
		const { adapter } = adapterOf();
		const host = new RecordingHost();
		adapter.recover(host.store.contents);
		const chunk = { lastIndex: index(9), lastTerm: term(2), offset: 0, data: new Uint8Array(3) };
		host.store.perform(adapter.operationsOf({ snapshotChunk: chunk }));
		void adapter.deliver(take, host);
		await settle();
		expect(host.store.staged).toHaveLength(3);
		expect(host.inputs).toEqual([]);
		host.store.perform(adapter.operationsOf({ append: { firstIndex: index(1), entries: [command(1)] } }));
		await settle();
		expect(host.inputs).toMatchObject([{ type: "snapshot-ready" }]);
	});

	it("of one's own are forgotten when a leader's is installed, which reaches further", async () => {
		const { adapter } = adapterOf();
		const host = new RecordingHost();
		adapter.recover(host.store.contents);
		const chunk = { lastIndex: index(9), lastTerm: term(2), offset: 0, data: new Uint8Array(3) };
		host.store.perform(adapter.operationsOf({ snapshotChunk: chunk }));
		void adapter.deliver(take, host);
		const snapshot = { lastIndex: index(9), lastTerm: term(2), configuration, sizeBytes: 3 };
		host.store.perform(adapter.operationsOf({ installSnapshot: snapshot }));
		host.store.perform(adapter.operationsOf({ append: { firstIndex: index(1), entries: [command(1)] } }));
		await settle();
		expect(host.inputs).toEqual([]);
		expect(host.store.snapshot).toMatchObject({ sizeBytes: 3 });
	});

	it("of one's own start over when a leader's has displaced them half-way", async () => {
		const { adapter, tally } = adapterOf();
		const host = new RecordingHost();
		adapter.recover(host.store.contents);
		Object.assign(tally, { takeSnapshot: () => new Uint8Array(1_500_000) });
		const durable: (() => void)[] = [];
		host.write = (operations, done) => {
			host.store.perform(operations);
			durable.push(done);
		};
		void adapter.deliver(take, host);
		const chunk = { lastIndex: index(9), lastTerm: term(2), offset: 0, data: new Uint8Array(3) };
		host.store.perform(adapter.operationsOf({ snapshotChunk: chunk }));
		durable.shift()?.();
		expect(host.store.staged).toHaveLength(3);
		host.store.perform(adapter.operationsOf({ append: { firstIndex: index(1), entries: [command(1)] } }));
		while (durable.length > 0) durable.shift()?.();
		expect(host.inputs).toMatchObject([{ type: "snapshot-ready" }]);
	});

	it("larger than a chunk are staged in several writes, the last of which publishes", async () => {
		const { adapter, tally } = adapterOf();
		const host = new RecordingHost();
		const writes: string[][] = [];
		host.write = (operations, durable) => {
			writes.push(operations.map(({ type }) => type));
			host.store.perform(operations);
			queueMicrotask(durable);
		};
		Object.assign(tally, { takeSnapshot: () => new Uint8Array(2_500_000) });
		void adapter.deliver(take, host);
		await settle();
		expect(writes).toEqual([["stage-snapshot"], ["stage-snapshot"], ["stage-snapshot", "publish-snapshot"]]);
		expect(host.inputs).toMatchObject([{ type: "snapshot-ready" }]);
	});
});

describe("an application", () => {
	const invalid = expect.objectContaining({ code: "application-invalid" });
	it("is a class with the four methods", () => {
		expect(constructApplication("Tally", Tally, undefined)).toBeInstanceOf(Tally);
		expect(() => constructApplication("x", undefined, undefined)).toThrowError(invalid);
		expect(() => constructApplication("x", class {}, undefined)).toThrowError(invalid);
		class Throws {
			constructor() {
				throw new Error("no");
			}
		}
		expect(() => constructApplication("x", Throws, undefined)).toThrowError(invalid);
	});
});
