/** The configurations that a search has been in, compared in full: Lowe's memo, with dominance. */
import { mixHash } from "./json-value.ts";
import type { Model } from "./model.ts";

/** So many configurations are kept; a search that needs more ends undecided. */
export const CONFIGURATIONS_MAX: number = 1 << 22;
const INITIAL_CAPACITY = 1 << 10;

/**
 * A configuration is what the future of a search depends on: the first operation that has ended and is not linearized
 * (by the position of its end), which of those that were open then are linearized, and the state. Operations of unknown
 * outcome may stay out for ever, so one that has used fewer of them can do whatever one that has used more can: the
 * second is then as good as visited.
 */
export class ConfigurationMemo<State> {
	readonly #model: Model<State>;
	/** Words of a set of operations: first the open ones with an end, then those of unknown outcome. */
	readonly #definiteWords: number;
	readonly #words: number;
	/** The newest configuration of each bucket, then a chain through `#older`. */
	#buckets = new Int32Array(INITIAL_CAPACITY).fill(-1);
	#older = new Int32Array(INITIAL_CAPACITY);
	#hashes = new Int32Array(INITIAL_CAPACITY);
	#positions = new Int32Array(INITIAL_CAPACITY);
	#sets: Int32Array<ArrayBuffer>;
	readonly #states: State[] = [];

	constructor(model: Model<State>, definiteWords: number, unknownWords: number) {
		this.#model = model;
		this.#definiteWords = definiteWords;
		this.#words = definiteWords + unknownWords;
		this.#sets = new Int32Array(INITIAL_CAPACITY * this.#words);
	}

	get size(): number {
		return this.#states.length;
	}

	/** Whether there was none like it, nor one that dominates it; then it is kept. `set` is copied. */
	add(position: number, set: Int32Array, state: State): boolean {
		let hash = mixHash(this.#model.hash(state), position);
		for (let word = 0; word < this.#definiteWords; word++) hash = mixHash(hash, set[word]!);
		const mask = this.#buckets.length - 1;
		for (let at = this.#buckets[hash & mask]!; at >= 0; at = this.#older[at]!) {
			if (this.#hashes[at] === hash && this.#positions[at] === position && this.#dominates(at, set, state))
				return false;
		}
		if (this.size === this.#hashes.length) this.#grow();
		const at = this.size;
		const bucket = hash & (this.#buckets.length - 1);
		this.#older[at] = this.#buckets[bucket]!;
		this.#buckets[bucket] = at;
		this.#hashes[at] = hash;
		this.#positions[at] = position;
		this.#sets.set(set, at * this.#words);
		this.#states.push(state);
		return true;
	}

	#dominates(at: number, set: Int32Array, state: State): boolean {
		const base = at * this.#words;
		for (let word = 0; word < this.#definiteWords; word++) {
			if (this.#sets[base + word] !== set[word]) return false;
		}
		for (let word = this.#definiteWords; word < this.#words; word++) {
			if ((this.#sets[base + word]! & ~set[word]!) !== 0) return false;
		}
		return this.#model.equal(this.#states[at] as State, state);
	}

	#grow(): void {
		const capacity = this.#hashes.length * 2;
		this.#older = extended(this.#older, capacity);
		this.#hashes = extended(this.#hashes, capacity);
		this.#positions = extended(this.#positions, capacity);
		this.#sets = extended(this.#sets, capacity * this.#words);
		this.#buckets = new Int32Array(capacity).fill(-1);
		for (let at = 0; at < this.size; at++) {
			const bucket = this.#hashes[at]! & (capacity - 1);
			this.#older[at] = this.#buckets[bucket]!;
			this.#buckets[bucket] = at;
		}
	}
}

function extended(array: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
	const longer = new Int32Array(length);
	longer.set(array);
	return longer;
}
