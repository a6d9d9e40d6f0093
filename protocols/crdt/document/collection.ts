/**
 * Collection: what nobody needs any more goes.
 *
 * The log may be cut at any time at what every replica has applied (it is causally stable): a difference never reaches
 * below that. Tombstones are another matter. A replica that still has one may name it as an origin, and where an element goes may
 * depend on the origins of tombstones around it, so replicas that collect at different points could order elements
 * differently. Therefore a collection is a point that all replicas pass with the same operations applied: every operation is
 * before it at all of them, or after it at all of them. How a group comes to such a point is in
 * `replica/collection-agreement.ts`; the document counts its collections as epochs, and keeps an update of a later epoch waiting until
 * it has passed the same point.
 */
import type { CausalContext } from "../causality/causal-context.ts";
import { behindFloor } from "../errors.ts";
import { DELETED, NONE } from "../sequence/run-arena.ts";
import { amountOf, foldedOf } from "../types/entry-values.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { deletionAbove, type Entry, firstAbove, isDeletion } from "./entry.ts";
import { settleIds } from "./settled-ids.ts";

/** What a collection has freed. */
export interface Collected {
	/** Deleted elements that were places still. */
	readonly tombstones: number;
	/** Entries that were folded into others, or that only recorded a removal. */
	readonly entries: number;
	readonly logRecords: number;
}

/** Cuts the log at what every replica has applied. Returns how many records went. */
export function cutLog(core: DocumentCore, stable: CausalContext): number {
	let cut = 0;
	for (let replica = 0; replica < core.heads.length; replica++) {
		const floor = Math.min(stable.sequenceOf(core.replicas.at(replica)), core.heads[replica]!);
		if (floor <= core.floors[replica]!) continue;
		core.floors[replica] = floor;
		const log = core.log[replica]!;
		const kept = log.slice(firstAbove(log, floor));
		cut += log.length - kept.length;
		const [first] = kept;
		if (first !== undefined && isDeletion(first)) kept[0] = deletionAbove(first, floor);
		core.log[replica] = kept;
	}
	return cut;
}

/**
 * Collects at a point that all replicas pass alike.
 * @param point what every replica has applied, no less and no more, when it collects
 * @throws QuorateError `crdt-behind-floor` if this document has not applied exactly that; nothing is changed
 */
export function collectAt(core: DocumentCore, point: CausalContext): Collected {
	if (core.context.compare(point) !== "equal")
		throw behindFloor({ replica: core.replica, known: core.epoch, floor: core.epoch + 1 });
	const logRecords = cutLog(core, point);
	const tombstones = sweepSequences(core);
	let entries = 0;
	for (const container of core.containers) entries += foldEntries(container);
	settleIds(core);
	core.epoch += 1;
	return { tombstones, entries, logRecords };
}

/** Takes all tombstones out of the sequences; what is left is linked anew. */
function sweepSequences(core: DocumentCore): number {
	const { runs } = core.space;
	let tombstones = 0;
	for (const { sequence } of core.sequences) {
		let first = NONE;
		let last = NONE;
		for (let slot = sequence!.first; slot !== NONE; ) {
			const next = runs.next[slot]!;
			if ((runs.flags[slot]! & DELETED) !== 0) {
				tombstones += runs.length[slot]!;
				runs.release(slot);
			} else {
				runs.previous[slot] = last;
				runs.next[slot] = NONE;
				if (last === NONE) first = slot;
				else runs.next[last] = slot;
				last = slot;
			}
			slot = next;
		}
		sequence!.adopt(first);
	}
	return tombstones;
}

/**
 * Folds the increments of each replica into one, and forgets removals of a remove-wins set. Whatever is still to come has seen all
 * of them, so it supersedes either all or none.
 */
function foldEntries(container: Container): number {
	if (container.type === "remove-wins-set") return forgetRemovals(container);
	if (container.type !== "pn-counter" && container.type !== "g-counter") return 0;
	let folded = 0;
	for (const [key, first] of container.entries) {
		if (first.next === null) continue;
		let last = first;
		let amount = 0;
		let count = 0;
		for (let entry: Entry | null = first; entry !== null; entry = entry.next) {
			amount += amountOf(entry.value);
			count += foldedOf(entry.value);
			folded += 1;
			if (entry.sequence > last.sequence) last = entry;
		}
		folded -= 1;
		container.drop(key, (entry) => entry !== last);
		last.value = [amount, count];
	}
	return folded;
}

function forgetRemovals(container: Container): number {
	let forgotten = 0;
	for (const [key, first] of container.entries) {
		for (let entry: Entry | null = first; entry !== null; entry = entry.next) {
			if (entry.value !== false) continue;
			// One removal decides for the element; its concurrent additions go with it.
			container.drop(key, () => true);
			forgotten += 1;
			break;
		}
	}
	return forgotten;
}
