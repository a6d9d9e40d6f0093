/**
 * The hash tree over the parts of a state (RFC 9162 §2.1): one root names all parts, and each part is checked alone with a path
 * of `⌈log2 parts⌉` digests, so a transfer trusts nobody and may change its source at any part.
 */
import type { Digest } from "./entities.ts";

/** Separates leaves from inner nodes, so that neither passes for the other (RFC 9162 §2.1.1). */
const LEAF = 0x00;
const NODE = 0x01;

type DigestFunction = (bytes: Uint8Array) => Digest;

/** Cuts a state into its parts; an empty state has none. */
export function partsOf(state: Uint8Array, partBytes: number): Uint8Array[] {
	const parts: Uint8Array[] = [];
	for (let offset = 0; offset < state.length; offset += partBytes)
		parts.push(state.subarray(offset, offset + partBytes));
	return parts;
}

export function partCount(sizeBytes: number, partBytes: number): number {
	return Math.ceil(sizeBytes / partBytes);
}

/** The levels of a tree, leaves first; the last is the root alone. A node without a sibling rises unchanged. */
export class StateTree {
	readonly #levels: readonly (readonly Digest[])[];
	readonly root: Digest;

	constructor(digest: DigestFunction, parts: readonly Uint8Array[]) {
		const levels: Digest[][] = [parts.map((part) => digest(prefixed(LEAF, part)))];
		for (let level = levels[0] as Digest[]; level.length > 1; ) {
			const above: Digest[] = [];
			for (let i = 0; i < level.length; i += 2) {
				const [left, right] = [level[i] as Digest, level[i + 1]];
				above.push(right === undefined ? left : digest(prefixed(NODE, left, right)));
			}
			levels.push(above);
			level = above;
		}
		this.#levels = levels;
		this.root = levels.at(-1)?.[0] ?? digest(new Uint8Array(0));
	}

	/** From a leaf to the root: the sibling at each level that has one (RFC 9162 §2.1.3.1). */
	pathOf(index: number): Digest[] {
		const path: Digest[] = [];
		let at = index;
		for (const level of this.#levels.slice(0, -1)) {
			const sibling = level[at ^ 1];
			if (sibling !== undefined) path.push(sibling);
			at >>= 1;
		}
		return path;
	}
}

/** Whether a part stands at `index` of `count` parts under a root (RFC 9162 §2.1.3.2). */
export function isPartOf(
	digest: DigestFunction,
	root: Digest,
	{
		index,
		count,
		data,
		path,
	}: {
		readonly index: number;
		readonly count: number;
		readonly data: Uint8Array;
		readonly path: readonly Digest[];
	},
): boolean {
	if (index < 0 || index >= count) return false;
	let node = digest(prefixed(LEAF, data));
	let at = index;
	let used = 0;
	for (let width = count; width > 1; width = (width + 1) >> 1) {
		if ((at ^ 1) < width) {
			const sibling = path[used++];
			if (sibling === undefined) return false;
			node = at % 2 === 0 ? digest(prefixed(NODE, node, sibling)) : digest(prefixed(NODE, sibling, node));
		}
		at >>= 1;
	}
	return used === path.length && node.length === root.length && node.every((byte, i) => byte === root[i]);
}

function prefixed(prefix: number, ...values: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(1 + values.reduce((sum, { length }) => sum + length, 0));
	bytes[0] = prefix;
	let offset = 1;
	for (const value of values) {
		bytes.set(value, offset);
		offset += value.length;
	}
	return bytes;
}
