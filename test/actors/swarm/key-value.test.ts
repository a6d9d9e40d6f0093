/**
 * Goal: the default application does what its types say, never throws, and a snapshot carries all of it.
 * Method: one example per command, foreign commands, and a restore compared with the original.
 */
import { describe, expect, it } from "vitest";
import { type KeyValueCommand, KeyValueStore } from "../../../actors/swarm/key-value.ts";

describe("the key-value store", () => {
	it("puts, gets and deletes, and tells the former value", () => {
		const store = new KeyValueStore();
		expect(store.apply({ type: "put", key: "a", value: 1 })).toEqual({ value: null });
		expect(store.apply({ type: "put", key: "a", value: { deep: [2] } })).toEqual({ value: 1 });
		expect(store.apply({ type: "get", key: "a" })).toEqual({ value: { deep: [2] } });
		expect(store.query({ type: "get", key: "a" })).toEqual({ value: { deep: [2] } });
		expect(store.apply({ type: "delete", key: "a" })).toEqual({ value: { deep: [2] } });
		expect(store.query({ type: "get", key: "a" })).toEqual({ value: null });
	});

	it("swaps only what equals the expectation, by value", () => {
		const store = new KeyValueStore();
		expect(store.apply({ type: "cas", key: "a", expected: 1, value: 2 })).toEqual({ swapped: false, value: null });
		expect(store.apply({ type: "cas", key: "a", expected: null, value: { n: [1] } })).toEqual({
			swapped: true,
			value: null,
		});
		expect(store.apply({ type: "cas", key: "a", expected: { n: [1] }, value: 3 })).toEqual({
			swapped: true,
			value: { n: [1] },
		});
	});

	it("appends to lists and refuses to append to anything else", () => {
		const store = new KeyValueStore();
		expect(store.apply({ type: "append", key: "l", value: "x" })).toEqual({ length: 1 });
		expect(store.apply({ type: "append", key: "l", value: "y" })).toEqual({ length: 2 });
		store.apply({ type: "put", key: "n", value: 1 });
		expect(store.apply({ type: "append", key: "n", value: 1 })).toEqual({ error: "not-a-list" });
	});

	it.each([null, undefined, 7, "put", {}, { type: "drop" }])("refuses %j without throwing", (command) => {
		expect(new KeyValueStore().apply(command as unknown as KeyValueCommand)).toEqual({ error: "unknown-command" });
		expect(new KeyValueStore().query(command as never)).toEqual({ error: "unknown-query" });
	});

	it("restores a snapshot, which later commands do not change", () => {
		const store = new KeyValueStore();
		store.apply({ type: "append", key: "l", value: 1 });
		store.apply({ type: "put", key: "k", value: new Map([["a", 1]]) });
		const snapshot = store.takeSnapshot();
		store.apply({ type: "append", key: "l", value: 2 });
		const other = new KeyValueStore();
		other.apply({ type: "put", key: "gone", value: 1 });
		other.restoreSnapshot(snapshot);
		expect(other.query({ type: "get", key: "l" })).toEqual({ value: [1] });
		expect(other.query({ type: "get", key: "k" })).toEqual({ value: new Map([["a", 1]]) });
		expect(other.query({ type: "keys" })).toEqual({ keys: ["l", "k"] });
		expect(other.query({ type: "size" })).toEqual({ size: 2 });
	});
});
