/** Reads what `ByteWriter` wrote. Bytes come from outside, so every read is bounded and every failure typed. */
import { updateDamaged } from "../errors.ts";

export class ByteReader {
	readonly bytes: Uint8Array;
	#at: number;
	readonly #end: number;

	constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
		this.bytes = bytes;
		this.#at = start;
		this.#end = end;
	}

	get offset(): number {
		return this.#at;
	}

	get remaining(): number {
		return this.#end - this.#at;
	}

	byte(): number {
		if (this.#at >= this.#end) throw this.damaged("it ends too early");
		return this.bytes[this.#at++]!;
	}

	/** @throws QuorateError `crdt-update-damaged` if it is longer than 2^53 - 1 needs, cut off, or longer than necessary */
	varint(): number {
		const first = this.byte();
		if (first < 0x80) return first;
		let value = first & 0x7f;
		let scale = 0x80;
		for (;;) {
			const next = this.byte();
			value += (next & 0x7f) * scale;
			if (next < 0x80) {
				if (next === 0 || !Number.isSafeInteger(value)) throw this.damaged("a malformed number");
				return value;
			}
			scale *= 0x80;
			if (scale > 2 ** 49) throw this.damaged("a malformed number");
		}
	}

	/** So many of them. */
	varints(count: number): Float64Array {
		if (count > this.remaining) throw this.damaged("a count beyond its end");
		const values = new Float64Array(count);
		const { bytes } = this;
		let at = this.#at;
		for (let i = 0; i < count; i++) {
			const first = bytes[at]!;
			if (first < 0x80) {
				values[i] = first;
				at += 1;
				continue;
			}
			const second = bytes[at + 1]!;
			if (second > 0 && second < 0x80) {
				values[i] = (first & 0x7f) | (second << 7);
				at += 2;
				continue;
			}
			this.#at = at;
			values[i] = this.varint();
			at = this.#at;
		}
		this.#at = at;
		if (at > this.#end) throw this.damaged("it ends too early");
		return values;
	}

	signed(): number {
		const value = this.varint();
		return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
	}

	/** How many things of at least one byte follow: never more than bytes remain. */
	count(): number {
		const count = this.varint();
		if (count > this.remaining) throw this.damaged("a count beyond its end");
		return count;
	}

	/** Skips these bytes if they come next, and says whether they did. */
	skipIf(expected: Uint8Array): boolean {
		const length = expected.length;
		if (length > this.remaining) return false;
		for (let i = 0; i < length; i++) if (this.bytes[this.#at + i] !== expected[i]) return false;
		this.#at += length;
		return true;
	}

	text(): string {
		return this.utf8(this.count());
	}

	/** A text of so many bytes. */
	utf8(length: number): string {
		const end = this.#at + length;
		if (end > this.#end) throw this.damaged("it ends too early");
		if (length > SHORT_TEXT_BYTES) return this.#longText(end);
		let text = "";
		while (this.#at < end) text += String.fromCodePoint(this.#codePoint(end));
		return text;
	}

	/** One UTF-16 unit that `ByteWriter.unit` wrote. */
	unit(): number {
		const first = this.byte();
		if (first < 0x80) return first;
		if ((first & 0xe0) === 0xc0) return ((first & 0x1f) << 6) | this.#continuation(this.#end);
		if ((first & 0xf0) !== 0xe0) throw this.damaged("malformed text");
		const high = this.#continuation(this.#end) << 6;
		return ((first & 0x0f) << 12) | high | this.#continuation(this.#end);
	}

	/** So many bytes, as a view. */
	take(length: number): Uint8Array {
		if (length > this.remaining) throw this.damaged("it ends too early");
		this.#at += length;
		return this.bytes.subarray(this.#at - length, this.#at);
	}

	/** Skips so many bytes, and returns where they are. */
	skip(length: number): number {
		if (length > this.remaining) throw this.damaged("it ends too early");
		this.#at += length;
		return this.#at - length;
	}

	sized(): Uint8Array {
		return this.take(this.varint());
	}

	uint16(): number {
		return this.byte() | (this.byte() << 8);
	}

	uint32(): number {
		return (this.uint16() | (this.uint16() << 16)) >>> 0;
	}

	/** @throws QuorateError `crdt-update-damaged` unless everything is read */
	end(): void {
		if (this.#at !== this.#end) throw this.damaged("bytes after its end");
	}

	damaged(reason: string): Error {
		return updateDamaged({ reason, offset: this.#at });
	}

	#codePoint(end: number): number {
		const first = this.byte();
		if (first < 0x80) return first;
		if ((first & 0xe0) === 0xc0) return ((first & 0x1f) << 6) | this.#continuation(end);
		if ((first & 0xf0) === 0xe0) {
			const high = this.#continuation(end) << 6;
			return ((first & 0x0f) << 12) | high | this.#continuation(end);
		}
		if ((first & 0xf8) !== 0xf0) throw this.damaged("malformed text");
		const high = this.#continuation(end) << 12;
		const middle = this.#continuation(end) << 6;
		const point = ((first & 0x07) << 18) | high | middle | this.#continuation(end);
		if (point > 0x10ffff) throw this.damaged("malformed text");
		return point;
	}

	#continuation(end: number): number {
		if (this.#at >= end) throw this.damaged("malformed text");
		const byte = this.byte();
		if ((byte & 0xc0) !== 0x80) throw this.damaged("malformed text");
		return byte & 0x3f;
	}

	#longText(end: number): string {
		const parts: string[] = [];
		let points: number[] = [];
		while (this.#at < end) {
			const asciiEnd = points.length === 0 ? this.#asciiEnd(Math.min(end, this.#at + POINTS_PER_PART)) : this.#at;
			if (asciiEnd > this.#at) {
				parts.push(String.fromCharCode.apply(null, this.bytes.subarray(this.#at, asciiEnd) as never));
				this.#at = asciiEnd;
				continue;
			}
			points.push(this.#codePoint(end));
			if (points.length < POINTS_PER_PART && this.#at < end) continue;
			parts.push(String.fromCodePoint(...points));
			points = [];
		}
		return parts.join("");
	}

	/** Where the stretch of ASCII that begins here ends, at most at `limit`; here, if it is too short to be worth it. */
	#asciiEnd(limit: number): number {
		let at = this.#at;
		while (at < limit && this.bytes[at]! < 0x80) at++;
		return at - this.#at >= SHORT_TEXT_BYTES || at === limit ? at : this.#at;
	}
}

/** Below, one character after the other is the fastest way. */
const SHORT_TEXT_BYTES = 64;
/** Arguments of one call: far below what engines allow. */
const POINTS_PER_PART = 4096;
