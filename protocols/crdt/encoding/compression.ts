/**
 * A small Lempel-Ziv compressor for the text of encoded states: as fast to undo as to copy, and the same bytes for the same
 * text everywhere, which a library's next version would not promise.
 *
 * ```
 * compressed = size count literals^count (length - 4)^count distance^count bytes
 * ```
 *
 * So many times, literals that are taken from the bytes and then a match: a stretch that stands `distance` before. What is left of the bytes
 * is the end. Numbers of one kind stand together, so that each kind is read in one loop.
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
	const literals: number[] = [];
	const lengths: number[] = [];
	const distances: number[] = [];
	const plain = new ByteWriter();
	const heads = new Int32Array(1 << HASH_BITS).fill(-1);
	const earlier = new Int32Array(bytes.length);
	let from = 0;
	for (let at = 0; at + MATCH_MIN <= bytes.length; ) {
		const { length, distance } = longestMatch(bytes, at, heads, earlier);
		// A match must be worth its two numbers.
		if (length < MATCH_MIN || (length < MATCH_MIN + 1 && distance >= 0x4000)) {
			note(bytes, at, heads, earlier);
			at += 1;
			continue;
		}
		literals.push(at - from);
		lengths.push(length - MATCH_MIN);
		distances.push(distance);
		plain.bytes(bytes.subarray(from, at));
		for (const end = at + length; at < end; at++) note(bytes, at, heads, earlier);
		from = at;
	}
	plain.bytes(bytes.subarray(from));
	const out = new ByteWriter();
	out.varint(bytes.length);
	out.varint(literals.length);
	for (const column of [literals, lengths, distances]) for (const value of column) out.varint(value);
	out.bytes(plain.view);
	return out.take();
}

/** @throws QuorateError `crdt-update-damaged` */
export function decompress(compressed: Uint8Array): Uint8Array {
	const reader = new ByteReader(compressed);
	const size = reader.varint();
	if (size > DECOMPRESSED_BYTES_MAX) throw reader.damaged("a text too large");
	const matches = reader.count();
	const literals = reader.varints(matches);
	const lengths = reader.varints(matches);
	const distances = reader.varints(matches);
	const bytes = new Uint8Array(size);
	let from = reader.offset;
	let at = 0;
	for (let match = 0; match < matches; match++) {
		const start = at + literals[match]!;
		const length = lengths[match]! + MATCH_MIN;
		const distance = distances[match]!;
		const end = start + length;
		if (end > size || from + start - at > compressed.length) throw reader.damaged("a text longer than it says");
		if (distance < 1 || distance > start) throw reader.damaged("a match outside the text");
		if (start - at > COPY_BY_BYTE_MAX) {
			bytes.set(compressed.subarray(from, from + start - at), at);
			from += start - at;
			at = start;
		} else while (at < start) bytes[at++] = compressed[from++]!;
		if (distance >= length && length > COPY_BY_BYTE_MAX) {
			bytes.copyWithin(at, at - distance, end - distance);
			at = end;
		}
		// Byte by byte, for the match may overlap what it makes.
		for (; at < end; at++) bytes[at] = bytes[at - distance]!;
	}
	if (compressed.length - from !== size - at) throw reader.damaged("a text longer or shorter than it says");
	bytes.set(compressed.subarray(from), at);
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
