/**
 * What every type but the sequences is made of: entries, each written by one operation under a key, each with that operation's
 * dot. A later operation on the key names the dots that it supersedes: those its replica saw. So what was written concurrently
 * stays, what was seen goes, and nothing has to be remembered of what is gone (Bieniusa et al., RR-8083, 2012).
 */
import type { Value } from "../encoding/value.ts";
import type { Container } from "./container.ts";

/** One operation on a key: what it wrote, if anything, and what that took the place of. */
export interface Entry {
	/** With `sequence` the operation's dot; the replica by its number in the document. */
	readonly replica: number;
	readonly sequence: number;
	readonly container: Container;
	readonly key: string;
	/** What was written; `undefined` for a removal. */
	value: Value | undefined;
	/** Dots that it supersedes, as triples of a replica's number, first and last; null for none. */
	supersedes: readonly number[] | null;
	/** Whether it is in force: written, and superseded by nothing that is known. */
	live: boolean;
	/** The next entry in force under the same key. */
	next: Entry | null;
}

/** One stretch of deletions: dot `sequence + i` deletes an element of `targetReplica`. */
export interface Deletion {
	readonly sequence: number;
	length: number;
	readonly container: Container;
	readonly targetReplica: number;
	/** The lowest target. */
	targetSequence: number;
	/** Whether the first dot deleted the highest target (backspace) rather than the lowest. */
	backwards: boolean;
}

/** Operations that leave no element behind to tell of them, ascending by dot. */
export type LogRecord = Entry | Deletion;

export function isDeletion(record: LogRecord): record is Deletion {
	return "targetReplica" in record;
}

/** The last dot of a record. */
function lastDot(record: LogRecord): number {
	return isDeletion(record) ? record.sequence + record.length - 1 : record.sequence;
}

/** The index of the first record with a dot above `from`. */
export function firstAbove(log: readonly LogRecord[], from: number): number {
	let low = 0;
	let high = log.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (lastDot(log[middle]!) > from) high = middle;
		else low = middle + 1;
	}
	return low;
}

/** What is left of a stretch of deletions whose last dot is above `from` when the dots through `from` go. */
export function deletionAbove(deletion: Deletion, from: number): Deletion {
	const skipped = Math.max(0, from + 1 - deletion.sequence);
	return {
		...deletion,
		sequence: deletion.sequence + skipped,
		length: deletion.length - skipped,
		targetSequence: deletion.backwards ? deletion.targetSequence : deletion.targetSequence + skipped,
	};
}

/** The dots of entries, ascending, as {@link Entry.supersedes} has them; null for none. */
export function supersededBy(first: Entry | null | undefined, among?: (entry: Entry) => boolean): number[] | null {
	if (first === null || first === undefined) return null;
	if (first.next === null) {
		return among === undefined || among(first) ? [first.replica, first.sequence, first.sequence] : null;
	}
	const entries: Entry[] = [];
	for (let entry: Entry | null = first; entry !== null; entry = entry.next) {
		if (among === undefined || among(entry)) entries.push(entry);
	}
	if (entries.length === 0) return null;
	entries.sort((a, b) => a.replica - b.replica || a.sequence - b.sequence);
	const ranges: number[] = [];
	for (const { replica, sequence } of entries) {
		const at = ranges.length - 3;
		if (at >= 0 && ranges[at] === replica && ranges[at + 2] === sequence - 1) ranges[at + 2] = sequence;
		else ranges.push(replica, sequence, sequence);
	}
	return ranges;
}

/** Whether a dot is among {@link Entry.supersedes}. */
export function isSuperseded(ranges: readonly number[], replica: number, sequence: number): boolean {
	for (let at = 0; at < ranges.length; at += 3) {
		if (ranges[at] === replica && ranges[at + 1]! <= sequence && sequence <= ranges[at + 2]!) return true;
	}
	return false;
}
