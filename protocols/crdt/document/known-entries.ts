/**
 * What a document that reads another one's state need not read again: entries with dots that it has applied. Of these it only
 * matters whether the other one still has them, so their dots are kept and no more.
 */
import type { ReplicaId } from "../causality/replica.ts";
import type { Container } from "./container.ts";

/** The known entries of one replica in one container. */
export class KnownList {
	readonly #sequences: Int32Array;
	#count = 0;
	/** Where the next one is looked for first: they are most often asked for in order. */
	#next = 0;

	/** @param entriesMax that may be added */
	constructor(entriesMax: number) {
		this.#sequences = new Int32Array(entriesMax);
	}

	/** Sequences come in ascending order. */
	add(sequence: number): void {
		this.#sequences[this.#count++] = sequence;
	}

	has(sequence: number): boolean {
		if (this.#next < this.#count && this.#sequences[this.#next] === sequence) {
			this.#next += 1;
			return true;
		}
		let low = 0;
		let high = this.#count;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#sequences[middle]! < sequence) low = middle + 1;
			else high = middle;
		}
		this.#next = low + 1;
		return low < this.#count && this.#sequences[low] === sequence;
	}
}

export class KnownEntries {
	/** Up to which dot a replica's operations are applied. */
	readonly headOf: (replica: ReplicaId) => number;
	/** By container, then by replica number, both of the document that is read. */
	readonly #lists = new Map<Container, KnownList[]>();

	constructor(headOf: (replica: ReplicaId) => number) {
		this.headOf = headOf;
	}

	/** The list of a replica in a container, which has none so far. */
	addList(container: Container, replica: number, entriesMax: number): KnownList {
		const list = new KnownList(entriesMax);
		let lists = this.#lists.get(container);
		if (lists === undefined) {
			lists = [];
			this.#lists.set(container, lists);
		}
		lists[replica] = list;
		return list;
	}

	listOf(container: Container, replica: number): KnownList | undefined {
		return this.#lists.get(container)?.[replica];
	}
}
