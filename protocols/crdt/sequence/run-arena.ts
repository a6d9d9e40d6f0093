/**
 * The runs of all sequences of one document, as columns of typed arrays. A run is a stretch of elements that one replica inserted
 * one after the other: consecutive ids, each but the first to the right of its predecessor, all with one right origin, all
 * visible or all deleted. So typing costs no new run, and a run costs the same few words whatever its length.
 *
 * | column | meaning |
 * |---|---|
 * | `replica`, `sequence`, `length` | the ids: `length` consecutive numbers of a replica |
 * | `leftReplica`, `leftSequence` | the id that the first element was inserted to the right of; see {@link NOTHING}, {@link SETTLED} |
 * | `rightReplica`, `rightSequence` | the id that all of them were inserted to the left of |
 * | `flags` | {@link DELETED} |
 * | `previous`, `next` | neighbours in the sequence |
 * | `later` | the next run of the same replica, by id, in whatever sequence |
 * | `leaf` | the leaf of the sequence's tree that holds it |
 * | `sequenceNumber` | the sequence that it belongs to |
 */

/** No slot, no node. */
export const NONE = -1;
/** As a replica of an origin: the beginning (left) or the end (right) of the sequence. */
export const NOTHING = -1;
/** As a replica of an origin: not kept any more, since every element that is still to come was inserted knowing the run. */
export const SETTLED = -2;
/** Flag: the elements are deleted, and stay as places. */
export const DELETED = 1;

const FIRST_CAPACITY = 16;

export class RunArena {
	replica: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	sequence: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	length: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	leftReplica: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	leftSequence: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	rightReplica: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	rightSequence: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	previous: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	next: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	later: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	leaf: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	sequenceNumber: Int32Array<ArrayBuffer> = new Int32Array(FIRST_CAPACITY);
	flags: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_CAPACITY);
	/** Slots below are in use or free. */
	#used = 0;
	/** Linked by `next`. */
	#free = NONE;
	#count = 0;

	/** Runs in use. */
	get count(): number {
		return this.#count;
	}

	/** A slot whose columns the caller fills. */
	take(): number {
		this.#count += 1;
		const free = this.#free;
		if (free !== NONE) {
			this.#free = this.next[free]!;
			return free;
		}
		if (this.#used === this.replica.length) this.#grow(this.#used * 2);
		return this.#used++;
	}

	/** Gives a slot back; nothing may refer to it any more. */
	release(slot: number): void {
		this.#count -= 1;
		this.next[slot] = this.#free;
		this.#free = slot;
	}

	/** So many slots in a row, with exactly the room for them: the first. */
	takeMany(count: number): number {
		const first = this.#used;
		if (first + count > this.replica.length) this.#grow(first + count);
		this.#used += count;
		this.#count += count;
		return first;
	}

	/** How many of its elements are visible. */
	visible(slot: number): number {
		return (this.flags[slot]! & DELETED) === 0 ? this.length[slot]! : 0;
	}

	#grow(capacity: number): void {
		this.replica = grown(this.replica, capacity);
		this.sequence = grown(this.sequence, capacity);
		this.length = grown(this.length, capacity);
		this.leftReplica = grown(this.leftReplica, capacity);
		this.leftSequence = grown(this.leftSequence, capacity);
		this.rightReplica = grown(this.rightReplica, capacity);
		this.rightSequence = grown(this.rightSequence, capacity);
		this.previous = grown(this.previous, capacity);
		this.next = grown(this.next, capacity);
		this.later = grown(this.later, capacity);
		this.leaf = grown(this.leaf, capacity);
		this.sequenceNumber = grown(this.sequenceNumber, capacity);
		const flags = new Uint8Array(capacity);
		flags.set(this.flags);
		this.flags = flags;
	}
}

/** A longer copy. */
export function grown(column: Int32Array<ArrayBuffer>, capacity: number): Int32Array<ArrayBuffer> {
	const longer = new Int32Array(capacity);
	longer.set(column);
	return longer;
}
