/**
 * The seeded generator of pseudo-random numbers behind every draw that a host makes: xoshiro128** (Blackman and
 * Vigna 2018), seeded by splitmix32 over a seed and a label. Sub-streams by label are independent of each other,
 * so that one draw more in one place does not reshuffle the rest. Not for cryptography.
 */
import { assert } from "./assert.ts";

/**
 * The seam through which a simulation sees and replaces draws: every method of a {@link Generator} derives from
 * draws in `[0, 2^32)`, and those of a generator that has an oracle pass through the stream of its label.
 */
export interface DrawOracle {
	/** Asked once by each generator; generators with the same label may share a stream. */
	stream(label: string): DrawStream;
}

/** The draws of one label. */
export interface DrawStream {
	/** What is drawn, an integer in `[0, 2^32)`, given what the seed says. */
	draw(seeded: number): number;
}

/** Draws that {@link Generator.below} rejects in a row; only an oracle that repeats itself comes to so many. */
const REJECTIONS_MAX = 128;
const UINT32_MAX = 0xffff_ffff;

/**
 * An oracle that answers 0 gets the simplest outcome of each method: the least number, the first element, no chance
 * taken. Shrinking relies on it.
 */
export class Generator {
	readonly #state: Uint32Array;
	readonly #seed: number;
	readonly #label: string;
	readonly #oracle: DrawOracle | null;
	readonly #stream: DrawStream | null;

	/**
	 * @param seed any safe integer
	 * @param label names the sub-stream
	 * @param oracle sees and replaces the draws of this generator and of its forks; default: none
	 */
	constructor(seed: number, label = "", oracle: DrawOracle | null = null) {
		assert(Number.isSafeInteger(seed), "a seed is a safe integer");
		this.#seed = seed;
		this.#label = label;
		this.#oracle = oracle;
		this.#stream = oracle === null ? null : oracle.stream(label);
		this.#state = new Uint32Array(4);
		let mixed = (seed >>> 0) ^ Math.imul(Math.floor(seed / 0x1_0000_0000) | 0, 0x85ebca6b);
		for (let i = 0; i < label.length; i++) mixed = Math.imul(mixed ^ label.charCodeAt(i), 0x01000193);
		for (let i = 0; i < 4; i++) {
			mixed = (mixed + 0x9e3779b9) | 0;
			let z = mixed;
			z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
			z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
			this.#state[i] = z ^ (z >>> 15);
		}
		// All zeroes is the one state that xoshiro can not leave.
		if (this.#state.every((word) => word === 0)) this.#state[0] = 1;
	}

	/** An independent sub-stream; the same label always gives the same stream, whatever was drawn before. */
	fork(label: string): Generator {
		return new Generator(this.#seed, `${this.#label}/${label}`, this.#oracle);
	}

	/** A uniform integer in `[0, 2^32)`. */
	uint32(): number {
		const seeded = this.#next();
		return this.#stream === null ? seeded : this.#stream.draw(seeded);
	}

	#next(): number {
		const s = this.#state as unknown as [number, number, number, number];
		const scrambled = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9);
		const t = s[1] << 9;
		s[2] ^= s[0];
		s[3] ^= s[1];
		s[1] ^= s[2];
		s[0] ^= s[3];
		s[2] ^= t;
		s[3] = rotateLeft(s[3], 11);
		return scrambled >>> 0;
	}

	/** A uniform integer in `[0, bound)`; `bound` is an integer in `[1, 2^32]`. Unbiased, by rejection. */
	below(bound: number): number {
		assert(Number.isInteger(bound) && bound >= 1 && bound <= 0x1_0000_0000, "bound is in [1, 2^32]", { bound });
		const limit = 0x1_0000_0000 - (0x1_0000_0000 % bound);
		for (let rejected = 0; ; rejected++) {
			const drawn = this.uint32();
			if (drawn < limit || rejected === REJECTIONS_MAX) return drawn % bound;
		}
	}

	/** A uniform integer in `[min, max]`. */
	between(min: number, max: number): number {
		return min + this.below(max - min + 1);
	}

	/** A uniform number in `[0, 1)` with 32 bits of resolution. */
	fraction(): number {
		return this.uint32() / 0x1_0000_0000;
	}

	/** True with this probability. */
	chance(probability: number): boolean {
		const seeded = this.#next();
		// An oracle sees the draw mirrored, since here the least number is the chance taken.
		const drawn = this.#stream === null ? seeded : UINT32_MAX - this.#stream.draw(UINT32_MAX - seeded);
		return drawn / 0x1_0000_0000 < probability;
	}

	/** One element, uniformly. The list must not be empty. */
	pick<T>(list: readonly T[]): T {
		return list[this.below(list.length)] as T;
	}
}

function rotateLeft(word: number, bits: number): number {
	return (word << bits) | (word >>> (32 - bits));
}
