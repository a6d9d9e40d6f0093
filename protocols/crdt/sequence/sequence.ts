/**
 * A replicated sequence: the order of its elements, without their content.
 *
 * Each element is inserted between two others, its origins, and stays between them. Concurrent elements with overlapping
 * origins are ordered by FugueMax (Weidner and Kleppmann, "The Art of the Fugue", TPDS 2025), in its form on a list:
 * among those to the right of one left origin, the one whose right origin is further right comes first, and equal ones are
 * ordered by replica. It is the order with maximal non-interleaving: what one replica typed in one go, forwards or backwards,
 * stays together whatever others typed at the same place.
 *
 * A deleted element stays as a place (a tombstone) until it is collected, see `document/collection.ts`.
 */

import type { ReplicaTable } from "../causality/replica.ts";
import { updateDamaged } from "../errors.ts";
import type { IdIndex } from "./id-index.ts";
import { DELETED, NONE, NOTHING, type RunArena, SETTLED } from "./run-arena.ts";
import { RunTree } from "./run-tree.ts";

/** What the sequences of one document share. */
export interface SequenceSpace {
	readonly runs: RunArena;
	readonly ids: IdIndex;
	readonly replicas: ReplicaTable;
}

/** Told of each stretch of elements that appears or disappears, with its position at that time. */
export interface SequenceListener {
	inserted(position: number, replica: number, sequence: number, length: number): void;
	deleted(position: number, replica: number, sequence: number, length: number): void;
}

export class Sequence {
	/** Tells the sequences of one document apart. */
	readonly number: number;
	readonly #space: SequenceSpace;
	readonly #runs: RunArena;
	readonly #ids: IdIndex;
	readonly tree: RunTree;
	#first = NONE;
	/** Whether nothing was inserted or deleted since {@link adopt}. */
	isAsAdopted = false;
	/** The origins of the last {@link insertAt}. */
	leftReplica: number = NOTHING;
	leftSequence = 0;
	rightReplica: number = NOTHING;
	rightSequence = 0;

	constructor(space: SequenceSpace, number: number) {
		this.#space = space;
		this.#runs = space.runs;
		this.#ids = space.ids;
		this.number = number;
		this.tree = new RunTree(space.runs);
	}

	/** Visible elements. */
	get length(): number {
		return this.tree.visible;
	}

	/** The first run, `NONE` if there is none. */
	get first(): number {
		return this.#first;
	}

	/**
	 * Inserts new elements of the own replica before the visible element at `position`, which is in bounds; their origins are
	 * then in {@link leftReplica} and its siblings.
	 */
	insertAt(position: number, replica: number, sequence: number, length: number): void {
		const runs = this.#runs;
		let left = NONE;
		this.leftReplica = NOTHING;
		this.leftSequence = 0;
		if (position > 0) {
			left = this.tree.find(position - 1);
			const offset = this.tree.offset;
			this.leftReplica = runs.replica[left]!;
			this.leftSequence = runs.sequence[left]! + offset;
			if (offset + 1 < runs.length[left]!) this.#split(left, offset + 1);
		}
		this.#insertOwn(left, replica, sequence, length);
	}

	/** As {@link insertAt}, right behind an element that is here, be it deleted. */
	insertBehind(targetReplica: number, targetSequence: number, replica: number, sequence: number, length: number): void {
		const runs = this.#runs;
		const left = this.#runOf(targetReplica, targetSequence);
		const end = targetSequence - runs.sequence[left]! + 1;
		if (end < runs.length[left]!) this.#split(left, end);
		this.leftReplica = targetReplica;
		this.leftSequence = targetSequence;
		this.#insertOwn(left, replica, sequence, length);
	}

	#insertOwn(left: number, replica: number, sequence: number, length: number): void {
		const runs = this.#runs;
		const right = left === NONE ? this.#first : runs.next[left]!;
		this.rightReplica = right === NONE ? NOTHING : runs.replica[right]!;
		this.rightSequence = right === NONE ? 0 : runs.sequence[right]!;
		this.#insert(left, right, replica, sequence, length, 0, this);
	}

	/**
	 * Inserts elements as another replica did.
	 * @throws QuorateError `crdt-update-damaged` if an origin is unknown
	 */
	insertBetween(
		replica: number,
		sequence: number,
		length: number,
		origins: Origins,
		flags: number,
		listener: SequenceListener | null,
	): void {
		const runs = this.#runs;
		let left = NONE;
		if (origins.leftReplica !== NOTHING) {
			left = this.#runOf(origins.leftReplica, origins.leftSequence);
			const end = origins.leftSequence - runs.sequence[left]! + 1;
			if (end < runs.length[left]!) this.#split(left, end);
		}
		let right = NONE;
		if (origins.rightReplica !== NOTHING) {
			right = this.#runOf(origins.rightReplica, origins.rightSequence);
			const start = origins.rightSequence - runs.sequence[right]!;
			if (start > 0) {
				right = this.#split(right, start);
				// The cut may have left the left origin in the new run.
				if (left !== NONE) left = this.#runOf(origins.leftReplica, origins.leftSequence);
			}
			// Nobody who means well has a right origin that is not to the right: to all alike, it is the end.
			if (left !== NONE && runs.next[left] !== right && this.tree.compare(left, right) >= 0) right = NONE;
		}
		const slot = this.#insert(left, right, replica, sequence, length, flags, origins);
		if (listener === null) return;
		listener.inserted(this.tree.positionOf(slot) + sequence - runs.sequence[slot]!, replica, sequence, length);
	}

	/** Deletes visible elements, all in bounds, and tells of each stretch of ids, in order of position. */
	deleteAt(position: number, count: number, tell: (replica: number, sequence: number, length: number) => void): void {
		const runs = this.#runs;
		for (let left = count; left > 0; ) {
			const slot = this.tree.find(position);
			const offset = this.tree.offset;
			const length = Math.min(left, runs.length[slot]! - offset);
			const replica = runs.replica[slot]!;
			const sequence = runs.sequence[slot]! + offset;
			this.#delete(slot, offset, length);
			tell(replica, sequence, length);
			left -= length;
		}
	}

	/** Deletes those elements of a range of ids that are still visible. Collected ones are gone already. */
	deleteIds(replica: number, sequence: number, length: number, listener: SequenceListener | null): void {
		const runs = this.#runs;
		const end = sequence + length;
		for (let at = sequence; at < end; ) {
			const slot = this.#ids.atOrBefore(replica, at);
			const next = slot === NONE ? this.#ids.first(replica) : runs.later[slot]!;
			const stop = slot === NONE ? 0 : runs.sequence[slot]! + runs.length[slot]!;
			if (at >= stop) {
				// A gap: go on with the next run by id.
				if (next === NONE) return;
				at = runs.sequence[next]!;
				continue;
			}
			const from = at - runs.sequence[slot]!;
			const count = Math.min(end, stop) - at;
			if ((runs.flags[slot]! & DELETED) === 0 && runs.sequenceNumber[slot] === this.number) {
				if (listener !== null) listener.deleted(this.tree.positionOf(slot) + from, replica, at, count);
				this.#delete(slot, from, count);
			}
			at += count;
		}
	}

	/** Takes over a whole order: runs that are linked, filled and indexed already. */
	adopt(first: number): void {
		this.#first = first;
		this.isAsAdopted = true;
		this.tree.rebuild(first);
	}

	/** Whether an element of this sequence is here, be it deleted. */
	has(replica: number, sequence: number): boolean {
		const slot = this.#ids.find(replica, sequence);
		return slot !== NONE && this.#runs.sequenceNumber[slot] === this.number;
	}

	/** The run with an id that must be here. */
	#runOf(replica: number, sequence: number): number {
		const slot = this.#ids.find(replica, sequence);
		if (slot === NONE || this.#runs.sequenceNumber[slot] !== this.number)
			throw updateDamaged({ reason: "an element whose neighbour is not here", offset: 0 });
		return slot;
	}

	#insert(
		left: number,
		right: number,
		replica: number,
		sequence: number,
		length: number,
		flags: number,
		origins: Origins,
	): number {
		const runs = this.#runs;
		this.isAsAdopted = false;
		const adjacent = (left === NONE ? this.#first : runs.next[left]!) === right;
		if (adjacent && left !== NONE && this.#continues(left, replica, sequence, flags, origins)) {
			runs.length[left]! += length;
			if (flags === 0) this.tree.addVisible(left, length);
			this.#ids.extended(left);
			return left;
		}
		const before = adjacent ? left : this.#place(left, right, replica, sequence, origins);
		const slot = runs.take();
		runs.replica[slot] = replica;
		runs.sequence[slot] = sequence;
		runs.length[slot] = length;
		runs.leftReplica[slot] = origins.leftReplica;
		runs.leftSequence[slot] = origins.leftSequence;
		runs.rightReplica[slot] = origins.rightReplica;
		runs.rightSequence[slot] = origins.rightSequence;
		runs.flags[slot] = flags;
		runs.sequenceNumber[slot] = this.number;
		this.#link(slot, before);
		this.#ids.append(slot);
		return slot;
	}

	/** Whether new elements lengthen the run at their left. */
	#continues(left: number, replica: number, sequence: number, flags: number, origins: Origins): boolean {
		const runs = this.#runs;
		return (
			runs.replica[left] === replica &&
			runs.sequence[left]! + runs.length[left]! === sequence &&
			origins.leftSequence === sequence - 1 &&
			runs.rightReplica[left] === origins.rightReplica &&
			runs.rightSequence[left] === origins.rightSequence &&
			runs.flags[left] === flags
		);
	}

	/**
	 * Where among concurrent elements a new one goes: the run to put it behind. Between its origins lie only elements that its
	 * replica had not seen.
	 */
	#place(left: number, right: number, replica: number, sequence: number, origins: Origins): number {
		const runs = this.#runs;
		let after = left;
		let last = left;
		/** Passing elements that may turn out to come after the new one. */
		let undecided = false;
		let other = left === NONE ? this.#first : runs.next[left]!;
		for (; other !== right && other !== NONE; last = other, other = runs.next[other]!) {
			if (!undecided) after = last;
			const leftOrder = this.#compareLeft(other, left, origins);
			if (leftOrder < 0) break;
			if (leftOrder > 0) continue;
			const rightOrder = this.#compareRight(other, right, origins);
			if (rightOrder < 0) undecided = true;
			else if (rightOrder > 0) undecided = false;
			else if (this.#precedes(replica, sequence, other)) break;
			else undecided = false;
		}
		if (other === right && !undecided) after = last;
		return after;
	}

	/** The order of two elements with the same origins. */
	#precedes(replica: number, sequence: number, other: number): boolean {
		const runs = this.#runs;
		const order = this.#space.replicas.compare(replica, runs.replica[other]!);
		return order < 0 || (order === 0 && sequence < runs.sequence[other]!);
	}

	/** Where the left origin of `other` stands to the new element's, the last of run `left`. */
	#compareLeft(other: number, left: number, origins: Origins): number {
		const runs = this.#runs;
		const replica = runs.leftReplica[other]!;
		if (replica === origins.leftReplica && (replica === NOTHING || runs.leftSequence[other] === origins.leftSequence))
			return 0;
		if (replica === NOTHING) return -1;
		if (left === NONE) return 1;
		const slot = this.#runOf(replica, runs.leftSequence[other]!);
		return slot === left ? -1 : this.tree.compare(slot, left);
	}

	/** Where the right origin of `other` stands to the new element's, the first of run `right`. */
	#compareRight(other: number, right: number, origins: Origins): number {
		const runs = this.#runs;
		const replica = runs.rightReplica[other]!;
		if (
			replica === origins.rightReplica &&
			(replica === NOTHING || runs.rightSequence[other] === origins.rightSequence)
		)
			return 0;
		if (replica === NOTHING) return 1;
		if (right === NONE) return -1;
		const slot = this.#runOf(replica, runs.rightSequence[other]!);
		return slot === right ? 1 : this.tree.compare(slot, right);
	}

	#delete(slot: number, from: number, count: number): void {
		const runs = this.#runs;
		this.isAsAdopted = false;
		const length = runs.length[slot]!;
		const previous = runs.previous[slot]!;
		const next = runs.next[slot]!;
		if (
			from + count === length &&
			from > 0 &&
			next !== NONE &&
			runs.flags[next] === DELETED &&
			this.joins(slot, next)
		) {
			// Backspacing: the tombstone behind takes the end over.
			runs.length[slot] = from;
			runs.sequence[next]! -= count;
			runs.length[next]! += count;
			if (runs.leftReplica[next] !== SETTLED) runs.leftSequence[next]! -= count;
			this.#ids.moved(next, runs.sequence[next]!, runs.sequence[next]! + count);
			this.tree.addVisible(slot, -count);
			return;
		}
		if (from === 0 && count < length && previous !== NONE && runs.flags[previous] === DELETED) {
			if (this.joins(previous, slot)) {
				// Deleting forwards: the tombstone before takes the beginning over.
				const sequence = runs.sequence[slot]!;
				runs.length[previous]! += count;
				runs.sequence[slot] = sequence + count;
				runs.length[slot] = length - count;
				if (runs.leftReplica[slot] !== SETTLED) runs.leftSequence[slot]! += count;
				this.#ids.moved(previous, sequence, sequence + count);
				this.tree.addVisible(slot, -count);
				return;
			}
		}
		if (from + count < length) this.#split(slot, from + count);
		const deleted = from > 0 ? this.#split(slot, from) : slot;
		runs.flags[deleted]! |= DELETED;
		this.tree.addVisible(deleted, -count);
		this.#mergeNext(deleted);
		if (runs.previous[deleted] !== NONE) this.#mergeNext(runs.previous[deleted]!);
	}

	/** Whether a run could be the continuation of the one right before it, but for its flags. */
	joins(first: number, second: number): boolean {
		const runs = this.#runs;
		const sequence = runs.sequence[second]!;
		if (runs.replica[first] !== runs.replica[second] || runs.sequence[first]! + runs.length[first]! !== sequence)
			return false;
		if (runs.rightReplica[first] !== runs.rightReplica[second]) return false;
		if (runs.leftReplica[second] === SETTLED) return runs.leftReplica[first] === SETTLED;
		return (
			runs.leftReplica[first] !== SETTLED &&
			runs.leftReplica[second] === runs.replica[first] &&
			runs.leftSequence[second] === sequence - 1 &&
			runs.rightSequence[first] === runs.rightSequence[second]
		);
	}

	#mergeNext(slot: number): void {
		const runs = this.#runs;
		const next = runs.next[slot]!;
		if (next === NONE || runs.flags[slot] !== runs.flags[next] || !this.joins(slot, next)) return;
		const visible = runs.visible(next);
		this.tree.remove(next);
		this.#ids.merged(slot, next);
		runs.length[slot]! += runs.length[next]!;
		if (visible > 0) this.tree.addVisible(slot, visible);
		const after = runs.next[next]!;
		runs.next[slot] = after;
		if (after !== NONE) runs.previous[after] = slot;
		runs.release(next);
	}

	/** Cuts a run in two; the second begins at `at`, which is inside, and is returned. */
	#split(first: number, at: number): number {
		const runs = this.#runs;
		const second = runs.take();
		const settled = runs.leftReplica[first] === SETTLED;
		runs.replica[second] = runs.replica[first]!;
		runs.sequence[second] = runs.sequence[first]! + at;
		runs.length[second] = runs.length[first]! - at;
		runs.leftReplica[second] = settled ? SETTLED : runs.replica[first]!;
		runs.leftSequence[second] = settled ? 0 : runs.sequence[first]! + at - 1;
		runs.rightReplica[second] = runs.rightReplica[first]!;
		runs.rightSequence[second] = runs.rightSequence[first]!;
		runs.flags[second] = runs.flags[first]!;
		runs.sequenceNumber[second] = this.number;
		const visible = runs.visible(second);
		runs.length[first] = at;
		if (visible > 0) this.tree.addVisible(first, -visible);
		this.#link(second, first);
		this.#ids.split(first, second);
		return second;
	}

	#link(slot: number, previous: number): void {
		const runs = this.#runs;
		const next = previous === NONE ? this.#first : runs.next[previous]!;
		runs.previous[slot] = previous;
		runs.next[slot] = next;
		if (previous === NONE) this.#first = slot;
		else runs.next[previous] = slot;
		if (next !== NONE) runs.previous[next] = slot;
		this.tree.insertAfter(slot, previous);
	}
}

/** Between which two elements others were inserted, by document-wide numbers of their replicas or `NOTHING`. */
export interface Origins {
	readonly leftReplica: number;
	readonly leftSequence: number;
	readonly rightReplica: number;
	readonly rightSequence: number;
}
