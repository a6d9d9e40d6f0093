/**
 * MurmurHash3_x86_128 (Austin Appleby, public domain): 128 bits that tell orders and sets apart. It is not for
 * cryptography: who chooses the input can make two of them collide.
 */
import { assert } from "../../protocols/core/index.ts";

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/**
 * Hashes all of `bytes` into the four words of `out`.
 * @param seed an unsigned 32-bit integer
 */
export function murmur3(bytes: Uint8Array, seed: number, out: Uint32Array): void {
	assert(out.length === 4, "a 128-bit hash has four words");
	let h1 = seed | 0;
	let h2 = h1;
	let h3 = h1;
	let h4 = h1;
	const bodyLength = bytes.length - (bytes.length % 16);
	for (let at = 0; at < bodyLength; at += 16) {
		h1 ^= mixed(word(bytes, at), C1, 15, C2);
		h1 = Math.imul(rotateLeft(h1, 19) + h2, 5) + 0x561ccd1b;
		h2 ^= mixed(word(bytes, at + 4), C2, 16, C3);
		h2 = Math.imul(rotateLeft(h2, 17) + h3, 5) + 0x0bcaa747;
		h3 ^= mixed(word(bytes, at + 8), C3, 17, C4);
		h3 = Math.imul(rotateLeft(h3, 15) + h4, 5) + 0x96cd1c35;
		h4 ^= mixed(word(bytes, at + 12), C4, 18, C1);
		h4 = Math.imul(rotateLeft(h4, 13) + h1, 5) + 0x32ac3b17;
	}
	// The tail: up to 15 bytes, as words that are filled up with zeroes; a zero word changes nothing.
	h1 ^= mixed(partialWord(bytes, bodyLength), C1, 15, C2);
	h2 ^= mixed(partialWord(bytes, bodyLength + 4), C2, 16, C3);
	h3 ^= mixed(partialWord(bytes, bodyLength + 8), C3, 17, C4);
	h4 ^= mixed(partialWord(bytes, bodyLength + 12), C4, 18, C1);

	h1 ^= bytes.length;
	h2 ^= bytes.length;
	h3 ^= bytes.length;
	h4 ^= bytes.length;
	h1 = (h1 + h2 + h3 + h4) | 0;
	h2 = avalanche(h2 + h1);
	h3 = avalanche(h3 + h1);
	h4 = avalanche(h4 + h1);
	h1 = avalanche(h1);
	h1 = (h1 + h2 + h3 + h4) | 0;
	out[0] = h1;
	out[1] = h2 + h1;
	out[2] = h3 + h1;
	out[3] = h4 + h1;
}

/** A hash as 32 hex digits. */
export function hashHex(words: Uint32Array): string {
	return Array.from(words, (value) => value.toString(16).padStart(8, "0")).join("");
}

/** The words of what {@link hashHex} wrote. */
export function hashFromHex(hex: string): Uint32Array {
	assert(/^[0-9a-f]{32}$/.test(hex), "a hash is 32 hex digits", { hex });
	return Uint32Array.from([0, 8, 16, 24], (at) => Number.parseInt(hex.slice(at, at + 8), 16));
}

function mixed(value: number, first: number, rotation: number, second: number): number {
	return Math.imul(rotateLeft(Math.imul(value, first), rotation), second);
}

function avalanche(value: number): number {
	let h = value;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return h ^ (h >>> 16);
}

function rotateLeft(value: number, bits: number): number {
	return (value << bits) | (value >>> (32 - bits));
}

function word(bytes: Uint8Array, at: number): number {
	return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

function partialWord(bytes: Uint8Array, at: number): number {
	let value = 0;
	for (let i = 0; i < 4 && at + i < bytes.length; i++) value |= bytes[at + i]! << (8 * i);
	return value;
}
