/**
 * This replica's own operations: each takes the next dot, is applied at once, and is gathered for the next update. What is taken
 * together is one transaction: others apply all of it or nothing.
 */
import { SEQUENCE_MAX } from "../causality/causal-context.ts";
import type { Value } from "../encoding/value.ts";
import { dotsExhausted } from "../errors.ts";
import { amountOf } from "../types/entry-values.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { type Deletion, type Entry, isDeletion } from "./entry.ts";
import { UpdateBuilder } from "./update-builder.ts";

const alone: readonly number[] = [];

/** Told of each own operation: what an undo needs. */
export interface OwnRecorder {
	inserted(container: Container, sequence: number, length: number): void;
	/** The content is still there. */
	deleted(container: Container, replica: number, sequence: number, length: number): void;
	/** Asked before a write for what the key shows. */
	writes(container: Container, key: string): Value | undefined;
	/** @param amount what a counter's write has added */
	wrote(entry: Entry, before: Value | undefined, amount: number): void;
}

export class OwnUpdate {
	/** Null if nobody wants to know. */
	recorder: OwnRecorder | null = null;
	readonly #core: DocumentCore;
	readonly #builder: UpdateBuilder;
	/** The first dot that is not taken yet; 0 if all are. */
	#first = 0;
	/** What {@link delete} is about: the listener is made once, not for each deletion. */
	#deleting: Container | null = null;
	readonly #tellDeleted = (replica: number, sequence: number, length: number): void => {
		this.#logDeletion(this.#deleting!, replica, sequence, length);
	};
	/** By replica: what the last update that was taken could rely on. */
	readonly #told: number[] = [];

	constructor(core: DocumentCore) {
		this.#core = core;
		this.#builder = new UpdateBuilder(core);
	}

	/** Whether there are operations to take. */
	get isOpen(): boolean {
		return this.#first > 0;
	}

	/** Inserts elements before the visible one at a position. */
	insert(container: Container, position: number, content: string | readonly Value[]): void {
		const { self } = this.#core;
		const { length } = content;
		const sequence = this.#next(length);
		this.#core.writeContent(self, sequence, content);
		container.sequence!.insertAt(position, self, sequence, length);
		this.#tellInserted(container, sequence, length);
	}

	/** Inserts elements right behind one that is here, be it deleted. Returns the first new id. */
	insertBehind(
		container: Container,
		targetReplica: number,
		targetSequence: number,
		content: string | readonly Value[],
	): number {
		const { self } = this.#core;
		const { length } = content;
		const sequence = this.#next(length);
		this.#core.writeContent(self, sequence, content);
		container.sequence!.insertBehind(targetReplica, targetSequence, self, sequence, length);
		this.#tellInserted(container, sequence, length);
		return sequence;
	}

	/** Deletes elements by position. */
	delete(container: Container, position: number, count: number): void {
		// What is deleted must be told of, so the dots must be there before.
		this.#requireDots(count);
		this.#deleting = container;
		container.sequence!.deleteAt(position, count, this.#tellDeleted);
	}

	/** Deletes those elements of a range of ids that are visible. */
	deleteIds(container: Container, replica: number, sequence: number, length: number): void {
		this.#requireDots(length);
		container.sequence!.deleteIds(replica, sequence, length, {
			inserted: () => undefined,
			deleted: (position, target, first, count) => {
				this.#logDeletion(container, target, first, count);
				this.#core.observer?.({ type: "deleted", path: container.path, source: "own", position, count });
			},
		});
	}

	/** Writes (or, with `undefined`, removes) under a key, in place of what `supersedes` names. */
	entry(container: Container, key: string, value: Value | undefined, supersedes: number[] | null): void {
		const core = this.#core;
		const before = this.recorder?.writes(container, key);
		const sequence = this.#next(1);
		const entry: Entry = {
			replica: core.self,
			sequence,
			container,
			key,
			value,
			supersedes,
			live: false,
			next: null,
		};
		if (supersedes !== null) container.supersede(key, supersedes);
		if (value !== undefined) container.add(entry);
		core.log[core.self]!.push(entry);
		this.#builder.entry(entry);
		core.observer?.({ type: "updated", path: container.path, source: "own", key });
		this.recorder?.wrote(entry, before, amountOf(value) - (supersedes === null ? 0 : amountOf(before)));
	}

	/** The update of all operations since the last one was taken; null if there are none. */
	take(): Uint8Array | null {
		if (this.#first === 0) return null;
		const { heads, self, settled } = this.#core;
		if (heads.length === 1) {
			// Alone so far: nothing to rely on.
			this.#first = 0;
			return this.#builder.finishSingle(heads[self]!, alone);
		}
		const requires: number[] = [];
		for (let replica = 0; replica < heads.length; replica++) {
			const head = heads[replica]!;
			if (replica === self || replica === settled || head === (this.#told[replica] ?? 0)) continue;
			requires.push(replica, head);
			this.noteTold(replica, head);
		}
		const update = this.#builder.finishSingle(heads[self]!, requires);
		this.#first = 0;
		return update;
	}

	/** What the last update that was taken could rely on, for the replica of a number. */
	toldOf(replica: number): number {
		return this.#told[replica] ?? 0;
	}

	/** Takes note of what an update of this replica has relied on, in this life or a former one. */
	noteTold(replica: number, sequence: number): void {
		while (this.#told.length <= replica) this.#told.push(0);
		this.#told[replica] = sequence;
	}

	/** @throws QuorateError `crdt-dots-exhausted` */
	#requireDots(count: number): void {
		const { heads, self } = this.#core;
		if (heads[self]! + count <= SEQUENCE_MAX) return;
		throw dotsExhausted({ replica: this.#core.replica, used: heads[self]!, limit: SEQUENCE_MAX });
	}

	/** Takes `count` dots and returns the first. @throws QuorateError `crdt-dots-exhausted` */
	#next(count: number): number {
		this.#requireDots(count);
		const { heads, self } = this.#core;
		const sequence = heads[self]! + 1;
		heads[self]! += count;
		if (this.#first === 0) {
			this.#first = sequence;
			this.#builder.reset();
			this.#builder.begin(self, sequence);
		}
		return sequence;
	}

	#tellInserted(container: Container, sequence: number, length: number): void {
		this.#builder.insertion(container, sequence, length, container.sequence!, false);
		this.recorder?.inserted(container, sequence, length);
	}

	#logDeletion(container: Container, targetReplica: number, targetSequence: number, length: number): void {
		this.recorder?.deleted(container, targetReplica, targetSequence, length);
		const sequence = this.#next(length);
		const deletion: Deletion = { sequence, length, container, targetReplica, targetSequence, backwards: false };
		this.#builder.deletion(deletion);
		appendDeletion(this.#core, this.#core.self, deletion);
	}
}

/** Adds a deletion to the log, into the last record if it goes on where that has ended. */
export function appendDeletion(core: DocumentCore, replica: number, deletion: Deletion): void {
	const log = core.log[replica]!;
	const last = log.at(-1);
	if (last !== undefined && isDeletion(last) && continues(last, deletion)) {
		last.backwards = deletion.targetSequence < last.targetSequence;
		last.targetSequence = Math.min(last.targetSequence, deletion.targetSequence);
		last.length += deletion.length;
	} else log.push(deletion);
}

function continues(last: Deletion, next: Deletion): boolean {
	if (last.container !== next.container || last.sequence + last.length !== next.sequence) return false;
	if (last.targetReplica !== next.targetReplica) return false;
	const forwards = last.length === 1 || !last.backwards;
	const nextForwards = next.length === 1 || !next.backwards;
	if (forwards && nextForwards && next.targetSequence === last.targetSequence + last.length) return true;
	const backwards = last.length === 1 || last.backwards;
	const nextBackwards = next.length === 1 || next.backwards;
	return backwards && nextBackwards && next.targetSequence + next.length === last.targetSequence;
}
