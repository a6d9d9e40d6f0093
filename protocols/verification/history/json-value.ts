/** JSON values as histories hold them: compared exactly, hashed for the memo, and printed short. */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Whether two values are the same: lists in order, objects in any order of their names. `-0` is 0, as in JSON. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
	if (a === b) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a) || Array.isArray(b)) {
		if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
		return a.every((item, at) => sameJson(item, b[at]));
	}
	const left = a as Readonly<Record<string, Json>>;
	const right = b as Readonly<Record<string, Json>>;
	const names = Object.keys(left);
	if (names.length !== Object.keys(right).length) return false;
	return names.every((name) => Object.hasOwn(right, name) && sameJson(left[name], right[name]));
}

/** A 32-bit hash; same values have the same one. */
export function hashJson(value: Json): number {
	switch (typeof value) {
		case "number":
			return (value | 0) === value ? mixHash(0x6e756d, value) : hashString(String(value), 0x666c6f);
		case "string":
			return hashString(value, 0x737472);
		case "boolean":
			return value ? 0x74727565 : 0x66616c73;
		default:
			return value === null ? 0x6e756c6c : hashCompound(value);
	}
}

function hashCompound(value: readonly Json[] | { readonly [name: string]: Json }): number {
	if (Array.isArray(value)) return value.reduce((hash, item) => mixHash(hash, hashJson(item)), 0x6c697374);
	// A sum, since the order of names does not count.
	return Object.entries(value).reduce(
		(hash, [name, item]) => (hash + mixHash(hashString(name, 0x6f626a), hashJson(item))) | 0,
		0x6f626a,
	);
}

function hashString(text: string, seed: number): number {
	let hash = seed;
	for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
	return mixHash(hash, text.length);
}

/** Folds a word into a hash (the finish of murmur3 over both). */
export function mixHash(hash: number, word: number): number {
	let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) ^ Math.imul(word, 0x9e3779b1);
	mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
	return mixed ^ (mixed >>> 16);
}

/** What tells same values in a `Map`: equal for those that {@link sameJson} calls the same, and only those. */
export function mapKey(value: Json): string | number | boolean | null {
	if (typeof value === "string") return `"${value}`;
	return typeof value === "object" && value !== null ? sortedText(value) : value;
}

function sortedText(value: Json): string {
	if (typeof value !== "object" || value === null) return JSON.stringify(value);
	if (Array.isArray(value)) return `[${value.map(sortedText).join()}]`;
	const members = Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1));
	return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${sortedText(item)}`).join()}}`;
}

/** Longer lists show their length and last items, since that is where reads differ. */
const ITEMS_SHOWN_MAX = 8;
const TEXT_LENGTH_MAX = 120;

/** The value for a reader, cut to a line's length. */
export function jsonText(value: Json | undefined): string {
	if (value === undefined) return "nothing";
	if (Array.isArray(value) && value.length > ITEMS_SHOWN_MAX) {
		const last = value.slice(-ITEMS_SHOWN_MAX / 2).map((item) => jsonText(item));
		return `[${value.length - last.length} values, ${last.join(", ")}]`;
	}
	const text = JSON.stringify(value);
	return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX - 1)}…`;
}

/** Deeper values than this are refused, so that hostile input can not exhaust the stack. */
export const DEPTH_MAX = 32;

/** Whether lists and objects stand at most {@link DEPTH_MAX} deep in each other. */
export function isShallow(value: Json, depth = 0): boolean {
	if (typeof value !== "object" || value === null) return true;
	if (depth === DEPTH_MAX) return false;
	const items: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
	return items.every((item) => isShallow(item, depth + 1));
}
