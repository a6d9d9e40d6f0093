/**
 * Hash-consing: each distinct value gets a number, and for each renaming of the nodes the 64-bit hash of the value so
 * renamed. The hash of a whole state is the sum of its parts' hashes, so a step updates it from what it changed.
 */
import type { StateEncoder } from "./state-encoder.ts";

/** Renamings of the nodes of a group, by positions; the first changes nothing. */
export type Renamings = readonly (readonly number[])[];

export class ComponentTable<Value> {
	readonly #encoder: StateEncoder;
	readonly #renamings: Renamings;
	readonly #numbers = new Map<string, number>();
	readonly #values: Value[] = [];
	#keyUnits = 0;
	/** Two words (high, low) for each number and renaming: at `(number * renamings + renaming) * 2`. */
	words: Int32Array = new Int32Array(1 << 10);

	constructor(encoder: StateEncoder, renamings: Renamings) {
		this.#encoder = encoder;
		this.#renamings = renamings;
	}

	get size(): number {
		return this.#values.length;
	}

	/** What the table itself holds; the values are extra. */
	get memoryBytes(): number {
		return this.words.byteLength + this.#keyUnits * 2;
	}

	value(number: number): Value {
		return this.#values[number]!;
	}

	/** The number of a value that is told from others by `plain`, its plain data. */
	intern(value: Value, plain: unknown): number {
		const encoder = this.#encoder;
		encoder.encode(plain, this.#renamings[0]!);
		const { key } = encoder;
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		const number = this.#values.push(value) - 1;
		this.#numbers.set(key, number);
		this.#keyUnits += key.length;
		const stride = this.#renamings.length * 2;
		if ((number + 1) * stride > this.words.length) this.#grow((number + 1) * stride);
		for (const [i, renaming] of this.#renamings.entries()) {
			if (i > 0) encoder.encode(plain, renaming);
			this.words[number * stride + i * 2] = encoder.high;
			this.words[number * stride + i * 2 + 1] = encoder.low;
		}
		return number;
	}

	#grow(words: number): void {
		const grown = new Int32Array(Math.max(words, this.words.length * 2));
		grown.set(this.words);
		this.words = grown;
	}
}

/** All orders of the positions `0 … count - 1`, the identity first. */
export function allRenamings(count: number): number[][] {
	if (count === 0) return [[]];
	const orders: number[][] = [];
	for (const order of allRenamings(count - 1)) {
		// The largest position last first, so that the identity is.
		for (let at = order.length; at >= 0; at--) orders.push([...order.slice(0, at), count - 1, ...order.slice(at)]);
	}
	return orders;
}
