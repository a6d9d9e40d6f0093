/**
 * Goal: packed tables of members hold what a plain map would, whatever the size of the numbers, in few bytes. Method: the same random
 * changes to both; numbers on both sides of each width.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { MemberDirectory } from "../../../../protocols/gossip/index.ts";
import { type MemberState, MemberTable } from "../../../../protocols/gossip/swim/member-table.ts";
import { PackedNumbers } from "../../../../protocols/gossip/swim/packed-numbers.ts";
import { variedChoices } from "./lone-member.ts";

const widths = [0, 1, 2 ** 16 - 1, 2 ** 16, 2 ** 32 - 1, 2 ** 32, 2 ** 48];

it("numbers come back as they were set, and the others stay when one needs more room", () => {
	const numbers = new PackedNumbers();
	numbers.grow(widths.length + 1);
	numbers.set(widths.length, 65_535);
	for (const [i, value] of widths.entries()) {
		numbers.set(i, value);
		expect(widths.slice(0, i + 1).map((_, at) => numbers.at(at))).toEqual(widths.slice(0, i + 1));
		expect(numbers.at(widths.length)).toBe(65_535);
	}
	numbers.grow(20);
	expect(widths.map((_, at) => numbers.at(at))).toEqual(widths);
	expect(numbers.at(19)).toBe(0);
});

const ids = Array.from({ length: 16 }, (_, i) => nodeId(`m${i}`));
const states = ["alive", "suspect", "dead", "buried", "left"] as const;
const change = fc.record({
	id: fc.constantFrom(...ids),
	state: fc.constantFrom(...states, "none" as const),
	incarnation: fc.constantFrom(...widths),
});

it("a table holds what a map holds, its order is of all that are held, and a copy goes its own way", () => {
	fc.assert(
		fc.property(fc.array(change, { minLength: 60, maxLength: 120 }), fc.nat(), (changes, seed) => {
			const directory = new MemberDirectory();
			const choices = variedChoices(seed);
			// Another table of the directory, so that slots are not all of one table.
			const other = new MemberTable(directory);
			for (const id of ids.slice(5, 15)) other.set(id, "alive", 7, choices);
			const table = new MemberTable(directory);
			const plain = new Map<NodeId, { state: MemberState; incarnation: number }>();
			for (const { id, state, incarnation } of changes) {
				if (state === "none") {
					if (plain.delete(id)) table.remove(id);
				} else {
					plain.set(id, { state, incarnation });
					table.set(id, state, incarnation, choices);
				}
			}
			const copy = table.copy();
			for (const id of table.ids()) copy.remove(id);
			table.shuffle(choices);
			expect(new Set(table.ids())).toEqual(new Set(plain.keys()));
			expect([table.size, copy.size, other.size]).toEqual([plain.size, 0, 10]);
			for (const id of ids) {
				const { state, incarnation } = plain.get(id) ?? { state: "none", incarnation: 0 };
				expect([table.stateOf(id), table.incarnationOf(id)]).toEqual([state, incarnation]);
				expect(table.statementOf(id)).toMatchObject({ node: id, incarnation });
			}
			for (const state of states)
				expect(table.count(state)).toBe([...plain.values()].filter((each) => each.state === state).length);
		}),
		{ numRuns: 60 },
	);
});

it("ten thousand members of one directory take 7 bytes each in a table, 13 if one has an incarnation above 2^32", () => {
	const directory = new MemberDirectory();
	const choices = variedChoices(1);
	const [first, second] = [new MemberTable(directory), new MemberTable(directory)];
	for (const table of [first, second]) {
		for (let i = 0; i < 10_000; i++) table.set(nodeId(`m${i}`), "alive", 1, choices);
	}
	expect(second.bytes).toBe(7 * 10_000);
	expect(first.bytes).toBeLessThan(7 * 12_501);
	second.set(nodeId("m7"), "alive", 2 ** 32, choices);
	expect(second.bytes).toBe(13 * 10_000);
});
