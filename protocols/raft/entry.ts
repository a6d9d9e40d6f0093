/** Raft's nouns: term, index, entry, configuration, hard state, snapshot. */
import type { Brand, NodeId } from "../core/index.ts";

/** Numbers elections; 0 before the first. */
export type Term = Brand<number, "Term">;
/** 1-based position in the log; 0 is "before the first entry". */
export type LogIndex = Brand<number, "LogIndex">;
/**
 * Names a client session: the log index of the entry that opened it (thesis §6.3), so it is unique in a group.
 */
export type SessionId = Brand<number, "SessionId">;

/** The members that vote. */
export interface Configuration {
	/** In code-unit order, no duplicates, at least one. */
	readonly voters: readonly NodeId[];
}

/**
 * One log entry. `no-op` starts a leader's term, `open-session` opens a client session whose id is the entry's
 * index, `command` carries a client's bytes.
 */
export interface Entry {
	readonly term: Term;
	readonly kind: "no-op" | "open-session" | "command";
	/** The session of a command; 0 for other kinds and for commands sent outside any session. */
	readonly session: SessionId;
	/** The client's number of this command within its session, from 1; 0 outside sessions. */
	readonly serial: number;
	/** The client has the results of all serials below this one (RIFL, SOSP 2015): they may be forgotten. */
	readonly firstIncomplete: number;
	readonly data: Uint8Array;
}

/** What must survive a crash besides the log (Figure 2: currentTerm, votedFor). */
export interface HardState {
	readonly term: Term;
	readonly votedFor: NodeId | null;
}

/** Describes a durable snapshot: everything up to and including `lastIndex`. */
export interface RaftSnapshot {
	readonly lastIndex: LogIndex;
	readonly lastTerm: Term;
	readonly configuration: Configuration;
	readonly sizeBytes: number;
}
