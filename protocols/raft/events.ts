/** What a Raft machine tells its observers: data for event streams, metrics and the invariants of the tests. */
import type { NodeId } from "../core/index.ts";
import type { Configuration, LogIndex, Term } from "./entry.ts";

export type RaftEvent =
	/** The role or the known leader changed. */
	| {
			readonly type: "role-changed";
			readonly role: "follower" | "pre-candidate" | "candidate" | "leader";
			readonly term: Term;
			readonly leader: NodeId | null;
	  }
	/** The commit index moved. */
	| { readonly type: "commit-advanced"; readonly term: Term; readonly index: LogIndex }
	/** Another configuration is in force: appended, installed, found at a start, or an earlier one after a cut (§6). */
	| ({ readonly type: "configuration-changed"; readonly index: LogIndex } & Configuration)
	/** A configuration is committed: it was, or will be, in force at every member. */
	| ({ readonly type: "configuration-committed"; readonly index: LogIndex } & Configuration)
	/** A snapshot taken by this participant lets its log start later. */
	| { readonly type: "log-compacted"; readonly throughIndex: LogIndex }
	/** A snapshot received from the leader replaced this participant's state. */
	| { readonly type: "snapshot-installed"; readonly lastIndex: LogIndex; readonly lastTerm: Term }
	/** This leader starts sending a snapshot to a peer whose next entry is compacted. */
	| { readonly type: "snapshot-send-started"; readonly to: NodeId; readonly lastIndex: LogIndex }
	/** This leader begins to hand its leadership over (thesis §3.10). */
	| { readonly type: "transfer-begun"; readonly to: NodeId }
	/** The member that began it hears the target lead. */
	| { readonly type: "transfer-completed"; readonly to: NodeId; readonly term: Term }
	| { readonly type: "transfer-given-up"; readonly to: NodeId; readonly failure: TransferFailure }
	/** This member's log can not be read from an index on (null: found in an earlier life); it ends at `lastIndex` now. */
	| { readonly type: "log-damaged"; readonly from: LogIndex | null; readonly lastIndex: LogIndex }
	/** It has what it lost again, from its leader, and votes. */
	| { readonly type: "log-repaired"; readonly through: LogIndex }
	/**
	 * The bytes of the snapshot through `lastIndex` can not be read. `leader`: found at the start, and the leader's is to replace
	 * it (`repair.ts`); `own`: a leader found it when it was to send it, and takes another.
	 */
	| { readonly type: "snapshot-damaged"; readonly lastIndex: LogIndex; readonly remedy: "leader" | "own" }
	/** The application that had lost its state by that has been handed the leader's snapshot through `lastIndex`. */
	| { readonly type: "snapshot-repaired"; readonly lastIndex: LogIndex }
	/** A leader heard of no quorum for an election timeout and stepped down (thesis §6.2). */
	| { readonly type: "quorum-lost"; readonly term: Term };

/**
 * Why a transfer that was begun did not succeed. `timeout`, `unreachable`, `behind`: the leader went on. `stepped-down`: it
 * lost its leadership otherwise. `other-leader`, `no-leader`: the target campaigned, and did not win.
 */
export type TransferFailure = "timeout" | "unreachable" | "behind" | "stepped-down" | "other-leader" | "no-leader";
