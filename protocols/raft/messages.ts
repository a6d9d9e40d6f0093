/** The messages of Raft and their layouts. The sender is never inside: the host vouches for it (`from`). */
import type { LayoutTable } from "../core/index.ts";
import type { Configuration, Entry, LogIndex, Term } from "./entry.ts";
import type { RaftRefusal } from "./vocabulary.ts";

/** RequestVote RPC (§5.2), also as the pre-vote of thesis §9.6, which changes no term. */
export interface RequestVote {
	readonly type: "request-vote";
	/** The candidate's term; of a pre-vote the term it would campaign in. */
	readonly term: Term;
	readonly lastIndex: LogIndex;
	readonly lastTerm: Term;
	readonly preVote: boolean;
	/** The leader has asked the candidate to take over (thesis §3.10): those who hear that leader may vote too. */
	readonly transfer: boolean;
}
/** The answer to a {@link RequestVote}. */
export interface Vote {
	readonly type: "vote";
	readonly term: Term;
	readonly granted: boolean;
	readonly preVote: boolean;
}
/** AppendEntries RPC (§5.3); without entries it is the heartbeat. */
export interface AppendEntries {
	readonly type: "append-entries";
	readonly term: Term;
	readonly prevIndex: LogIndex;
	readonly prevTerm: Term;
	/** The leader's commit index. */
	readonly commit: LogIndex;
	/** Numbers the leader's confirmation rounds; echoed, so that a read-index knows it is still leader. */
	readonly round: number;
	readonly entries: readonly Entry[];
}
/** The answer to an {@link AppendEntries}. */
export interface AppendResponse {
	readonly type: "append-response";
	readonly term: Term;
	readonly accepted: boolean;
	/** Accepted: the last index known to match. Refused: the `prevIndex` that was refused. */
	readonly index: LogIndex;
	/** Refused: the largest index at which the logs may still agree, and the term there; else 0. */
	readonly hintIndex: LogIndex;
	readonly hintTerm: Term;
	readonly round: number;
}
/** InstallSnapshot RPC (§7), one chunk. */
export interface InstallSnapshot {
	readonly type: "install-snapshot";
	readonly term: Term;
	readonly lastIndex: LogIndex;
	readonly lastTerm: Term;
	/** The one in force at `lastIndex`. */
	readonly configuration: Configuration;
	/** It is for a witness: without bytes, whatever the sender has. */
	readonly withheld: boolean;
	readonly sizeBytes: number;
	readonly offset: number;
	readonly data: Uint8Array;
	readonly round: number;
}
/** The answer to an {@link InstallSnapshot}: how far the chunks have arrived. */
export interface SnapshotResponse {
	readonly type: "snapshot-response";
	readonly term: Term;
	readonly lastIndex: LogIndex;
	/** The offset of the next chunk wanted; `sizeBytes` when all is durable. */
	readonly nextOffset: number;
	readonly round: number;
}

/** The leader wants the receiver to campaign at once (TimeoutNow, thesis §3.10). */
export interface TimeoutNow {
	readonly type: "timeout-now";
	readonly term: Term;
	/** The end of the leader's log: a receiver that has more has heard since that the leader went on. */
	readonly lastIndex: LogIndex;
}

/** A follower asks how far it must have applied to answer its reads (thesis §6.4, "follower reads"). */
export interface ReadIndexRequest {
	readonly type: "read-index-request";
	readonly term: Term;
	/** The life of the follower that asks, and the question within it: no two questions of one follower are alike. */
	readonly life: number;
	readonly question: number;
}
/** The answer to a {@link ReadIndexRequest}: everything that was decided when it arrived is at or before `index`. */
export interface ReadIndexResponse {
	readonly type: "read-index-response";
	readonly term: Term;
	readonly life: number;
	readonly question: number;
	readonly index: LogIndex;
}

/** A follower passes its clients' proposals on. */
export interface ForwardedProposals {
	readonly type: "forwarded-proposals";
	readonly term: Term;
	/** The life of the follower, as in {@link ReadIndexRequest}. */
	readonly life: number;
	/** It knows what came of all numbers below. */
	readonly settledBelow: number;
	/** The number of `entries[0]` in this life; the others follow. */
	readonly first: number;
	/** Commands and opened sessions, of this term. */
	readonly entries: readonly Entry[];
}
/** The leader has taken forwarded proposals: `count` of them from `number` on stand at `index` and behind it. */
export interface ForwardResponse {
	readonly type: "forward-response";
	readonly term: Term;
	readonly life: number;
	readonly number: number;
	readonly count: number;
	readonly index: LogIndex;
}
/** The leader has not taken a forwarded proposal, and never will. */
export interface ForwardRefusal {
	readonly type: "forward-refusal";
	readonly term: Term;
	readonly life: number;
	readonly number: number;
	readonly refusal: RaftRefusal;
}

/** A member has lost the log behind `lastIndex`, whatever it has acknowledged. */
export interface RepairRequest {
	readonly type: "repair-request";
	readonly term: Term;
	/** As in {@link ReadIndexRequest}. */
	readonly life: number;
	readonly lastIndex: LogIndex;
}
/** Who follows this leader's log up to `index` has all that it may have acknowledged before it asked. */
export interface RepairResponse {
	readonly type: "repair-response";
	readonly term: Term;
	readonly life: number;
	readonly index: LogIndex;
}
/** A follower wants a snapshot that reaches at least to `minIndex`. */
export interface SnapshotRequest {
	readonly type: "snapshot-request";
	readonly term: Term;
	readonly minIndex: LogIndex;
}

/** The leader has nothing more to send to anybody: its log, all of it committed, ends at `lastIndex`. */
export interface Quiesce {
	readonly type: "quiesce";
	readonly term: Term;
	readonly lastIndex: LogIndex;
}

export type RaftMessage =
	| RequestVote
	| Vote
	| AppendEntries
	| AppendResponse
	| InstallSnapshot
	| SnapshotResponse
	| TimeoutNow
	| ReadIndexRequest
	| ReadIndexResponse
	| ForwardedProposals
	| ForwardResponse
	| ForwardRefusal
	| RepairRequest
	| RepairResponse
	| SnapshotRequest
	| Quiesce;

/** The layout of one entry, shared by append-entries on the wire and records in the store. */
export const entryFields = [
	{ name: "term", kind: "safe-integer" },
	{ name: "kind", kind: { oneOf: ["no-op", "open-session", "command", "configuration", "withheld"] } },
	{ name: "session", kind: "safe-integer" },
	{ name: "serial", kind: "safe-integer" },
	{ name: "firstIncomplete", kind: "safe-integer" },
	{ name: "data", kind: "bytes" },
] as const;

/**
 * Raft's messages; append only. Install-snapshot has no layout: it is rare, and most of it is one byte array. Nor have
 * timeout-now, refusals, and what repairs or silences a member, which are rarer still.
 */
export const raftLayouts: LayoutTable = {
	protocol: "raft",
	version: 3,
	messages: [
		{
			type: "request-vote",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "lastIndex", kind: "safe-integer" },
				{ name: "lastTerm", kind: "safe-integer" },
				{ name: "preVote", kind: "boolean" },
				{ name: "transfer", kind: "boolean" },
			],
		},
		{
			type: "vote",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "granted", kind: "boolean" },
				{ name: "preVote", kind: "boolean" },
			],
		},
		{
			type: "append-entries",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "prevIndex", kind: "safe-integer" },
				{ name: "prevTerm", kind: "safe-integer" },
				{ name: "commit", kind: "safe-integer" },
				{ name: "round", kind: "safe-integer" },
				{ name: "entries", kind: { list: entryFields } },
			],
		},
		{
			type: "append-response",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "accepted", kind: "boolean" },
				{ name: "index", kind: "safe-integer" },
				{ name: "hintIndex", kind: "safe-integer" },
				{ name: "hintTerm", kind: "safe-integer" },
				{ name: "round", kind: "safe-integer" },
			],
		},
		{
			type: "snapshot-response",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "lastIndex", kind: "safe-integer" },
				{ name: "nextOffset", kind: "safe-integer" },
				{ name: "round", kind: "safe-integer" },
			],
		},
		{
			type: "read-index-request",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "life", kind: "safe-integer" },
				{ name: "question", kind: "safe-integer" },
			],
		},
		{
			type: "read-index-response",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "life", kind: "safe-integer" },
				{ name: "question", kind: "safe-integer" },
				{ name: "index", kind: "safe-integer" },
			],
		},
		{
			type: "forwarded-proposals",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "life", kind: "safe-integer" },
				{ name: "settledBelow", kind: "safe-integer" },
				{ name: "first", kind: "safe-integer" },
				{ name: "entries", kind: { list: entryFields } },
			],
		},
		{
			type: "forward-response",
			fields: [
				{ name: "term", kind: "safe-integer" },
				{ name: "life", kind: "safe-integer" },
				{ name: "number", kind: "safe-integer" },
				{ name: "count", kind: "safe-integer" },
				{ name: "index", kind: "safe-integer" },
			],
		},
	],
};
