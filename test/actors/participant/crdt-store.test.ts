/**
 * Goal: a replica's writes, performed as operations on a store, come back as exactly the durable state that they make (CRDT-26),
 * whatever their order and size; a store of somebody else is refused.
 * Method: random writes against a plain model, with the memory engine under them.
 */
import { describe, expect, it } from "vitest";
import { CrdtStore } from "../../../actors/participant/index.ts";
import { Generator } from "../../../protocols/core/index.ts";
import type { CrdtDurable, CrdtWrite } from "../../../protocols/crdt/index.ts";
import { MemoryEngine, type StoreContents } from "../../../runtime/storage/index.ts";

function load(engine: MemoryEngine): StoreContents {
	let contents: StoreContents | null = null;
	engine.load("s", (outcome) => {
		if (outcome.ok) contents = outcome.value;
	});
	return contents!;
}

function commit(engine: MemoryEngine, store: CrdtStore, write: CrdtWrite): void {
	engine.commit([{ store: "s", operations: store.operationsOf(write) }], (outcome) => expect(outcome.ok).toBe(true));
}

describe("a replica's store", () => {
	it("gives back what was written, over restarts, with states of many pieces that grow and shrink", () => {
		const draw = new Generator(1, "writes");
		const engine = new MemoryEngine();
		let store = new CrdtStore("g", "a");
		store.recover(load(engine), 7);
		let model: CrdtDurable = { state: null, updates: [], collection: null };
		for (let i = 0; i < 60; i++) {
			const bytes = new Uint8Array([0, 10, 3_000_000, 1_048_576][draw.below(4)]!).fill(i);
			const kind = draw.below(3);
			if (kind === 0) {
				commit(engine, store, { type: "append", update: bytes.slice(0, 50) });
				model = { ...model, updates: [...model.updates, bytes.slice(0, 50)] };
			} else if (kind === 1) {
				commit(engine, store, { type: "replace", state: bytes });
				model = { ...model, state: bytes, updates: [] };
			} else {
				const record = { epoch: i, round: i + 1, promised: draw.below(2) === 0 ? null : i };
				commit(engine, store, { type: "collection", record });
				model = { ...model, collection: record };
			}
			if (draw.below(4) !== 0) continue;
			store = new CrdtStore("g", "a");
			// The incarnation of the first start stays, whatever a later one would choose.
			const { incarnation, durable } = store.recover(load(engine), 99);
			expect(incarnation).toBe(7);
			expect(durable.collection).toEqual(model.collection);
			expect(durable.updates).toEqual(model.updates);
			expect(durable.state?.length).toBe(model.state?.length);
			if (model.state !== null) expect(Buffer.compare(durable.state!, model.state)).toBe(0);
		}
	});

	it("refuses what belongs to another member or group, or is no replica's", () => {
		const engine = new MemoryEngine();
		const store = new CrdtStore("g", "a");
		store.recover(load(engine), 0);
		commit(engine, store, { type: "replace", state: new Uint8Array(5) });
		for (const other of [new CrdtStore("g", "b"), new CrdtStore("h", "a")]) {
			expect(() => other.recover(load(engine), 0)).toThrow(expect.objectContaining({ code: "store-foreign" }) as Error);
		}
		const contents = load(engine);
		const values = new Map(contents.values);
		values.delete("identity");
		expect(() => new CrdtStore("g", "a").recover({ ...contents, values }, 0)).toThrow("has no identity");
		const cut = new Map(contents.values);
		cut.set("state/0", new Uint8Array(4));
		expect(() => new CrdtStore("g", "a").recover({ ...contents, values: cut }, 0)).toThrow("4 of 5 bytes");
	});
});
