/** Writes bytes into one buffer that is reused: variable-length numbers, texts, columns. */
import { assert } from "../../core/index.ts";
import { crc32 } from "./checksum.ts";

const FIRST_CAPACITY_BYTES = 256;
/** Up to here a loop is faster than a call. */
const COPY_BY_BYTE_MAX = 48;

/** Copies up to this length come from the pool: an update of one edit then costs one small object and its bytes. */
const POOLED_BYTES_MAX = 256;
const POOL_BYTES = 65_536;
let pool = new Uint8Array(POOL_BYTES);
let poolUsed = 0;

export class ByteWriter {
	#bytes = new Uint8Array(FIRST_CAPACITY_BYTES);
	#length = 0;

	get length(): number {
		return this.#length;
	}

	/** Forgets what was written; the buffer stays. */
	reset(): void {
		this.#length = 0;
	}

	byte(value: number): void {
		if (this.#length === this.#bytes.length) this.#grow(1);
		this.#bytes[this.#length++] = value;
	}

	/** An unsigned integer up to 2^53 - 1, seven bits a byte, low ones first (LEB128). */
	varint(value: number): void {
		if (value >= 0 && value < 0x80) {
			this.byte(value);
			return;
		}
		assert(Number.isSafeInteger(value) && value >= 0, "a varint is an unsigned safe integer", { value });
		this.#grow(8);
		let rest = value;
		while (rest > 0x7fff_ffff) {
			this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
			rest = Math.floor(rest / 0x80);
		}
		while (rest > 0x7f) {
			this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
			rest >>>= 7;
		}
		this.#bytes[this.#length++] = rest;
	}

	/** A signed integer: small ones of either sign are short. */
	signed(value: number): void {
		this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
	}

	/** A length, then the text as UTF-8; a lone surrogate takes three bytes like any other unit. */
	text(text: string): void {
		const length = text.length;
		if (length < 0x80 && this.#ascii(text, length)) return;
		const bytes = utf8Length(text);
		this.varint(bytes);
		this.utf8(text, bytes);
	}

	/** The text alone; `bytes` is its {@link utf8Length}. */
	utf8(text: string, bytes: number): void {
		this.#grow(bytes);
		this.#length = writeUtf8(text, this.#bytes, this.#length);
	}

	/** One UTF-16 unit, in one to three bytes (CESU-8): text that is cut between two surrogates stays what it is. */
	unit(unit: number): void {
		this.#grow(3);
		const bytes = this.#bytes;
		if (unit < 0x80) bytes[this.#length++] = unit;
		else if (unit < 0x800) {
			bytes[this.#length++] = 0xc0 | (unit >> 6);
			bytes[this.#length++] = 0x80 | (unit & 0x3f);
		} else {
			bytes[this.#length++] = 0xe0 | (unit >> 12);
			bytes[this.#length++] = 0x80 | ((unit >> 6) & 0x3f);
			bytes[this.#length++] = 0x80 | (unit & 0x3f);
		}
	}

	bytes(bytes: Uint8Array): void {
		const count = bytes.length;
		this.#grow(count);
		if (count > COPY_BY_BYTE_MAX) this.#bytes.set(bytes, this.#length);
		else for (let i = 0; i < count; i++) this.#bytes[this.#length + i] = bytes[i]!;
		this.#length += count;
	}

	/** Writes its own bytes from `start` on to another one. */
	appendTo(other: ByteWriter, start: number): void {
		const count = this.#length - start;
		if (count > COPY_BY_BYTE_MAX) {
			other.bytes(this.#bytes.subarray(start, this.#length));
			return;
		}
		other.#grow(count);
		for (let i = 0; i < count; i++) other.#bytes[other.#length + i] = this.#bytes[start + i]!;
		other.#length += count;
	}

	/** A length, then the bytes. */
	sized(bytes: Uint8Array): void {
		this.varint(bytes.length);
		this.bytes(bytes);
	}

	/** Low byte first. */
	uint16(value: number): void {
		this.byte(value & 0xff);
		this.byte((value >>> 8) & 0xff);
	}

	/** Low byte first. */
	uint32(value: number): void {
		this.uint16(value & 0xffff);
		this.uint16(value >>> 16);
	}

	/** The checksum of all bytes from `start`. */
	checksum(start = 0): number {
		return crc32(this.#bytes, start, this.#length);
	}

	/** A copy of what was written. Short ones are views of one larger buffer, as those of Node's `Buffer` are. */
	take(): Uint8Array {
		const count = this.#length;
		if (count > POOLED_BYTES_MAX) return this.#bytes.slice(0, count);
		if (poolUsed + count > POOL_BYTES) {
			pool = new Uint8Array(POOL_BYTES);
			poolUsed = 0;
		}
		const start = poolUsed;
		poolUsed += count;
		for (let i = 0; i < count; i++) pool[start + i] = this.#bytes[i]!;
		return new Uint8Array(pool.buffer, start, count);
	}

	/** What was written, valid until the next write. */
	get view(): Uint8Array {
		return this.#bytes.subarray(0, this.#length);
	}

	#ascii(text: string, length: number): boolean {
		this.#grow(length + 1);
		const start = this.#length;
		const bytes = this.#bytes;
		for (let i = 0; i < length; i++) {
			const unit = text.charCodeAt(i);
			if (unit > 0x7f) return false;
			bytes[start + 1 + i] = unit;
		}
		bytes[start] = length;
		this.#length = start + 1 + length;
		return true;
	}

	#grow(by: number): void {
		const needed = this.#length + by;
		if (needed <= this.#bytes.length) return;
		const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
		grown.set(this.#bytes);
		this.#bytes = grown;
	}
}

/** How many bytes a text takes as UTF-8 (a lone surrogate: three). */
export function utf8Length(text: string): number {
	let bytes = 0;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		if (unit < 0x80) bytes += 1;
		else if (unit < 0x800) bytes += 2;
		else if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) {
			bytes += 4;
			i++;
		} else bytes += 3;
	}
	return bytes;
}

function writeUtf8(text: string, bytes: Uint8Array, start: number): number {
	let at = start;
	for (let i = 0; i < text.length; i++) {
		let point = text.charCodeAt(i);
		if (point < 0x80) {
			bytes[at++] = point;
			continue;
		}
		if (point < 0x800) bytes[at++] = 0xc0 | (point >> 6);
		else {
			if (isHigh(point) && isLow(text.charCodeAt(i + 1))) {
				point = 0x10000 + ((point - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
				bytes[at++] = 0xf0 | (point >> 18);
				bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
			} else bytes[at++] = 0xe0 | (point >> 12);
			bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
		}
		bytes[at++] = 0x80 | (point & 0x3f);
	}
	return at;
}

function isHigh(unit: number): boolean {
	return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
	return unit >= 0xdc00 && unit < 0xe000;
}
