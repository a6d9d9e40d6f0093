/**
 * A Merkle tree over a map of keys, to find where two replicas differ with little traffic (DeCandia et al., Dynamo, SOSP 2007,
 * §4.7). The tree is fixed: a key's digest says in which leaf it is, so two replicas with the same items have the same tree
 * whatever the order in which they got them. Leaves and inner nodes are hashed in domains of their own (RFC 9162 §2.1.1), so
 * that no content of a leaf can pass for an inner node.
 */
import { assert, type CryptoPort } from "../../core/index.ts";
import { requireIntegerField } from "../bounds.ts";

/** Children of an inner node: half a byte of a key's digest names one. */
const FANOUT = 16;
const LEAF_DOMAIN = 0x00;
const NODE_DOMAIN = 0x01;

export class MerkleTree {
	readonly #digest: CryptoPort["digest"];
	readonly #depth: number;
	/** Items by leaf, each as digest of its content. */
	readonly #leaves: Map<string, Uint8Array>[];
	/** Hashes by level, the root's first; null where something has changed since. */
	readonly #levels: (Uint8Array | null)[][];
	#size = 0;

	/**
	 * @param digest a collision-resistant digest, the same at all replicas
	 * @param depth levels below the root, 1 to 5: 16 to 1,048,576 leaves. Default 3. The same at all replicas.
	 * @throws QuorateError `gossip-config-invalid`
	 */
	constructor(digest: CryptoPort["digest"], depth = 3) {
		requireIntegerField("depth", depth, [1, 5]);
		this.#digest = digest;
		this.#depth = depth;
		this.#leaves = Array.from({ length: FANOUT ** depth }, () => new Map());
		this.#levels = Array.from({ length: depth + 1 }, (_, level) =>
			new Array<Uint8Array | null>(FANOUT ** level).fill(null),
		);
	}

	get size(): number {
		return this.#size;
	}
	get leafCount(): number {
		return this.#leaves.length;
	}

	/** Puts or replaces an item; `content` is whatever tells two versions of it apart. */
	set(key: string, content: Uint8Array): void {
		const leaf = this.leafOf(key);
		const items = this.#items(leaf);
		if (!items.has(key)) this.#size++;
		items.set(key, this.#digest(content));
		this.#touch(leaf);
	}

	delete(key: string): boolean {
		const leaf = this.leafOf(key);
		if (!this.#items(leaf).delete(key)) return false;
		this.#size--;
		this.#touch(leaf);
		return true;
	}

	/** The leaf of a key. */
	leafOf(key: string): number {
		const digest = this.#digest(textBytes(key));
		let leaf = 0;
		for (let level = 0; level < this.#depth; level++) {
			const byte = digest[level >> 1] as number;
			leaf = leaf * FANOUT + (level % 2 === 0 ? byte >> 4 : byte & 0x0f);
		}
		return leaf;
	}

	keysOf(leaf: number): string[] {
		return [...this.#items(leaf).keys()].sort();
	}

	root(): Uint8Array {
		return this.#hash(0, 0);
	}

	/** The hashes of a node's children, in order. Levels count from the root, 0; leaves have none. */
	childrenOf(level: number, place: number): Uint8Array[] {
		assert(level >= 0 && level < this.#depth && place >= 0 && place < FANOUT ** level, "the node is inner");
		return Array.from({ length: FANOUT }, (_, child) => this.#hash(level + 1, place * FANOUT + child));
	}

	/**
	 * The leaves in which another replica differs. `ask` is answered by that replica's {@link childrenOf}: one call for each
	 * inner node below which something differs, so `16 × depth` hashes for one difference.
	 */
	differingLeaves(root: Uint8Array, ask: (level: number, place: number) => readonly Uint8Array[]): number[] {
		if (sameBytes(root, this.root())) return [];
		let differing = [0];
		for (let level = 0; level < this.#depth; level++) {
			differing = differing.flatMap((place) => {
				const theirs = ask(level, place);
				return this.childrenOf(level, place).flatMap((own, child) => {
					const other = theirs[child];
					return other !== undefined && sameBytes(own, other) ? [] : [place * FANOUT + child];
				});
			});
		}
		return differing;
	}

	#items(leaf: number): Map<string, Uint8Array> {
		const items = this.#leaves[leaf];
		assert(items !== undefined, "the leaf exists", { leaf });
		return items;
	}

	#touch(leaf: number): void {
		for (let level = this.#depth, place = leaf; level >= 0; level--, place = Math.floor(place / FANOUT)) {
			(this.#levels[level] as (Uint8Array | null)[])[place] = null;
		}
	}

	#hash(level: number, place: number): Uint8Array {
		const hashes = this.#levels[level] as (Uint8Array | null)[];
		const known = hashes[place];
		if (known !== null && known !== undefined) return known;
		const hash = level === this.#depth ? this.#leafHash(place) : this.#nodeHash(level, place);
		hashes[place] = hash;
		return hash;
	}

	#nodeHash(level: number, place: number): Uint8Array {
		const children = Array.from({ length: FANOUT }, (_, child) => this.#hash(level + 1, place * FANOUT + child));
		return this.#digest(joined([Uint8Array.of(NODE_DOMAIN), ...children]));
	}

	/** Keys have their length before them, so that no two lists of items have the same bytes. */
	#leafHash(leaf: number): Uint8Array {
		const parts: Uint8Array[] = [Uint8Array.of(LEAF_DOMAIN)];
		const items = this.#items(leaf);
		for (const key of this.keysOf(leaf)) {
			const bytes = textBytes(key);
			parts.push(lengthBytes(bytes.length), bytes, items.get(key) as Uint8Array);
		}
		return this.#digest(joined(parts));
	}
}

/** UTF-16 code units, high byte first: enough for a digest, and the same everywhere. */
function textBytes(text: string): Uint8Array {
	const bytes = new Uint8Array(2 * text.length);
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		bytes[2 * i] = unit >> 8;
		bytes[2 * i + 1] = unit & 0xff;
	}
	return bytes;
}

function lengthBytes(length: number): Uint8Array {
	return Uint8Array.of(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
	const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const part of parts) {
		bytes.set(part, at);
		at += part.length;
	}
	return bytes;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
