/**
 * Dotted version vectors (Preguiça, Baquero, Almeida, Fonte, Gonçalves, "Dotted Version Vectors", 2012): which values of one key
 * are siblings, with an entry for each member that writes for clients and not for each client. Each value has a dot, the event
 * that wrote it; the context says which events were seen.
 */

import type { NodeId } from "../../core/index.ts";
import { type Bounds, requireIntegerField } from "../bounds.ts";
import { joinClocks, type VectorClock } from "./vector-clock.ts";

export interface Dot {
	readonly node: NodeId;
	readonly count: number;
}

export interface Sibling<T> {
	readonly dot: Dot;
	readonly value: T;
}

/** The values of one key that nobody has overwritten, and all events that were seen of it. */
export interface Siblings<T> {
	readonly values: readonly Sibling<T>[];
	readonly context: VectorClock;
}

export const noSiblings: Siblings<never> = { values: [], context: new Map() };

const siblingsBounds: Bounds = [1, 1_048_576];

/**
 * Writes a value at a member: it replaces what the writer has seen (`seen`, the context of its read), and stands beside
 * what it has not.
 */
export function writeSibling<T>(held: Siblings<T>, seen: VectorClock, node: NodeId, value: T): Siblings<T> {
	const count = Math.max(held.context.get(node) ?? 0, seen.get(node) ?? 0) + 1;
	const kept = held.values.filter(({ dot }) => !includes(seen, dot));
	const context = joinClocks(joinClocks(held.context, seen), new Map([[node, count]]));
	return { values: [...kept, { dot: { node, count }, value }], context };
}

/** What two members hold of a key, together: a value that one has seen and does not hold was overwritten. */
export function joinSiblings<T>(a: Siblings<T>, b: Siblings<T>): Siblings<T> {
	const inBoth = a.values.filter(({ dot }) => holdsDot(b, dot));
	const onlyA = a.values.filter(({ dot }) => !holdsDot(b, dot) && !includes(b.context, dot));
	const onlyB = b.values.filter(({ dot }) => !holdsDot(a, dot) && !includes(a.context, dot));
	return { values: [...inBoth, ...onlyA, ...onlyB], context: joinClocks(a.context, b.context) };
}

/**
 * Settles siblings by a rule that all members apply alike; the result replaces them all. Without siblings nothing changes.
 * @param limit siblings that may be there. @throws QuorateError `gossip-config-invalid` when there are more
 */
export function settleSiblings<T>(
	held: Siblings<T>,
	node: NodeId,
	merge: (values: readonly T[]) => T,
	limit = 1_024,
): Siblings<T> {
	if (held.values.length < 2) return held;
	requireIntegerField("limit", limit, siblingsBounds);
	requireIntegerField("siblings", held.values.length, [0, limit]);
	const ordered = [...held.values].sort((a, b) => compareDots(a.dot, b.dot)).map(({ value }) => value);
	return writeSibling(held, held.context, node, merge(ordered));
}

function includes(clock: VectorClock, { node, count }: Dot): boolean {
	return count <= (clock.get(node) ?? 0);
}

function holdsDot<T>({ values }: Siblings<T>, dot: Dot): boolean {
	return values.some((each) => each.dot.node === dot.node && each.dot.count === dot.count);
}

function compareDots(a: Dot, b: Dot): number {
	return a.node < b.node ? -1 : a.node > b.node ? 1 : a.count - b.count;
}
