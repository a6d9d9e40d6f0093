/**
 * From an element's id to its run. The runs of one replica are linked by id, and a directory holds for every
 * {@link BLOCK} ids a run from which the walk to any of them is short; ids are dense, so it costs a fraction of a byte each.
 */
import { grown, NONE, type RunArena } from "./run-arena.ts";

const BLOCK_BITS = 6;
/** Ids that share one entry of the directory. */
export const BLOCK: number = 1 << BLOCK_BITS;
const FIRST_BLOCKS = 4;

/** The runs of one replica. */
interface ReplicaRuns {
	head: number;
	tail: number;
	/**
	 * `hints[b]` for `b < filled`: the last run that starts at or before the first id of block `b`, `NONE` if there is none.
	 */
	hints: Int32Array<ArrayBuffer>;
	filled: number;
}

export class IdIndex {
	readonly #arena: RunArena;
	readonly #replicas: ReplicaRuns[] = [];

	constructor(arena: RunArena) {
		this.#arena = arena;
	}

	/** The replica's first run by id. */
	first(replica: number): number {
		return this.#replicas[replica]?.head ?? NONE;
	}

	/** Adds a run with higher ids than all of its replica's others. */
	append(slot: number): void {
		const arena = this.#arena;
		const runs = this.#runsOf(arena.replica[slot]!);
		const before = runs.tail;
		if (before === NONE) runs.head = slot;
		else arena.later[before] = slot;
		arena.later[slot] = NONE;
		runs.tail = slot;
		this.#fill(runs, arena.sequence[slot]!, slot, before);
	}

	/**
	 * Adds runs in order of replicas, and of ids for each, to an index without any.
	 * @returns false if one has an id of the one before; the index is then of no use
	 */
	appendAll(slots: Int32Array): boolean {
		const { replica, sequence, length, later } = this.#arena;
		for (let at = 0; at < slots.length; ) {
			const head = slots[at]!;
			const number = replica[head]!;
			const from = at;
			let before = head;
			let ids = 0;
			for (; at < slots.length && replica[slots[at]!] === number; at++) {
				const slot = slots[at]!;
				const start = sequence[slot]!;
				if (start < ids) return false;
				ids = start + length[slot]!;
				later[before] = slot;
				before = slot;
			}
			later[before] = NONE;
			const filled = ((ids - 1) >> BLOCK_BITS) + 1;
			const hints = new Int32Array(filled);
			let block = 0;
			before = NONE;
			for (let i = from; i < at; i++) {
				const slot = slots[i]!;
				// Blocks that begin before this run belong to the one before it.
				for (const end = (sequence[slot]! + BLOCK - 1) >> BLOCK_BITS; block < end; block++) hints[block] = before;
				before = slot;
			}
			hints.fill(before, block);
			const runs = this.#runsOf(number);
			runs.head = head;
			runs.tail = before;
			runs.hints = hints;
			runs.filled = filled;
		}
		return true;
	}

	/** The replica's last run was lengthened by new ids. */
	extended(slot: number): void {
		const runs = this.#replicas[this.#arena.replica[slot]!]!;
		const last = this.#arena.sequence[slot]! + this.#arena.length[slot]! - 1;
		if (last >> BLOCK_BITS >= runs.filled) this.#fill(runs, this.#arena.sequence[slot]!, slot, slot);
	}

	/** `second` has taken the higher ids of `first`. */
	split(first: number, second: number): void {
		const arena = this.#arena;
		const runs = this.#replicas[arena.replica[first]!]!;
		arena.later[second] = arena.later[first]!;
		arena.later[first] = second;
		if (runs.tail === first) runs.tail = second;
		this.#point(runs, arena.sequence[second]!, this.#endOf(runs, second), second);
	}

	/** `first` has taken all ids of `second`, the next by id, which is about to be released. */
	merged(first: number, second: number): void {
		const arena = this.#arena;
		const runs = this.#replicas[arena.replica[first]!]!;
		arena.later[first] = arena.later[second]!;
		if (runs.tail === second) runs.tail = first;
		this.#point(runs, arena.sequence[second]!, this.#endOf(runs, second), first);
	}

	/** The ids from `from` to before `to` have moved from the run behind to `slot`. */
	moved(slot: number, from: number, to: number): void {
		this.#point(this.#replicas[this.#arena.replica[slot]!]!, from, to, slot);
	}

	/** The run that holds an id, or `NONE`. */
	find(replica: number, sequence: number): number {
		const slot = this.atOrBefore(replica, sequence);
		if (slot === NONE) return NONE;
		const arena = this.#arena;
		return sequence < arena.sequence[slot]! + arena.length[slot]! ? slot : NONE;
	}

	/** The last run that starts at or before an id, or `NONE`. */
	atOrBefore(replica: number, sequence: number): number {
		const runs = this.#replicas[replica];
		if (runs === undefined || runs.tail === NONE) return NONE;
		const arena = this.#arena;
		if (arena.sequence[runs.tail]! <= sequence) return runs.tail;
		const block = sequence >> BLOCK_BITS;
		let slot = block < runs.filled ? runs.hints[block]! : NONE;
		if (slot === NONE) slot = runs.head;
		if (arena.sequence[slot]! > sequence) return NONE;
		for (;;) {
			const later = arena.later[slot]!;
			if (later === NONE || arena.sequence[later]! > sequence) return slot;
			slot = later;
		}
	}

	/** Forgets all runs. */
	clear(): void {
		this.#replicas.length = 0;
	}

	#runsOf(replica: number): ReplicaRuns {
		while (this.#replicas.length <= replica) {
			this.#replicas.push({ head: NONE, tail: NONE, hints: new Int32Array(FIRST_BLOCKS), filled: 0 });
		}
		return this.#replicas[replica]!;
	}

	/** Fills the directory through the end of `slot`, the last run; blocks before it belong to `before`. */
	#fill(runs: ReplicaRuns, start: number, slot: number, before: number): void {
		const lastBlock = (start + this.#arena.length[slot]! - 1) >> BLOCK_BITS;
		if (lastBlock >= runs.hints.length) runs.hints = grown(runs.hints, Math.max(lastBlock + 1, runs.hints.length * 2));
		while (runs.filled <= lastBlock) {
			runs.hints[runs.filled] = runs.filled << BLOCK_BITS >= start ? slot : before;
			runs.filled += 1;
		}
	}

	/** The first id that is not in a run or in the gap behind it. */
	#endOf(runs: ReplicaRuns, slot: number): number {
		const after = this.#arena.later[slot]!;
		return after === NONE ? runs.filled << BLOCK_BITS : this.#arena.sequence[after]!;
	}

	/** Points the blocks that begin within a range of ids to a run. */
	#point(runs: ReplicaRuns, from: number, to: number, slot: number): void {
		const end = Math.min(runs.filled, ((to - 1) >> BLOCK_BITS) + 1);
		for (let block = (from + BLOCK - 1) >> BLOCK_BITS; block < end; block++) runs.hints[block] = slot;
	}
}
