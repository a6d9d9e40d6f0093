/**
 * The order of one sequence's runs, as a B-tree whose nodes count the visible elements below them: a position is found, and a
 * run's position told, in time logarithmic in the number of runs. Nodes are columns of typed arrays.
 */
import { DELETED, grown, NONE, type RunArena } from "./run-arena.ts";

/** Children of a node, runs of a leaf. */
const FANOUT = 32;
const FIRST_NODES = 2;

export class RunTree {
	readonly #arena: RunArena;
	/** `FANOUT` entries a node: runs of a leaf, nodes of an inner node. */
	#entries = new Int32Array(FIRST_NODES * FANOUT);
	#count = new Int32Array(FIRST_NODES);
	#visible = new Int32Array(FIRST_NODES);
	#parent = new Int32Array(FIRST_NODES);
	#nodes = 1;
	/** Nodes that were emptied, linked by `#parent`. */
	#freeNode = NONE;
	#root = 0;
	/** Levels above the leaves. */
	#height = 0;
	/** The leaf that was found last, and the position of its first visible element; `NONE` when not known. */
	#fingerLeaf = 0;
	#fingerStart = 0;
	/** What {@link find} has found: an element's offset within its run. */
	offset = 0;

	constructor(arena: RunArena) {
		this.#arena = arena;
		this.#parent[0] = NONE;
	}

	/** Visible elements of the whole sequence. */
	get visible(): number {
		return this.#visible[this.#root]!;
	}

	/** The run with the visible element at a position from 0 to before `visible`; sets {@link offset}. */
	find(position: number): number {
		let rest = position - this.#fingerStart;
		let node = this.#fingerLeaf;
		if (node === NONE || rest < 0 || rest >= this.#visible[node]!) {
			rest = position;
			node = this.#root;
			for (let level = this.#height; level > 0; level--) {
				let at = node * FANOUT;
				for (;;) {
					const child = this.#entries[at]!;
					const visible = this.#visible[child]!;
					if (rest < visible) {
						node = child;
						break;
					}
					rest -= visible;
					at += 1;
				}
			}
			this.#fingerLeaf = node;
			this.#fingerStart = position - rest;
		}
		const { length, flags } = this.#arena;
		for (let at = node * FANOUT; ; at++) {
			const slot = this.#entries[at]!;
			if ((flags[slot]! & DELETED) !== 0) continue;
			const visible = length[slot]!;
			if (rest < visible) {
				this.offset = rest;
				return slot;
			}
			rest -= visible;
		}
	}

	/** The position of a run's first element: how many visible ones are before it. */
	positionOf(slot: number): number {
		let node = this.#arena.leaf[slot]!;
		let position = 0;
		for (let at = node * FANOUT; this.#entries[at] !== slot; at++) position += this.#arena.visible(this.#entries[at]!);
		for (let parent = this.#parent[node]!; parent !== NONE; parent = this.#parent[node]!) {
			for (let at = parent * FANOUT; this.#entries[at] !== node; at++) position += this.#visible[this.#entries[at]!]!;
			node = parent;
		}
		return position;
	}

	/** Which of two runs comes first: negative, 0 or positive. */
	compare(a: number, b: number): number {
		if (a === b) return 0;
		let nodeA = this.#arena.leaf[a]!;
		let nodeB = this.#arena.leaf[b]!;
		let entryA = a;
		let entryB = b;
		while (nodeA !== nodeB) {
			entryA = nodeA;
			entryB = nodeB;
			nodeA = this.#parent[nodeA]!;
			nodeB = this.#parent[nodeB]!;
		}
		for (let at = nodeA * FANOUT; ; at++) {
			if (this.#entries[at] === entryA) return -1;
			if (this.#entries[at] === entryB) return 1;
		}
	}

	/** Puts a run behind another one, or first with `NONE`. */
	insertAfter(slot: number, previous: number): void {
		let leaf: number;
		let index: number;
		if (previous === NONE) {
			leaf = this.#root;
			for (let level = this.#height; level > 0; level--) leaf = this.#entries[leaf * FANOUT]!;
			index = 0;
		} else {
			leaf = this.#arena.leaf[previous]!;
			index = this.#indexOf(leaf, previous) + 1;
		}
		if (this.#count[leaf] === FANOUT) {
			const half = this.#split(leaf, 0);
			if (index > this.#count[leaf]!) {
				index -= this.#count[leaf]!;
				leaf = half;
			}
		}
		this.#insertEntry(leaf, index, slot);
		this.#arena.leaf[slot] = leaf;
		const visible = this.#arena.visible(slot);
		if (visible > 0) this.#add(leaf, visible);
	}

	/** Takes a run out. */
	remove(slot: number): void {
		const leaf = this.#arena.leaf[slot]!;
		const visible = this.#arena.visible(slot);
		if (visible > 0) this.#add(leaf, -visible);
		this.#removeEntry(leaf, this.#indexOf(leaf, slot));
	}

	/** Tells that a run has so many more visible elements. */
	addVisible(slot: number, more: number): void {
		this.#add(this.#arena.leaf[slot]!, more);
	}

	/** Builds the tree anew from a linked list of runs, with full leaves. */
	rebuild(first: number): void {
		const { next, leaf, length, flags } = this.#arena;
		let nodes: number[] = [];
		this.#nodes = 0;
		this.#freeNode = NONE;
		this.#fingerLeaf = NONE;
		this.#fingerStart = 0;
		for (let slot = first; slot !== NONE || nodes.length === 0; ) {
			const node = this.#takeNode();
			nodes.push(node);
			const entries = this.#entries;
			const start = node * FANOUT;
			let count = 0;
			let visible = 0;
			for (; slot !== NONE && count < FANOUT; slot = next[slot]!) {
				entries[start + count++] = slot;
				leaf[slot] = node;
				if ((flags[slot]! & DELETED) === 0) visible += length[slot]!;
			}
			this.#count[node] = count;
			this.#visible[node] = visible;
		}
		for (this.#height = 0; nodes.length > 1; this.#height++) nodes = this.#parentsOf(nodes);
		this.#root = nodes[0]!;
		this.#parent[this.#root] = NONE;
	}

	#parentsOf(children: readonly number[]): number[] {
		const parents: number[] = [];
		for (let from = 0; from < children.length; from += FANOUT) {
			const node = this.#takeNode();
			parents.push(node);
			const group = children.slice(from, from + FANOUT);
			let visible = 0;
			for (const [index, child] of group.entries()) {
				this.#entries[node * FANOUT + index] = child;
				this.#parent[child] = node;
				visible += this.#visible[child]!;
			}
			this.#count[node] = group.length;
			this.#visible[node] = visible;
		}
		return parents;
	}

	#add(leaf: number, more: number): void {
		for (let node = leaf; node !== NONE; node = this.#parent[node]!) this.#visible[node]! += more;
		if (leaf !== this.#fingerLeaf) this.#fingerLeaf = NONE;
	}

	#indexOf(node: number, entry: number): number {
		const start = node * FANOUT;
		let at = start;
		while (this.#entries[at] !== entry) at++;
		return at - start;
	}

	#insertEntry(node: number, index: number, entry: number): void {
		const at = node * FANOUT + index;
		const end = node * FANOUT + this.#count[node]!;
		this.#entries.copyWithin(at + 1, at, end);
		this.#entries[at] = entry;
		this.#count[node]! += 1;
	}

	#removeEntry(node: number, index: number): void {
		const at = node * FANOUT + index;
		const end = node * FANOUT + this.#count[node]!;
		this.#entries.copyWithin(at, at + 1, end);
		const left = --this.#count[node]!;
		if (left > 0 || node === this.#root) return;
		// An empty node goes; half-empty ones stay until the next rebuild.
		if (node === this.#fingerLeaf) this.#fingerLeaf = NONE;
		const parent = this.#parent[node]!;
		this.#removeEntry(parent, this.#indexOf(parent, node));
		this.#parent[node] = this.#freeNode;
		this.#freeNode = node;
		// Without children the root is an empty leaf again.
		if (this.#count[this.#root] === 0) this.#height = 0;
	}

	/**
	 * Moves the upper half of a full node to a new one behind it, and returns that. Room above is made first, so that no
	 * sum is taken while elements are on their way.
	 */
	#split(node: number, level: number): number {
		if (this.#parent[node] === NONE) this.#growRoot(node, level + 1);
		else if (this.#count[this.#parent[node]!] === FANOUT) this.#split(this.#parent[node]!, level + 1);
		const half = this.#takeNode();
		const parent = this.#parent[node]!;
		const kept = FANOUT / 2;
		const from = node * FANOUT + kept;
		this.#entries.copyWithin(half * FANOUT, from, node * FANOUT + FANOUT);
		this.#count[node] = kept;
		this.#count[half] = FANOUT - kept;
		let visible = 0;
		for (let at = half * FANOUT; at < half * FANOUT + FANOUT - kept; at++) {
			const entry = this.#entries[at]!;
			if (level === 0) {
				this.#arena.leaf[entry] = half;
				visible += this.#arena.visible(entry);
			} else {
				this.#parent[entry] = half;
				visible += this.#visible[entry]!;
			}
		}
		this.#visible[half] = visible;
		this.#visible[node]! -= visible;
		this.#insertEntry(parent, this.#indexOf(parent, node) + 1, half);
		this.#parent[half] = parent;
		return half;
	}

	#growRoot(child: number, height: number): void {
		const root = this.#takeNode();
		this.#entries[root * FANOUT] = child;
		this.#count[root] = 1;
		this.#visible[root] = this.#visible[child]!;
		this.#parent[root] = NONE;
		this.#parent[child] = root;
		this.#root = root;
		this.#height = height;
	}

	#takeNode(): number {
		const free = this.#freeNode;
		if (free !== NONE) {
			this.#freeNode = this.#parent[free]!;
			return free;
		}
		if (this.#nodes === this.#count.length) {
			const capacity = this.#nodes * 2;
			this.#entries = grown(this.#entries, capacity * FANOUT);
			this.#count = grown(this.#count, capacity);
			this.#visible = grown(this.#visible, capacity);
			this.#parent = grown(this.#parent, capacity);
		}
		return this.#nodes++;
	}
}
