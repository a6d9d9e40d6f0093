/** The queue inside a mailbox: a ring of (message, meta) pairs in one array that doubles when full. */
import type { EntryMeta } from "./entry.ts";

const FIRST_SLOTS = 16;

/**
 * A double-ended queue without a bound of its own: each owner checks its bound before it pushes. `shift` leaves what
 * it took in {@link message} and {@link meta}, so that no pair is allocated.
 */
export class MessageRing {
	/** Message at 2i, meta at 2i + 1. */
	#slots: unknown[] = [];
	#mask = 0;
	#head = 0;
	#length = 0;
	message: unknown = undefined;
	meta: EntryMeta = null;

	get length(): number {
		return this.#length;
	}

	push(message: unknown, meta: EntryMeta): void {
		if (this.#length * 2 === this.#slots.length) this.#grow();
		const at = ((this.#head + this.#length) & this.#mask) * 2;
		this.#slots[at] = message;
		this.#slots[at + 1] = meta;
		this.#length += 1;
	}

	unshift(message: unknown, meta: EntryMeta): void {
		if (this.#length * 2 === this.#slots.length) this.#grow();
		this.#head = (this.#head - 1) & this.#mask;
		this.#slots[this.#head * 2] = message;
		this.#slots[this.#head * 2 + 1] = meta;
		this.#length += 1;
	}

	/** Takes the first pair; false when there is none. */
	shift(): boolean {
		if (this.#length === 0) return false;
		const at = this.#head * 2;
		this.message = this.#slots[at];
		this.meta = this.#slots[at + 1] as EntryMeta;
		this.#slots[at] = undefined;
		this.#slots[at + 1] = null;
		this.#head = (this.#head + 1) & this.#mask;
		this.#length -= 1;
		return true;
	}

	/** Lets go of what was taken. */
	forget(): void {
		this.message = undefined;
		this.meta = null;
	}

	/** Takes the last pair; false when there is none. */
	pop(): boolean {
		if (this.#length === 0) return false;
		const at = ((this.#head + this.#length - 1) & this.#mask) * 2;
		this.message = this.#slots[at];
		this.meta = this.#slots[at + 1] as EntryMeta;
		this.#slots[at] = undefined;
		this.#slots[at + 1] = null;
		this.#length -= 1;
		return true;
	}

	#grow(): void {
		const capacity = Math.max(FIRST_SLOTS, this.#slots.length);
		const slots: unknown[] = new Array(capacity * 2).fill(undefined);
		for (let i = 0; i < this.#length; i++) {
			const at = ((this.#head + i) & this.#mask) * 2;
			slots[i * 2] = this.#slots[at];
			slots[i * 2 + 1] = this.#slots[at + 1];
		}
		this.#slots = slots;
		this.#head = 0;
		this.#mask = capacity - 1;
	}
}
