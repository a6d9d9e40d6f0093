/**
 * A small Lempel-Ziv compressor for the text of encoded states: as fast to undo as to copy, and the same bytes for the same
 * text everywhere, which a library's next version would not promise.
 *
 * ```
 * compressed = size (literals match)* [literals]
 * literals   = count, bytes
 * match      = length - 4, distance
 * ```
 */
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";

const MATCH_MIN = 4;
const HASH_BITS = 15;
/** Earlier places with the same hash that are tried. */
const CHAIN_MAX = 16;
/** Longer stretches are copied by a call. */
const COPY_BY_BYTE_MAX = 24;
/** What a compressed text may become, in bytes: a bound for what comes from outside. */
export const DECOMPRESSED_BYTES_MAX: number = 256 * 1024 * 1024;

export function compress(bytes: Uint8Array): Uint8Array {
	const out = new ByteWriter();
	out.varint(bytes.length);
	const heads = new Int32Array(1 << HASH_BITS).fill(-1);
	const earlier = new Int32Array(bytes.length);
	let literals = 0;
	for (let at = 0; at + MATCH_MIN <= bytes.length; ) {
		const { length, distance } = longestMatch(bytes, at, heads, earlier);
		// A match must be worth its two numbers.
		if (length < MATCH_MIN || (length < MATCH_MIN + 1 && distance >= 0x4000)) {
			note(bytes, at, heads, earlier);
			at += 1;
			continue;
		}
		out.sized(bytes.subarray(literals, at));
		out.varint(length - MATCH_MIN);
		out.varint(distance);
		for (const end = at + length; at < end; at++) note(bytes, at, heads, earlier);
		literals = at;
	}
	if (literals < bytes.length) out.sized(bytes.subarray(literals));
	return out.take();
}

/** @throws QuorateError `crdt-update-damaged` */
export function decompress(compressed: Uint8Array): Uint8Array {
	const reader = new ByteReader(compressed);
	const size = reader.varint();
	if (size > DECOMPRESSED_BYTES_MAX) throw reader.damaged("a text too large");
	const bytes = new Uint8Array(size);
	for (let at = 0; at < size; ) {
		const literals = reader.count();
		if (literals > size - at) throw reader.damaged("a text longer than it says");
		const from = reader.skip(literals);
		if (literals > COPY_BY_BYTE_MAX) bytes.set(compressed.subarray(from, from + literals), at);
		else for (let i = 0; i < literals; i++) bytes[at + i] = compressed[from + i]!;
		at += literals;
		if (at === size) break;
		const length = reader.varint() + MATCH_MIN;
		const distance = reader.varint();
		if (length > size - at || distance < 1 || distance > at) throw reader.damaged("a match outside the text");
		if (distance >= length && length > COPY_BY_BYTE_MAX) {
			bytes.copyWithin(at, at - distance, at - distance + length);
			at += length;
			continue;
		}
		// Byte by byte, for the match may overlap what it makes.
		for (const end = at + length; at < end; at++) bytes[at] = bytes[at - distance]!;
	}
	reader.end();
	return bytes;
}

function longestMatch(
	bytes: Uint8Array,
	at: number,
	heads: Int32Array,
	earlier: Int32Array,
): { readonly length: number; readonly distance: number } {
	let length = 0;
	let distance = 0;
	let place = heads[hash(bytes, at)]!;
	for (let tries = CHAIN_MAX; place >= 0 && tries > 0; tries--, place = earlier[place]!) {
		let same = 0;
		while (at + same < bytes.length && bytes[place + same] === bytes[at + same]) same++;
		if (same <= length) continue;
		length = same;
		distance = at - place;
	}
	return { length, distance };
}

function note(bytes: Uint8Array, at: number, heads: Int32Array, earlier: Int32Array): void {
	if (at + MATCH_MIN > bytes.length) return;
	const slot = hash(bytes, at);
	earlier[at] = heads[slot]!;
	heads[slot] = at;
}

function hash(bytes: Uint8Array, at: number): number {
	const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
	return Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
}
