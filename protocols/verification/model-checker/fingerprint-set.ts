/**
 * The states that were seen, by their 64-bit fingerprints: open addressing in one typed array, three words a slot
 * (high, low, index + 1), so that a lookup touches one cache line. Two states with one fingerprint are taken for the
 * same; see {@link collisionProbability}.
 */
const SLOT_WORDS = 3;
const SLOTS_MIN = 1 << 12;
/** Of 16 slots so many may be taken before the table doubles. */
const LOAD_MAX_SIXTEENTHS = 11;

export class FingerprintSet {
	#slots = new Uint32Array(SLOTS_MIN * SLOT_WORDS);
	#mask = SLOTS_MIN - 1;
	#size = 0;

	get size(): number {
		return this.#size;
	}

	get memoryBytes(): number {
		return this.#slots.byteLength;
	}

	has(high: number, low: number): boolean {
		return this.find(high, low) !== -1;
	}

	/** The index under which the fingerprint is known, or -1. */
	find(high: number, low: number): number {
		const slots = this.#slots;
		let slot = (low ^ (high >>> 7)) & this.#mask;
		for (;;) {
			const at = slot * SLOT_WORDS;
			const index = slots[at + 2]!;
			if (index === 0) return -1;
			if (slots[at] === high && slots[at + 1] === low) return index - 1;
			slot = (slot + 1) & this.#mask;
		}
	}

	/** The index under which the fingerprint is known; if it is not, it is added with the next free one, `size` before. */
	add(high: number, low: number): number {
		const slots = this.#slots;
		let slot = (low ^ (high >>> 7)) & this.#mask;
		for (;;) {
			const at = slot * SLOT_WORDS;
			const index = slots[at + 2]!;
			if (index === 0) break;
			if (slots[at] === high && slots[at + 1] === low) return index - 1;
			slot = (slot + 1) & this.#mask;
		}
		const at = slot * SLOT_WORDS;
		slots[at] = high;
		slots[at + 1] = low;
		slots[at + 2] = ++this.#size;
		if (this.#size * 16 > (this.#mask + 1) * LOAD_MAX_SIXTEENTHS) this.#grow();
		return this.#size - 1;
	}

	#grow(): void {
		const old = this.#slots;
		const mask = this.#mask * 2 + 1;
		const slots = new Uint32Array((mask + 1) * SLOT_WORDS);
		for (let from = 0; from < old.length; from += SLOT_WORDS) {
			if (old[from + 2] === 0) continue;
			let slot = (old[from + 1]! ^ (old[from]! >>> 7)) & mask;
			while (slots[slot * SLOT_WORDS + 2] !== 0) slot = (slot + 1) & mask;
			slots.set(old.subarray(from, from + SLOT_WORDS), slot * SLOT_WORDS);
		}
		this.#slots = slots;
		this.#mask = mask;
	}
}

/** How probable it is that any two of `states` distinct states share a fingerprint: at most n² / 2^65. */
export function collisionProbability(states: number): number {
	return Math.min(1, (states * states) / 2 ** 65);
}
