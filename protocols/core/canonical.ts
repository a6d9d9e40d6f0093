/**
 * One spelling for equal states. Maps and records are written in code-unit order of their keys and sets in order
 * of their members, so that two states that are equal but were built in another order hash alike.
 */
import { assert } from "./assert.ts";
import { compareIds } from "./ids.ts";

/**
 * The canonical text of plain data: equal values, and only those, have the same text. It is also the readable
 * form that transcripts print.
 * @throws AssertionError for functions, symbols, `NaN`, `-0` and class instances other than Map, Set and
 *   Uint8Array: such a thing has no place in a protocol's state.
 */
export function canonicalText(value: unknown): string {
	switch (typeof value) {
		case "number":
			assert(!Number.isNaN(value) && !Object.is(value, -0), "protocol state holds no NaN and no -0");
			return String(value);
		case "string":
			return JSON.stringify(value);
		case "boolean":
		case "undefined":
			return String(value);
		case "bigint":
			return `${value}n`;
		default:
			return value === null ? "null" : canonicalObject(value);
	}
}

function canonicalObject(value: unknown): string {
	if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
	if (value instanceof Uint8Array) return `0x${hex(value)}`;
	if (value instanceof Map) return `map{${sortedPairs([...value])}}`;
	if (value instanceof Set) return `set{${[...value].map(canonicalText).sort(compareIds).join(",")}}`;
	assert(typeof value === "object" && value !== null, "protocol state is plain data", { kind: typeof value });
	const prototype = Object.getPrototypeOf(value);
	assert(prototype === Object.prototype || prototype === null, "protocol state holds no class instances");
	return `{${sortedPairs(Object.entries(value))}}`;
}

function sortedPairs(pairs: readonly (readonly [unknown, unknown])[]): string {
	return pairs
		.map(([key, item]): [string, string] => [canonicalText(key), canonicalText(item)])
		.sort(([a], [b]) => compareIds(a, b))
		.map(([key, item]) => `${key}:${item}`)
		.join(",");
}

function hex(bytes: Uint8Array): string {
	let text = "";
	for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
	return text;
}

/**
 * A 64-bit hash of {@link canonicalText}, as 16 hex digits (two independently seeded murmur3-style lanes).
 * Good for telling states and traces apart; not for cryptography.
 */
export function canonicalHash(value: unknown): string {
	return hashText(canonicalText(value));
}

/** The same hash of a text. */
export function hashText(text: string): string {
	let a = 0x9e3779b9;
	let b = 0x85ebca6b;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		a = Math.imul(a ^ unit, 0xcc9e2d51);
		a = (a << 13) | (a >>> 19);
		b = Math.imul(b ^ unit, 0x1b873593);
		b = (b << 15) | (b >>> 17);
		b = (b + a) | 0;
	}
	return hexWord(finish(a ^ text.length)) + hexWord(finish(b));
}

function finish(word: number): number {
	let h = word;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}

function hexWord(word: number): string {
	return word.toString(16).padStart(8, "0");
}
