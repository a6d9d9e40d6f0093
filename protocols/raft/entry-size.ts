/** What entries weigh where bytes are bounded. */
import { ENTRY_OVERHEAD_BYTES } from "./config.ts";
import type { Entry, LogIndex } from "./entry.ts";
import { indexAfter, type RaftLog } from "./log.ts";

/** The bytes of one entry, its fixed fields included. */
export function sizeOf({ data }: Entry): number {
	return data.length + ENTRY_OVERHEAD_BYTES;
}

/** The bytes of several entries. */
export function bytesOf(entries: readonly Entry[]): number {
	let sum = 0;
	for (const entry of entries) sum += sizeOf(entry);
	return sum;
}

/** The bytes of the entries in `(after, through]` of a log. */
export function bytesBetween(log: RaftLog, after: LogIndex, through: LogIndex): number {
	let sum = 0;
	for (let index = indexAfter(after, 1); index <= through; index = indexAfter(index, 1)) {
		sum += sizeOf(log.entryAt(index));
	}
	return sum;
}
