/**
 * 128 bits that tell orders and sets of records apart: the first half of a SHA-256, as four words that can be added.
 * Node's one-shot hash costs about half a microsecond for a record; the string of bytes is its cheapest result to read,
 * a new Buffer for each costs three times as much.
 */
import { hash } from "node:crypto";
import { assert } from "../../protocols/core/index.ts";

/** Words of a hash. */
export const HASH_WORDS = 4;

/** Hashes all of `bytes` into the {@link HASH_WORDS} words of `out`. */
export function hashInto(bytes: Uint8Array, out: Uint32Array): void {
	assert(out.length === HASH_WORDS, "a hash has four words");
	const digest = hash("sha256", bytes, "binary");
	for (let word = 0; word < HASH_WORDS; word++) {
		const at = word * 4;
		out[word] =
			(digest.charCodeAt(at) << 24) |
			(digest.charCodeAt(at + 1) << 16) |
			(digest.charCodeAt(at + 2) << 8) |
			digest.charCodeAt(at + 3);
	}
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
