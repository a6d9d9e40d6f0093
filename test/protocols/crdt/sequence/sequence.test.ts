/**
 * Goal: runs, tree and directory of ids say the same as a plain list of elements, also when there are thousands of runs (CRDT-7). It fails
 * when a run is cut or joined wrongly, a count of the tree is off, or the directory names a run that is gone.
 * Method: long random typing, backspacing, deleting and jumping in one sequence against an array; every id and every position is looked
 * up now and then, and the links, the tree and the directory are held against each other.
 */
import { describe, expect, it } from "vitest";
import { Generator } from "../../../../protocols/core/index.ts";
import { ReplicaTable } from "../../../../protocols/crdt/causality/replica.ts";
import { replicaId } from "../../../../protocols/crdt/index.ts";
import { IdIndex } from "../../../../protocols/crdt/sequence/id-index.ts";
import { DELETED, NONE, RunArena } from "../../../../protocols/crdt/sequence/run-arena.ts";
import { Sequence } from "../../../../protocols/crdt/sequence/sequence.ts";

class World {
	readonly runs = new RunArena();
	readonly ids = new IdIndex(this.runs);
	readonly replicas = new ReplicaTable();
	readonly sequence = new Sequence(this, 0);
	/** The visible ids, in order. */
	readonly visible: number[] = [];
	readonly inserted = new Set<number>();
	next = 1;

	constructor() {
		this.replicas.intern(replicaId("a", 0));
	}

	insert(position: number, length: number): void {
		this.sequence.insertAt(position, 0, this.next, length);
		const ids = Array.from({ length }, (_unused, i) => this.next + i);
		for (const id of ids) this.inserted.add(id);
		this.visible.splice(position, 0, ...ids);
		this.next += length;
	}

	delete(position: number, count: number): void {
		const told: number[] = [];
		this.sequence.deleteAt(position, count, (_replica, sequence, length) => {
			for (let i = 0; i < length; i++) told.push(sequence + i);
		});
		expect(told).toEqual(this.visible.splice(position, count));
		// A deletion has a dot, too: ids of elements have gaps.
		this.next += count;
	}

	check(): void {
		const { runs, ids, sequence } = this;
		const visible: number[] = [];
		const all = new Set<number>();
		let count = 0;
		for (let slot = sequence.first, before = NONE; slot !== NONE; before = slot, slot = runs.next[slot]!) {
			count += 1;
			if (runs.previous[slot] !== before) throw new Error(`run ${slot} is linked wrongly`);
			if (sequence.tree.positionOf(slot) !== visible.length) throw new Error(`run ${slot} is elsewhere in the tree`);
			if (before !== NONE && sequence.tree.compare(before, slot) >= 0) throw new Error(`run ${slot} compares wrongly`);
			for (let i = 0; i < runs.length[slot]!; i++) {
				const id = runs.sequence[slot]! + i;
				all.add(id);
				if (ids.find(0, id) !== slot) throw new Error(`id ${id} is not found in its run`);
				if ((runs.flags[slot]! & DELETED) === 0) visible.push(id);
			}
		}
		expect(visible).toEqual(this.visible);
		expect(sequence.length).toBe(visible.length);
		expect(count).toBe(runs.count);
		expect(all).toEqual(this.inserted);
		for (let id = 1; id < this.next; id++) {
			if (!all.has(id) && ids.find(0, id) !== NONE) throw new Error(`id ${id} of no element is found`);
		}
		for (const [position, id] of visible.entries()) {
			const slot = sequence.tree.find(position);
			if (runs.sequence[slot]! + sequence.tree.offset !== id) throw new Error(`position ${position} is not found`);
		}
	}
}

describe("a sequence", () => {
	it.each([1, 2, 3])("is what a list of elements would be, seed %d", (seed) => {
		const world = new World();
		const draw = new Generator(seed, "edits");
		let cursor = 0;
		for (let step = 0; step < 6_000; step++) {
			const { length } = world.visible;
			const kind = draw.below(20);
			if (kind === 0) cursor = draw.below(length + 1);
			else if (kind < 5 && cursor > 0) world.delete(--cursor, 1);
			else if (kind < 7 && cursor < length) world.delete(cursor, 1);
			else if (kind === 7 && length > 0) {
				const position = draw.below(length);
				world.delete(position, 1 + draw.below(Math.min(40, length - position)));
				cursor = Math.min(cursor, world.visible.length);
			} else {
				const added = kind < 18 ? 1 : 1 + draw.below(200);
				world.insert(cursor, added);
				cursor += added;
			}
			if (step % 1_000 === 0) world.check();
		}
		world.check();
		// More than two levels of the tree were needed.
		expect(world.runs.count).toBeGreaterThan(1_024);
		expect(world.sequence.length).toBeGreaterThan(0);
	});
});
