/** What a Raft machine tells its observers: data for event streams, metrics and the invariants of the tests. */
import type { NodeId } from "../core/index.ts";
import type { LogIndex, Term } from "./entry.ts";

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
	/** A snapshot taken by this participant lets its log start later. */
	| { readonly type: "log-compacted"; readonly throughIndex: LogIndex }
	/** A snapshot received from the leader replaced this participant's state. */
	| { readonly type: "snapshot-installed"; readonly lastIndex: LogIndex; readonly lastTerm: Term }
	/** This leader starts sending a snapshot to a peer whose next entry is compacted. */
	| { readonly type: "snapshot-send-started"; readonly to: NodeId; readonly lastIndex: LogIndex }
	/** A leader heard of no quorum for an election timeout and stepped down (thesis §6.2). */
	| { readonly type: "quorum-lost"; readonly term: Term };
