/**
 * Goal: a kernel's watches are bounded, and every way in which one ends gives its place back.
 * Method: a table of three places, filled and emptied in each way.
 */
import { describe, expect, it } from "vitest";
import type { Address } from "../../../runtime/actor/address.ts";
import type { Cell } from "../../../runtime/actor/cell.ts";
import { WatchTable } from "../../../runtime/actor/watches.ts";

const at = (actor: number): Address => ({ slot: 1 as never, actor, incarnation: 1 });
/** The table uses watchers only as keys. */
const watcher = (): Cell => ({}) as Cell;

describe("a table of watches", () => {
	const [one, other] = [watcher(), watcher()];
	const full = (): WatchTable => {
		const table = new WatchTable(3);
		table.add(one, at(1), "a", false);
		table.add(other, at(1), "a", false);
		table.add(one, at(2), "b", true);
		return table;
	};

	it("refuses one more, by name, and stays as it was", () => {
		const table = full();
		const refused = { code: "watches-exhausted", details: { actor: "c", watchesMax: 3 } };
		expect(() => table.add(other, at(3), "c", false)).toThrow(expect.objectContaining(refused));
		expect(table.targetsIn(1 as never).map(({ name }) => name)).toEqual(["a", "b"]);
		// Watching again replaces, and takes no further place.
		expect(table.add(one, at(1), "a", true)).toBe(false);
	});

	it.each([
		["unwatching", 1, (table: WatchTable) => table.remove(one, at(2))],
		["the end of the target", 2, (table: WatchTable) => table.take(at(1))],
		["the end of the watcher", 2, (table: WatchTable) => table.removeAll(one)],
	] as const)("gives places back with %s", (_, freed, end) => {
		const table = full();
		end(table);
		// What is not there ends without effect.
		end(table);
		for (let actor = 10; actor < 10 + freed; actor++) table.add(other, at(actor), "new", false);
		expect(() => table.add(other, at(99), "one more", false)).toThrow(
			expect.objectContaining({ code: "watches-exhausted" }),
		);
	});
});
