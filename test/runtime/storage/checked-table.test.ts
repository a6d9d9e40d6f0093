/**
 * Goal: a damaged value is found when it is read, and so is a sound one under a key that is not its own. Method: the
 * table over a map instead of a database, whose bytes the test changes.
 */
import type { Database } from "lmdb";
import { expect, test } from "vitest";
import { CheckedTable } from "../../../runtime/storage/checked-table.ts";

const place = () => ({ store: "s", part: "values", key: "k" });
const keyA = Buffer.from("a");
const keyB = Buffer.from("b");

function tableOf(): { readonly table: CheckedTable; readonly bytes: Map<string, Buffer> } {
	const bytes = new Map<string, Buffer>();
	const database = {
		putSync: (key: Buffer, value: Buffer) => bytes.set(key.toString(), Buffer.from(value)),
		get: (key: Buffer) => bytes.get(key.toString()),
	};
	return { table: new CheckedTable(database as unknown as Database<Buffer, Buffer>), bytes };
}

const mismatch = expect.objectContaining({
	code: "store-corrupt",
	details: { ...place(), problem: "the checksum does not match" },
});

test.each([0, 1, 300_000])("a value of %d bytes is read back, and not after a change of one bit", (sizeBytes) => {
	const { table, bytes } = tableOf();
	const value = new Uint8Array(sizeBytes).fill(7);
	table.put(keyA, value);
	expect(table.get(keyA, place)).toEqual(value);
	expect(table.get(keyB, place)).toBeNull();
	const stored = bytes.get("a");
	stored?.writeUInt8(stored.readUInt8(stored.length - 1) ^ 1, stored.length - 1);
	expect(() => table.get(keyA, place)).toThrow(mismatch);
});

test.each([0, 5])("a sound value of %d bytes in another's place is refused", (sizeBytes) => {
	const { table, bytes } = tableOf();
	table.put(keyA, new Uint8Array(sizeBytes));
	bytes.set("b", bytes.get("a") ?? Buffer.alloc(0));
	expect(() => table.get(keyB, place)).toThrow(mismatch);
});

test("a value without its checksum is refused", () => {
	const { table, bytes } = tableOf();
	bytes.set("a", Buffer.alloc(3));
	expect(() => table.get(keyA, place)).toThrow(expect.objectContaining({ code: "store-corrupt" }));
});
