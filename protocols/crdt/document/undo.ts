/**
 * Undo and redo of this replica's own changes, whatever others do meanwhile. What was inserted is deleted as far as it is still
 * there; what was deleted comes back as new elements where the old ones stand, since an element that was deleted stays so (two of
 * one id are what became of other ways: yorkie#1927); a counter gets the opposite amount; a set, flag or register gets what it had
 * here before, by a write that takes the place of the undone one only.
 */
import { assert, requireInteger } from "../../core/index.ts";
import type { Value } from "../encoding/value.ts";
import { NONE } from "../sequence/run-arena.ts";
import { amountOf } from "../types/entry-values.ts";
import { lwwValue, mvValues } from "../types/register.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { type Entry, supersededBy } from "./entry.ts";

/** Groups of changes that can be undone, by default. */
export const UNDO_GROUPS_MAX_DEFAULT = 1000;

/** One own operation, with what its undoing needs. */
type Step =
	| { readonly type: "inserted"; readonly container: Container; readonly sequence: number; readonly length: number }
	| {
			readonly type: "deleted";
			readonly container: Container;
			readonly replica: number;
			readonly sequence: number;
			readonly content: string | readonly Value[];
	  }
	| { readonly type: "wrote"; readonly entry: Entry; readonly before: Value | undefined; readonly amount: number };

export class UndoHistory {
	#core: DocumentCore;
	readonly #groupsMax: number;
	#undo: Step[][] = [];
	#redo: Step[][] = [];
	/** The group that operations go to: null between groups. */
	#open: Step[] | null = null;
	#isReplaying = false;
	/** Deleted elements that came back, and as what: who undoes their insertion means these. */
	#revived: Revived[] = [];

	/** Made by `CrdtDocument.undoHistory`. */
	constructor(core: DocumentCore, groupsMax: number) {
		this.#core = core;
		this.#groupsMax = requireInteger("groupsMax", groupsMax, 1, 1_000_000);
		this.attach(core);
	}

	get canUndo(): boolean {
		return this.#undo.length > 0 || this.#open !== null;
	}

	get canRedo(): boolean {
		return this.#redo.length > 0;
	}

	/** Ends the present group: what comes next is undone by a call of its own. */
	separate(): void {
		if (this.#open !== null) this.#push(this.#undo, this.#open);
		this.#open = null;
	}

	/** Undoes the last group of own changes that is not undone. Returns false if there is none. */
	undo(): boolean {
		this.separate();
		return this.#replay(this.#undo, this.#redo);
	}

	/** Does again what was undone last, unless something was changed since. */
	redo(): boolean {
		this.separate();
		return this.#replay(this.#redo, this.#undo);
	}

	/** Forgets everything: after a collection the places of deleted elements are gone. */
	clear(): void {
		this.#undo = [];
		this.#redo = [];
		this.#open = null;
		this.#revived = [];
	}

	/** Follows a document to its next state. */
	attach(core: DocumentCore): void {
		this.#core = core;
		core.own.recorder = {
			inserted: (container, sequence, length) => this.#record({ type: "inserted", container, sequence, length }),
			deleted: (container, replica, sequence, length) => {
				const content = contentOf(core, container, replica, sequence, length);
				this.#record({ type: "deleted", container, replica, sequence, content });
			},
			writes: (container, key) => valueBefore(core, container, key),
			wrote: (entry, before, amount) => this.#record({ type: "wrote", entry, before, amount }),
		};
	}

	#record(step: Step): void {
		this.#open ??= [];
		this.#open.push(step);
		if (!this.#isReplaying) this.#redo = [];
	}

	#push(stack: Step[][], group: Step[]): void {
		stack.push(group);
		if (stack.length > this.#groupsMax) stack.shift();
	}

	#replay(from: Step[][], to: Step[][]): boolean {
		const group = from.pop();
		if (group === undefined) return false;
		assert(this.#open === null, "a replay is a group of its own");
		this.#isReplaying = true;
		for (const step of group.reverse()) this.#invert(step);
		this.#isReplaying = false;
		// What the replay has done is what undoes it.
		this.#push(to, this.#open ?? []);
		this.#open = null;
		return true;
	}

	#invert(step: Step): void {
		const core = this.#core;
		switch (step.type) {
			case "inserted":
				this.#deleteWithRevived(step.container, core.self, step.sequence, step.length);
				return;
			case "deleted":
				this.#revived.push(...insertAgain(core, step.container, step.replica, step.sequence, step.content));
				this.#revived.splice(0, this.#revived.length - REVIVED_MAX);
				return;
			case "wrote":
				writeAgain(core, step.entry, step.before, step.amount);
				return;
		}
	}

	#deleteWithRevived(container: Container, replica: number, sequence: number, length: number): void {
		this.#core.own.deleteIds(container, replica, sequence, length);
		for (const revived of this.#revived) {
			if (revived.replica !== replica || revived.container !== container) continue;
			const first = Math.max(sequence, revived.sequence);
			const end = Math.min(sequence + length, revived.sequence + revived.length);
			if (first >= end) continue;
			this.#deleteWithRevived(container, this.#core.self, revived.as + first - revived.sequence, end - first);
		}
	}
}

/** Elements of a replica that were inserted again by this one, as those from `as` on. */
interface Revived {
	readonly container: Container;
	readonly replica: number;
	readonly sequence: number;
	readonly length: number;
	readonly as: number;
}

/** Stretches that are remembered; of older ones an undone insertion leaves what came back. */
const REVIVED_MAX = 10_000;

function contentOf(
	core: DocumentCore,
	container: Container,
	replica: number,
	sequence: number,
	length: number,
): string | readonly Value[] {
	if (container.type === "text") return core.text.read(replica, sequence, length);
	return Array.from({ length }, (_unused, i) => core.list.value(replica, sequence + i));
}

/** What a key shows before a write: what undoing the write brings back. */
function valueBefore(core: DocumentCore, container: Container, key: string): Value | undefined {
	switch (container.type) {
		case "lww-register":
			return lwwValue(core, container);
		case "mv-register":
			return mvValues(core, container)[0];
		default:
			return container.entries.get(key)?.value;
	}
}

/** Puts the content where the deleted elements stand, stretch by stretch: others may have come between them. */
function insertAgain(
	core: DocumentCore,
	container: Container,
	replica: number,
	sequence: number,
	content: string | readonly Value[],
): Revived[] {
	const { runs, ids } = core.space;
	const revived: Revived[] = [];
	for (let done = 0; done < content.length; ) {
		const slot = ids.find(replica, sequence + done);
		if (slot === NONE) break;
		const length = Math.min(content.length - done, runs.sequence[slot]! + runs.length[slot]! - sequence - done);
		const position = container.sequence!.tree.positionOf(slot);
		const last = sequence + done + length - 1;
		const piece = content.slice(done, done + length);
		const as = core.own.insertBehind(container, replica, last, piece);
		revived.push({ container, replica, sequence: sequence + done, length, as });
		core.observer?.({ type: "inserted", path: container.path, source: "own", position, content: piece });
		done += length;
	}
	return revived;
}

function writeAgain(core: DocumentCore, entry: Entry, before: Value | undefined, amount: number): void {
	const { container, key } = entry;
	switch (container.type) {
		case "g-counter":
		case "bounded-counter":
			// They only grow, or stand for rights that may be spent: there is no opposite.
			return;
		case "pn-counter": {
			const own = container.entries.get(key);
			if (container.inMap) core.own.entry(container, key, -amount, null);
			else core.own.entry(container, key, amountOf(own?.value) - amount, supersededBy(own));
			return;
		}
		default: {
			// Others may have written beside it: only what this replica has written is taken back.
			const undone = supersededBy(container.entries.get(key), ({ replica }) => replica === core.self);
			if (entry.value !== undefined && undone === null) return;
			core.own.entry(container, key, before === undefined ? undefined : restamped(core, container, before), undone);
		}
	}
}

function restamped(core: DocumentCore, container: Container, value: Value): Value {
	if (container.type !== "lww-register") return value;
	const { ms, counter } = core.clock.next();
	return [ms, counter, value];
}
