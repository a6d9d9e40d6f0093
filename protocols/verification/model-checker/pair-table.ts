/** What a pair of numbers leads to: open addressing over typed arrays, three words a slot. Numbers are below 2^32 - 1. */
const SLOT_WORDS = 3;
const SLOTS_MIN = 1 << 10;

export class PairTable {
	#slots = new Uint32Array(SLOTS_MIN * SLOT_WORDS);
	#mask = SLOTS_MIN - 1;
	#size = 0;

	get size(): number {
		return this.#size;
	}

	get memoryBytes(): number {
		return this.#slots.byteLength;
	}

	/** The value of a pair, or -1. */
	get(first: number, second: number): number {
		const slots = this.#slots;
		let slot = hashPair(first, second) & this.#mask;
		for (;;) {
			const at = slot * SLOT_WORDS;
			const value = slots[at + 2]!;
			if (value === 0) return -1;
			if (slots[at] === first && slots[at + 1] === second) return value - 1;
			slot = (slot + 1) & this.#mask;
		}
	}

	/** Gives a pair that has none its value. */
	set(first: number, second: number, value: number): void {
		if (++this.#size * 3 > (this.#mask + 1) * 2) this.#grow();
		this.#place(this.#slots, this.#mask, first, second, value + 1);
	}

	#place(slots: Uint32Array, mask: number, first: number, second: number, stored: number): void {
		let slot = hashPair(first, second) & mask;
		while (slots[slot * SLOT_WORDS + 2] !== 0) slot = (slot + 1) & mask;
		const at = slot * SLOT_WORDS;
		slots[at] = first;
		slots[at + 1] = second;
		slots[at + 2] = stored;
	}

	#grow(): void {
		const old = this.#slots;
		const mask = this.#mask * 2 + 1;
		const slots = new Uint32Array((mask + 1) * SLOT_WORDS);
		for (let at = 0; at < old.length; at += SLOT_WORDS) {
			if (old[at + 2] !== 0) this.#place(slots, mask, old[at]!, old[at + 1]!, old[at + 2]!);
		}
		this.#slots = slots;
		this.#mask = mask;
	}
}

function hashPair(first: number, second: number): number {
	let h = Math.imul(first, 0x9e3779b1) ^ Math.imul(second, 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
	return h ^ (h >>> 13);
}
