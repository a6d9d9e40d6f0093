/** Byte strings: canonical writing, comparison, and the key under which a map holds one. */
import { assert } from "../core/index.ts";

/** Whether two byte strings are equal. Nothing secret is compared here, so it may stop early. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}

const hexDigits: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** A byte string as text, for keys of maps and for events. */
export function hexOf(bytes: Uint8Array): string {
	let text = "";
	for (const byte of bytes) text += hexDigits[byte];
	return text;
}

export const emptyBytes: Uint8Array = new Uint8Array(0);

/**
 * Writes values one behind the other, each with a fixed size or its length in front, so that no two different lists of
 * values have the same bytes.
 */
export class ByteWriter {
	#bytes: Uint8Array;
	#length = 0;

	constructor(capacity = 160) {
		this.#bytes = new Uint8Array(capacity);
	}

	uint8(value: number): this {
		this.#reserve(1);
		this.#bytes[this.#length++] = value;
		return this;
	}

	/** A whole number in [0, 2^53), as 8 bytes with the most significant first. */
	integer(value: number): this {
		assert(Number.isSafeInteger(value) && value >= 0, "what is written is a whole number", { value });
		this.#reserve(8);
		const high = Math.floor(value / 0x1_0000_0000);
		const low = value >>> 0;
		this.#word(high);
		this.#word(low);
		return this;
	}

	bytes(value: Uint8Array): this {
		this.#reserve(4 + value.length);
		this.#word(value.length);
		this.#bytes.set(value, this.#length);
		this.#length += value.length;
		return this;
	}

	/** A text of characters up to U+00FF, as ids are. */
	text(value: string): this {
		this.#reserve(4 + value.length);
		this.#word(value.length);
		for (let i = 0; i < value.length; i++) this.#bytes[this.#length++] = value.charCodeAt(i);
		return this;
	}

	list<T>(items: readonly T[], write: (item: T) => void): this {
		this.integer(items.length);
		for (const item of items) write(item);
		return this;
	}

	/** Begins anew in the same memory: what {@link finish} gave out is overwritten. */
	restart(): this {
		this.#length = 0;
		return this;
	}

	/** What was written; the writer is not used afterwards, but for {@link restart}. */
	finish(): Uint8Array {
		return this.#bytes.subarray(0, this.#length);
	}

	#word(value: number): void {
		this.#bytes[this.#length++] = value >>> 24;
		this.#bytes[this.#length++] = value >>> 16;
		this.#bytes[this.#length++] = value >>> 8;
		this.#bytes[this.#length++] = value;
	}

	#reserve(more: number): void {
		const needed = this.#length + more;
		if (needed <= this.#bytes.length) return;
		const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
		larger.set(this.#bytes.subarray(0, this.#length));
		this.#bytes = larger;
	}
}
