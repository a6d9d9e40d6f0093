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

/**
 * The members of a group (§6). Each list is in code-unit order without duplicates; `voters` and `learners` have nobody
 * in common.
 */
export interface Configuration {
	/** Those who vote, at least one; in a joint configuration those who will be left to vote. */
	readonly voters: readonly NodeId[];
	/** The voters of the configuration that a joint one leads away from; empty unless it is joint. */
	readonly outgoing: readonly NodeId[];
	/**
	 * Those who get entries and snapshots, and count for nothing (thesis §4.2.1). One that is an outgoing voter too is
	 * being demoted, and votes until the joint configuration is left.
	 */
	readonly learners: readonly NodeId[];
	/**
	 * Those of all these who are witnesses (`witness.ts`): they vote, if they are voters, and get no commands. Who is one
	 * stays one for as long as it is a member.
	 */
	readonly witnesses: readonly NodeId[];
	/** The leader leaves this joint configuration by itself, once it is committed. False unless it is joint. */
	readonly autoLeave: boolean;
}

/**
 * One log entry. `no-op` starts a leader's term, `open-session` opens a client session whose id is the entry's
 * index, `command` carries a client's bytes, `configuration` the members from here on (`configuration-codec.ts`);
 * `withheld` stands for a command in the log of a witness.
 */
export interface Entry {
	readonly term: Term;
	readonly kind: "no-op" | "open-session" | "command" | "configuration" | "withheld";
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
	/**
	 * In how many lives this participant has asked a leader for a read index or forwarded proposals to one, this one
	 * included; not there before the first. It tells an answer to a former life's question from one to this life's.
	 */
	readonly askingLives?: number;
	/** This participant's disk has lost what it may have acknowledged, and it has not got it again: see `repair.ts`. */
	readonly isUnderRepair?: true;
}

/** Describes a durable snapshot: everything up to and including `lastIndex`. */
export interface RaftSnapshot {
	readonly lastIndex: LogIndex;
	readonly lastTerm: Term;
	readonly configuration: Configuration;
	readonly sizeBytes: number;
	/** It is a witness's, and has no bytes. */
	readonly withheld?: true;
}
