/** The state of a key-value store, as a persistent value. */
import { hashJson, type Json, jsonText, mixHash, sameJson } from "../json-value.ts";
import { appended, emptyList, type ListNode, lastItems, listHolds, listOf, sameList } from "../persistent-list.ts";

/** What stands under a key: a list, as one that shares its beginning with others, or any other value. */
export type Cell = { readonly list: ListNode } | { readonly value: Json };

/** The keys that have a value, in the order in which they got it. Only keys that some operation joins are in one state. */
export interface StoreState {
	readonly keys: readonly string[];
	readonly cells: readonly Cell[];
	/** The sum of the cells' hashes, since the order of keys does not count. */
	readonly hash: number;
}

export const emptyStore: StoreState = { keys: [], cells: [], hash: 0 };

/** Null is no value. */
export function cellFrom(value: Json): Cell | undefined {
	if (value === null) return undefined;
	return Array.isArray(value) ? { list: listOf(value) } : { value };
}

/** Null if what stands there is no list. */
export function appendedTo(cell: Cell | undefined, value: Json): { readonly list: ListNode } | null {
	if (cell === undefined) return { list: appended(emptyList, value) };
	return "list" in cell ? { list: appended(cell.list, value) } : null;
}

/** Whether a get may answer so. */
export function reads(cell: Cell | undefined, answer: Json): boolean {
	if (cell === undefined) return answer === null || (Array.isArray(answer) && answer.length === 0);
	if ("list" in cell) return Array.isArray(answer) && listHolds(cell.list, answer);
	return sameJson(cell.value, answer);
}

export function cellOf({ keys, cells }: StoreState, key: string): Cell | undefined {
	const at = keys.indexOf(key);
	return at < 0 ? undefined : cells[at];
}

export function withCell(state: StoreState, key: string, cell: Cell | undefined): StoreState {
	const { keys, cells } = state;
	const at = keys.indexOf(key);
	const present = at < 0 ? undefined : cells[at];
	const hash = (state.hash - hashOf(key, present) + hashOf(key, cell)) | 0;
	if (cell === undefined) {
		if (at < 0) return state;
		return { keys: keys.filter((other) => other !== key), cells: cells.filter((_, other) => other !== at), hash };
	}
	if (at < 0) return { keys: [...keys, key], cells: [...cells, cell], hash };
	return { keys, cells: cells.length === 1 ? [cell] : cells.with(at, cell), hash };
}

function hashOf(key: string, cell: Cell | undefined): number {
	if (cell === undefined) return 0;
	return mixHash(hashJson(key), "list" in cell ? cell.list.hash : hashJson(cell.value));
}

export function sameStore(a: StoreState, b: StoreState): boolean {
	if (a.hash !== b.hash || a.keys.length !== b.keys.length) return false;
	return a.keys.every((key, at) => sameCell(a.cells[at], cellOf(b, key)));
}

function sameCell(a: Cell | undefined, b: Cell | undefined): boolean {
	if (a === undefined || b === undefined) return a === b;
	if ("list" in a) return "list" in b && sameList(a.list, b.list);
	return "value" in b && sameJson(a.value, b.value);
}

const ITEMS_SHOWN_MAX = 6;

export function describeStore({ keys, cells }: StoreState): string {
	if (keys.length === 0) return "nothing";
	return keys
		.map((key, at) => `${key === "" ? "" : `${JSON.stringify(key)} = `}${describeCell(cells[at] as Cell)}`)
		.join(", ");
}

function describeCell(cell: Cell): string {
	if ("value" in cell) return jsonText(cell.value);
	const { list } = cell;
	if (list.length <= ITEMS_SHOWN_MAX) return jsonText(lastItems(list, ITEMS_SHOWN_MAX));
	const last = lastItems(list, ITEMS_SHOWN_MAX / 2).map((item) => jsonText(item));
	return `[${list.length} values, ${last.join(", ")}]`;
}
