/**
 * Lists that share their beginnings: an append makes one node, whatever the length, and its hash is that of the whole
 * list. So a state that holds a long list costs a search no more than one that holds a number.
 */
import { must } from "../../core/index.ts";
import { hashJson, type Json, mixHash, sameJson } from "./json-value.ts";

/** A list by its last item. */
export interface ListNode {
	/** Null only in the empty list. */
	readonly previous: ListNode | null;
	readonly value: Json;
	readonly length: number;
	/** Of all items, in order; see {@link extendHash}. */
	readonly hash: number;
}

export const EMPTY_HASH = 0x5eed;
export const emptyList: ListNode = { previous: null, value: null, length: 0, hash: EMPTY_HASH };

/** The hash of a list that has one item more. */
export function extendHash(hash: number, value: Json): number {
	return mixHash(hash, hashJson(value));
}

export function appended(list: ListNode, value: Json): ListNode {
	return { previous: list, value, length: list.length + 1, hash: extendHash(list.hash, value) };
}

export function listOf(values: readonly Json[]): ListNode {
	return values.reduce<ListNode>(appended, emptyList);
}

/** Exact. Lists that grew from one another stop being compared where they part. */
export function sameList(a: ListNode, b: ListNode): boolean {
	if (a.hash !== b.hash || a.length !== b.length) return false;
	let [left, right]: [ListNode, ListNode] = [a, b];
	while (left !== right) {
		if (!sameJson(left.value, right.value)) return false;
		left = before(left);
		right = before(right);
	}
	return true;
}

/** Exact, from the end, where lists of the same length differ most often. */
export function listHolds(list: ListNode, values: readonly Json[]): boolean {
	if (list.length !== values.length) return false;
	let node = list;
	for (let at = values.length - 1; at >= 0; at--) {
		if (!sameJson(node.value, values[at])) return false;
		node = before(node);
	}
	return true;
}

/** The last items, at most `count` of them, in order. */
export function lastItems(list: ListNode, count: number): Json[] {
	const items: Json[] = [];
	for (let node = list; items.length < count && node.length > 0; node = before(node)) items.push(node.value);
	return items.reverse();
}

function before(node: ListNode): ListNode {
	return must(node.previous ?? undefined, "a list that is not empty has a list before its last item");
}
