/** Vector clocks (Mattern 1989; Fidge 1988): what one event knew of all members' events. Values: nothing changes in place. */
import { compareIds, type NodeId } from "../../core/index.ts";

/** Events of each member that are known; members that are not listed have 0. */
export type VectorClock = ReadonlyMap<NodeId, number>;

export type Causality = "before" | "after" | "equal" | "concurrent";

/** The clock of the next event at a member. */
export function advance(clock: VectorClock, node: NodeId): VectorClock {
	return new Map(clock).set(node, (clock.get(node) ?? 0) + 1);
}

/** The least clock that knows all that either knows. */
export function joinClocks(a: VectorClock, b: VectorClock): VectorClock {
	const joined = new Map(a);
	for (const [node, count] of b) if (count > (joined.get(node) ?? 0)) joined.set(node, count);
	return joined;
}

/** How the event of `a` stands to that of `b`. */
export function compareClocks(a: VectorClock, b: VectorClock): Causality {
	const [aCovers, bCovers] = [covers(a, b), covers(b, a)];
	if (aCovers) return bCovers ? "equal" : "after";
	return bCovers ? "before" : "concurrent";
}

/** Whether `a` knows all that `b` knows. */
export function covers(a: VectorClock, b: VectorClock): boolean {
	for (const [node, count] of b) if (count > (a.get(node) ?? 0)) return false;
	return true;
}

/**
 * Drops members that are gone for good, when every clock in use knows their last event: then their entries are equal
 * everywhere and decide nothing. To drop one earlier turns "after" into "concurrent".
 */
export function pruneClock(clock: VectorClock, gone: ReadonlyMap<NodeId, number>): VectorClock {
	return new Map([...clock].filter(([node, count]) => count < (gone.get(node) ?? Number.POSITIVE_INFINITY)));
}

/** One spelling for equal clocks: pairs in code-unit order. */
export function clockEntries(clock: VectorClock): [NodeId, number][] {
	return [...clock].filter(([, count]) => count > 0).sort(([a], [b]) => compareIds(a, b));
}
