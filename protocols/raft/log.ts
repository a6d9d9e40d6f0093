/**
 * The log in memory: a window of entries behind a base (the last compacted entry, of which only the term is
 * known), and how much of it was handed to the disk and is durable there.
 */
import { assert } from "../core/index.ts";
import type { Entry, LogIndex, Term } from "./entry.ts";

/** The index `distance` after (or before) another. */
export function indexAfter(index: LogIndex, distance: number): LogIndex {
	return (index + distance) as LogIndex;
}

/** Freed slots are kept until they outnumber the entries, so that compaction costs a constant per entry. */
const SLACK_MIN = 1024;

export class RaftLog {
	/** Slots before `#head` are free; entry `i` stands at `#head + i - baseIndex - 1`. */
	#slots: (Entry | undefined)[] = [];
	#head = 0;
	#baseIndex: LogIndex;
	#baseTerm: Term;
	#lastIndex: LogIndex;
	/** Entries up to here are in persists that were emitted. `<= lastIndex`. */
	handedThrough: LogIndex;
	/** Entries up to here are on the disk as they stand here. `<= handedThrough`. */
	durableThrough: LogIndex;
	/** Entries from here on were handed to the disk and cut since; the next persist must remove them. */
	cutFrom: LogIndex | null = null;
	/** The range last copied: a leader's disk and all its peers mostly get the same one. */
	#copied: readonly Entry[] = [];
	#copiedFrom = 0;
	#copiedThrough = 0;

	/** A log whose `entries` are durable and follow the base. */
	constructor(baseIndex: LogIndex, baseTerm: Term, entries: readonly Entry[]) {
		this.#baseIndex = baseIndex;
		this.#baseTerm = baseTerm;
		for (const entry of entries) this.#slots.push(entry);
		this.#lastIndex = indexAfter(baseIndex, entries.length);
		this.handedThrough = this.#lastIndex;
		this.durableThrough = this.#lastIndex;
	}

	/** The last index that is compacted away; 0 if nothing is. */
	get baseIndex(): LogIndex {
		return this.#baseIndex;
	}
	/** The term at the base; 0 if nothing is compacted. */
	get baseTerm(): Term {
		return this.#baseTerm;
	}
	get lastIndex(): LogIndex {
		return this.#lastIndex;
	}
	get lastTerm(): Term {
		return this.#lastIndex === this.#baseIndex ? this.#baseTerm : this.entryAt(this.#lastIndex).term;
	}

	/** The entry at an index in `(baseIndex, lastIndex]`. */
	entryAt(index: LogIndex): Entry {
		const entry = this.#slots[this.#head + index - this.#baseIndex - 1];
		assert(entry !== undefined && index > this.#baseIndex, "the index is in the log", { index });
		return entry;
	}

	/** The term at an index, or undefined where the log does not know it. */
	termAt(index: LogIndex): Term | undefined {
		if (index === this.#baseIndex) return this.#baseTerm;
		if (index < this.#baseIndex || index > this.#lastIndex) return undefined;
		return this.entryAt(index).term;
	}

	/** Appends one entry. */
	push(entry: Entry): void {
		this.#slots.push(entry);
		this.#lastIndex = indexAfter(this.#lastIndex, 1);
	}

	/** Cuts the log, so that `index - 1` is the last. */
	truncateFrom(index: LogIndex): void {
		assert(index > this.#baseIndex && index <= this.#lastIndex, "only what is in the log can be cut", { index });
		this.#slots.length = this.#head + index - this.#baseIndex - 1;
		this.#lastIndex = indexAfter(index, -1);
		if (index <= this.handedThrough) {
			this.cutFrom = this.cutFrom === null || index < this.cutFrom ? index : this.cutFrom;
			this.handedThrough = this.#lastIndex;
		}
		if (this.durableThrough > this.#lastIndex) this.durableThrough = this.#lastIndex;
		this.#forgetCopy();
	}

	/** Forgets the entries up to and including `index`; they must have been handed to the disk. */
	compactThrough(index: LogIndex): void {
		assert(index > this.#baseIndex && index <= this.handedThrough, "only handed entries are compacted", { index });
		const count = index - this.#baseIndex;
		this.#baseTerm = this.entryAt(index).term;
		this.#slots.fill(undefined, this.#head, this.#head + count);
		this.#head += count;
		this.#baseIndex = index;
		if (this.#head > SLACK_MIN && this.#head * 2 > this.#slots.length) {
			this.#slots = this.#slots.slice(this.#head);
			this.#head = 0;
		}
		this.#forgetCopy();
	}

	/** Drops everything and starts after a snapshot that is being handed to the disk. */
	resetTo(baseIndex: LogIndex, baseTerm: Term): void {
		this.#slots = [];
		this.#head = 0;
		this.#baseIndex = baseIndex;
		this.#baseTerm = baseTerm;
		this.#lastIndex = baseIndex;
		this.handedThrough = baseIndex;
		this.durableThrough = 0 as LogIndex;
		this.cutFrom = null;
		this.#forgetCopy();
	}

	/** The entries in `[from, through]` as a list of their own; the same list when asked again for the same range. */
	copyOf(from: LogIndex, through: LogIndex): readonly Entry[] {
		if (from === this.#copiedFrom && through === this.#copiedThrough) return this.#copied;
		assert(from > this.#baseIndex && through <= this.#lastIndex, "the range is in the log", { from, through });
		const start = this.#head + from - this.#baseIndex - 1;
		this.#copied = this.#slots.slice(start, start + through - from + 1) as Entry[];
		this.#copiedFrom = from;
		this.#copiedThrough = through;
		return this.#copied;
	}

	/**
	 * The largest index `<= index` whose term is `<= term`: where logs that differ in between may agree again. Below
	 * the base nothing is known; the base is committed, so a leader has it too.
	 */
	lastIndexWithTermAtMost(index: LogIndex, term: Term): LogIndex {
		let at = index > this.#lastIndex ? this.#lastIndex : index;
		while (at > this.#baseIndex && this.entryAt(at).term > term) at = indexAfter(at, -1);
		return at;
	}

	/** The same log, independent of this one; entries are immutable and shared. */
	copy(): RaftLog {
		const entries = this.#slots.slice(this.#head) as Entry[];
		const copy = new RaftLog(this.#baseIndex, this.#baseTerm, entries);
		copy.handedThrough = this.handedThrough;
		copy.durableThrough = this.durableThrough;
		copy.cutFrom = this.cutFrom;
		return copy;
	}

	/** The log as plain data, equal for equal logs. */
	get view(): unknown {
		return {
			baseIndex: this.#baseIndex,
			baseTerm: this.#baseTerm,
			entries: this.#slots.slice(this.#head),
			handedThrough: this.handedThrough,
			durableThrough: this.durableThrough,
			cutFrom: this.cutFrom,
		};
	}

	#forgetCopy(): void {
		this.#copied = [];
		this.#copiedFrom = 0;
		this.#copiedThrough = 0;
	}
}
