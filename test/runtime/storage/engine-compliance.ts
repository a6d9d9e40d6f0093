/**
 * One suite for every storage engine. Goal: all engines keep the contract to the letter, so that what the simulator
 * proves about a participant holds on a disk. Method: the rules one by one, then random histories against a model that is
 * nothing but maps and arrays, across reopenings.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { QuorateError } from "../../../protocols/core/index.ts";
import type {
	Settle,
	StorageEngine,
	StoreContents,
	StoreOperation,
	StoreWrite,
} from "../../../runtime/storage/contract.ts";
import { histories, StoreModel } from "./store-model.ts";

/** Calls of an engine as promises. */
export const commitOn = (engine: StorageEngine, writes: readonly StoreWrite[]): Promise<void> =>
	new Promise((resolve, reject) => engine.commit(writes, settling(resolve, reject)));
export const loadFrom = (engine: StorageEngine, store: string): Promise<StoreContents> =>
	new Promise((resolve, reject) => engine.load(store, settling(resolve, reject)));
export const readFrom = (
	engine: StorageEngine,
	...[store, name, offset, lengthBytes]: [store: string, name: string, offset: number, lengthBytes: number]
): Promise<Uint8Array | null> =>
	new Promise((resolve, reject) => {
		engine.readSnapshot(store, name, offset, lengthBytes, settling(resolve, reject));
	});

function settling<T>(resolve: (value: T) => void, reject: (error: QuorateError) => void): Settle<T> {
	return (outcome) => {
		if (outcome.ok) resolve(outcome.value);
		else reject(outcome.error);
	};
}

/** How to have an engine, and the same one again as after an orderly restart of the process. */
export interface EngineSetup {
	open(): Promise<StorageEngine>;
	/** Null when nothing of this engine survives. */
	readonly reopen: ((engine: StorageEngine) => Promise<StorageEngine>) | null;
	/** Runs a promise of the engine to its end, driving its clock if it has one. */
	settle<T>(promise: Promise<T>): Promise<T>;
	cleanUp(): Promise<void>;
}

const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const append = (firstIndex: number, ...records: string[]): StoreOperation => ({
	type: "append",
	firstIndex,
	records: records.map(text),
});

export function testEngine(name: string, makeSetup: () => EngineSetup): void {
	describe(`the ${name} engine`, () => {
		let setup: EngineSetup;
		let engine: StorageEngine;
		beforeEach(async () => {
			setup = makeSetup();
			engine = await setup.open();
		});
		afterEach(async () => {
			await setup.settle(engine.close());
			await setup.cleanUp();
		});

		const commit = (...operations: StoreOperation[]): Promise<void> =>
			setup.settle(commitOn(engine, [{ store: "s", operations }]));
		const load = (store = "s"): Promise<StoreContents> => setup.settle(loadFrom(engine, store));
		const read = (snapshot: string, offset: number, length: number): Promise<Uint8Array | null> =>
			setup.settle(readFrom(engine, "s", snapshot, offset, length));
		const reopen = async (): Promise<void> => {
			if (setup.reopen !== null) engine = await setup.reopen(engine);
		};

		it("has empty stores that were never written", async () => {
			expect(await load()).toEqual({ values: new Map(), snapshot: null, firstIndex: 1, records: [] });
		});

		it("keeps values, records and a snapshot, over a reopening", async () => {
			await commit(
				{ type: "put", key: "term", value: text("1") },
				append(1, "a", "b"),
				{ type: "put", key: "term", value: text("2") },
				append(3, ""),
				{ type: "stage-snapshot", name: "snap", offset: 0, data: text("hello ") },
			);
			await commit(
				{ type: "stage-snapshot", name: "snap", offset: 6, data: text("world") },
				{ type: "publish-snapshot", name: "snap", sizeBytes: 11, description: text("at 1") },
				{ type: "compact-through", index: 1 },
			);
			const expected: StoreContents = {
				values: new Map([["term", text("2")]]),
				snapshot: { name: "snap", sizeBytes: 11, description: text("at 1") },
				firstIndex: 2,
				records: [text("b"), text("")],
			};
			expect(await load()).toEqual(expected);
			await reopen();
			expect(await load()).toEqual(expected);
			expect(await read("snap", 0, 100)).toEqual(text("hello world"));
			expect(await read("snap", 4, 4)).toEqual(text("o wo"));
			expect(await read("snap", 11, 4)).toEqual(text(""));
			expect(await read("other", 0, 4)).toBeNull();
		});

		it("keeps stores apart, also those whose names begin alike", async () => {
			const put = (value: string): StoreOperation[] => [
				{ type: "put", key: "k", value: text(value) },
				append(1, value),
			];
			await setup.settle(
				commitOn(engine, [
					{ store: "raft/node-1", operations: put("one") },
					{ store: "raft/node-10", operations: put("ten") },
					{ store: "raft/node-1", operations: [append(2, "more")] },
				]),
			);
			await reopen();
			expect((await load("raft/node-1")).records).toEqual([text("one"), text("more")]);
			expect((await load("raft/node-10")).records).toEqual([text("ten")]);
			expect((await load("raft/node")).values.size).toBe(0);
		});

		it("does not hand out or keep the caller's bytes", async () => {
			const value = text("before");
			await commit({ type: "put", key: "k", value }, { type: "append", firstIndex: 1, records: [value] });
			value.fill(0);
			const first = await load();
			first.values.get("k")?.fill(1);
			first.records[0]?.fill(1);
			const again = await load();
			expect([again.values.get("k"), again.records[0]]).toEqual([text("before"), text("before")]);
		});

		it("truncates, and continues there and nowhere else", async () => {
			await commit(append(1, "a", "b", "c"), { type: "truncate-from", index: 2 });
			await expect(commit(append(4, "d"))).rejects.toMatchObject({
				code: "log-gap",
				details: { expected: 2, found: 4 },
			});
			await commit(append(2, "B"), { type: "truncate-from", index: 9 });
			await reopen();
			expect(await load()).toMatchObject({ firstIndex: 1, records: [text("a"), text("B")] });
			await commit({ type: "truncate-from", index: 0 });
			await reopen();
			expect(await load()).toMatchObject({ firstIndex: 1, records: [] });
			await expect(commit(append(2, "x"))).rejects.toMatchObject({ code: "log-gap" });
			await commit(append(1, "x"));
		});

		it("compacts, and lets an emptied log begin anywhere later", async () => {
			await commit(append(1, "a", "b", "c"), { type: "compact-through", index: 2 });
			expect(await load()).toMatchObject({ firstIndex: 3, records: [text("c")] });
			await commit({ type: "compact-through", index: 1 });
			await commit({ type: "compact-through", index: 10 });
			await reopen();
			expect(await load()).toMatchObject({ firstIndex: 11, records: [] });
			await expect(commit(append(10, "x"))).rejects.toMatchObject({ code: "log-gap" });
			await commit(append(20, "x"));
			await reopen();
			expect(await load()).toMatchObject({ firstIndex: 20, records: [text("x")] });
		});

		it("truncates an append anywhere in it, and continues there", async () => {
			const letters = ["a", "b", "c", "d", "e", "f"];
			for (let from = 1; from <= 8; from++) {
				const store = `truncated-${from}`;
				const write = (...operations: StoreOperation[]): Promise<void> =>
					setup.settle(commitOn(engine, [{ store, operations }]));
				await write(append(1, ...letters.slice(0, 4)));
				await write(append(5, ...letters.slice(4)));
				await write({ type: "truncate-from", index: from });
				const left = letters.slice(0, from - 1);
				await reopen();
				expect((await load(store)).records).toEqual(left.map(text));
				await write(append(left.length + 1, "x", "y"), { type: "truncate-from", index: left.length + 2 });
				await write(append(left.length + 2, "z"));
				await reopen();
				expect((await load(store)).records).toEqual([...left, "x", "z"].map(text));
			}
		});

		it("compacts an append anywhere in it, and truncates what is left anywhere", async () => {
			const letters = ["a", "b", "c", "d", "e", "f"];
			for (let through = 1; through <= 6; through++) {
				for (let from = through; from <= 7; from++) {
					const store = `compacted-${through}-${from}`;
					const write = (...operations: StoreOperation[]): Promise<void> =>
						setup.settle(commitOn(engine, [{ store, operations }]));
					await write(append(1, ...letters.slice(0, 4)));
					await write(append(5, ...letters.slice(4)), { type: "compact-through", index: through });
					expect(await load(store)).toMatchObject({
						firstIndex: through + 1,
						records: letters.slice(through).map(text),
					});
					await write({ type: "truncate-from", index: from });
					const left = letters.slice(through, from - 1);
					expect(await load(store)).toMatchObject({ firstIndex: through + 1, records: left.map(text) });
					await write(append(through + left.length + 1, "x"));
					if (from === through) await reopen();
					expect(await load(store)).toMatchObject({
						firstIndex: through + 1,
						records: [...left, "x"].map(text),
					});
				}
			}
		});

		it("joins writes of one group, with truncations and compactions between them", async () => {
			const write = (...operations: StoreOperation[]): StoreWrite => ({ store: "s", operations });
			await setup.settle(
				commitOn(engine, [
					write(append(1, "a", "b")),
					write(append(3, "c"), { type: "truncate-from", index: 2 }, append(2, "B", "C")),
					write(append(4, "D"), { type: "compact-through", index: 1 }, append(5, "E")),
				]),
			);
			await reopen();
			expect(await load()).toMatchObject({ firstIndex: 2, records: ["B", "C", "D", "E"].map(text) });
		});

		it("keeps many small appends, and a large one beside them", async () => {
			const count = 1_500;
			for (let i = 1; i <= count; i += 50) {
				const writes = Array.from({ length: 50 }, (_, j) => ({ store: "s", operations: [append(i + j, `r${i + j}`)] }));
				await setup.settle(commitOn(engine, writes));
			}
			const large = Array.from({ length: 300 }, (_, i) => new Uint8Array(1_000).fill(i));
			const huge = new Uint8Array(3 * 1024 * 1024).fill(7);
			await commit({ type: "append", firstIndex: count + 1, records: [...large, huge, text("end")] });
			await reopen();
			const { records } = await load();
			expect(records.length).toBe(count + 302);
			expect(records.slice(0, count)).toEqual(Array.from({ length: count }, (_, i) => text(`r${i + 1}`)));
			for (const [i, record] of [...large, huge, text("end")].entries()) {
				expect(Buffer.compare(record, records[count + i] ?? new Uint8Array(0))).toBe(0);
			}
			await commit({ type: "compact-through", index: count + 100 }, { type: "truncate-from", index: count + 111 });
			await reopen();
			expect(await load()).toMatchObject({ firstIndex: count + 101, records: large.slice(100, 110) });
		});

		it("lets a fresh log begin anywhere", async () => {
			await commit(append(7, "x"), append(8, "y"));
			expect(await load()).toMatchObject({ firstIndex: 7, records: [text("x"), text("y")] });
		});

		it("refuses a group with an impossible write whole, and stays usable", async () => {
			await commit(append(1, "a"));
			const group = [
				{ store: "other", operations: [append(1, "o")] },
				{ store: "s", operations: [append(2, "b"), append(9, "z")] },
			];
			await expect(setup.settle(commitOn(engine, group))).rejects.toMatchObject({
				code: "log-gap",
				details: { store: "s", expected: 3, found: 9 },
			});
			expect((await load("other")).records).toEqual([]);
			expect((await load()).records).toEqual([text("a")]);
			await commit(append(2, "b"));
			expect((await load()).records).toEqual([text("a"), text("b")]);
		});

		it("refuses snapshot chunks that do not continue, and publications that are not complete", async () => {
			const stage = (snapshot: string, offset: number, data: string): StoreOperation => ({
				type: "stage-snapshot",
				name: snapshot,
				offset,
				data: text(data),
			});
			const publish = (snapshot: string, sizeBytes: number): StoreOperation => ({
				type: "publish-snapshot",
				name: snapshot,
				sizeBytes,
				description: text(""),
			});
			await expect(commit(stage("a", 4, "x"))).rejects.toMatchObject({ code: "snapshot-gap" });
			await commit(stage("a", 0, "1234"), stage("a", 4, "56"));
			await expect(commit(stage("a", 5, "x"))).rejects.toMatchObject({ code: "snapshot-gap" });
			await expect(commit(publish("a", 5))).rejects.toMatchObject({ code: "snapshot-gap" });
			await expect(commit(publish("b", 6))).rejects.toMatchObject({ code: "snapshot-gap" });
			await commit(stage("b", 0, "new"));
			await expect(commit(publish("a", 6))).rejects.toMatchObject({ code: "snapshot-gap" });
			await commit(stage("b", 0, "again"));
			await reopen();
			await commit(publish("b", 5));
			await reopen();
			expect(await read("b", 0, 9)).toEqual(text("again"));
			await commit(stage("b", 0, "next"));
			expect(await read("b", 0, 9)).toEqual(text("again"));
			await commit(publish("b", 4));
			expect(await read("b", 0, 9)).toEqual(text("next"));
		});

		it("refuses what is too large", async () => {
			const value = new Uint8Array(4 * 1024 * 1024 + 1);
			await expect(commit({ type: "put", key: "k", value })).rejects.toMatchObject({ code: "value-too-large" });
			await expect(commit({ type: "append", firstIndex: 1, records: [value] })).rejects.toMatchObject({
				code: "value-too-large",
			});
		});

		it("refuses a store's name that it can not hold", async () => {
			for (const store of ["", "a b", "é", "x".repeat(129)]) {
				await expect(setup.settle(loadFrom(engine, store))).rejects.toMatchObject({ code: "invalid-argument" });
			}
		});

		it("agrees with a model over random histories and reopenings", { timeout: 30_000 }, async () => {
			let runs = 0;
			await fc.assert(
				fc.asyncProperty(histories, async (history) => {
					runs += 1;
					const store = `random-${runs}`;
					const model = new StoreModel();
					for (const step of history) {
						if (step === "reopen") {
							await reopen();
							continue;
						}
						const accepted = model.write(step);
						const writing = setup.settle(commitOn(engine, [{ store, operations: step }]));
						if (accepted) await writing;
						else await expect(writing).rejects.toMatchObject({ details: { store } });
						expect(await load(store)).toEqual(model.contents());
						const { snapshot } = model;
						if (snapshot !== null) {
							const offset = Math.min(2, snapshot.bytes.length);
							expect(await setup.settle(readFrom(engine, store, snapshot.name, offset, 1000))).toEqual(
								snapshot.bytes.slice(offset),
							);
						}
					}
				}),
				{ numRuns: 60 },
			);
		});
	});
}
