/** What observers see of a Raft machine, read where it stands: nothing is copied for them. */
import type { NodeId } from "../core/index.ts";
import type { RaftRole } from "./core.ts";
import type { Configuration, Entry, LogIndex, RaftSnapshot, Term } from "./entry.ts";

/** A log in memory, for reading. Each call costs a constant. */
export interface LogReader {
	/** The last index that is compacted away; 0 if nothing is. */
	readonly baseIndex: LogIndex;
	/** The term at `baseIndex`; 0 if that is 0. */
	readonly baseTerm: Term;
	readonly lastIndex: LogIndex;
	/** The term at `lastIndex`, which may be the base. */
	readonly lastTerm: Term;
	/** The machine counts entries up to here as on its disk. */
	readonly durableThrough: LogIndex;
	/** The term at an index, or undefined outside `[baseIndex, lastIndex]`. */
	termAt(index: LogIndex): Term | undefined;
	/** The entry at an index in `(baseIndex, lastIndex]`; it is immutable and may be kept. */
	entryAt(index: LogIndex): Entry;
}

/**
 * A machine as it stands after a batch (Figure 2, and the snapshot of §7). It is the machine's own and changes with the
 * next step: read it, never keep it.
 */
export interface RaftView {
	readonly term: Term;
	readonly votedFor: NodeId | null;
	readonly role: RaftRole;
	/** The leader of `term`, as far as known. */
	readonly leader: NodeId | null;
	/** `deliveredIndex <= commitIndex <= log.lastIndex`. */
	readonly commitIndex: LogIndex;
	/** How far the application has been handed what is committed. */
	readonly deliveredIndex: LogIndex;
	/** The latest snapshot; one just installed may not be durable yet. */
	readonly snapshot: RaftSnapshot | null;
	/** The snapshot just installed, until it is durable: deliveries wait for it. */
	readonly restoring: { readonly snapshot: RaftSnapshot } | null;
	/** The members: the latest configuration in the log, whether committed or not (§6). */
	readonly configuration: Configuration;
	/** The index of its entry; of one that came with a snapshot the snapshot's last, at the first boot 0. */
	readonly configurationIndex: LogIndex;
	readonly log: LogReader;
}
