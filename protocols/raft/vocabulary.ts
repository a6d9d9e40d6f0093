/**
 * Raft's bundle of types for the contract of `protocols/core`: what enters and leaves a Raft machine beside its
 * messages. The nouns are in `entry.ts`, message types and their layouts in `messages.ts`.
 */
import type { NodeId, ProtocolTypes, RequestId } from "../core/index.ts";
import type { MembershipChange, MembershipRefusal, MembershipTransition, TransferRefusal } from "./change-requests.ts";
import type { Configuration, Entry, HardState, LogIndex, RaftSnapshot, SessionId, Term } from "./entry.ts";
import type { RaftEvent, TransferFailure } from "./events.ts";
import type { RaftMessage } from "./messages.ts";

/**
 * The content of one persist, performed in the order of the fields, atomically.
 */
export interface RaftWrite {
	readonly hardState?: HardState;
	/** Remove the entries from this index on. */
	readonly truncateFrom?: LogIndex;
	/** Append entries; `firstIndex` continues the log exactly. */
	readonly append?: { readonly firstIndex: LogIndex; readonly entries: readonly Entry[] };
	/**
	 * A chunk of a snapshot that is being received. One at offset 0 begins anew and drops every chunk received before;
	 * any other continues exactly. A restart drops them all.
	 */
	readonly snapshotChunk?: {
		readonly lastIndex: LogIndex;
		readonly lastTerm: Term;
		readonly offset: number;
		readonly data: Uint8Array;
	};
	/** The received snapshot is complete and replaces the present one; the log is dropped as `truncateFrom` and `compactThrough` say. */
	readonly installSnapshot?: RaftSnapshot;
	/**
	 * Remove the entries up to and including this index: a durable snapshot covers them. It may lie beyond the last
	 * entry; the log is then empty and continues behind it.
	 */
	readonly compactThrough?: LogIndex;
}

/** A part of the present durable snapshot, for sending it to a peer. */
export interface RaftRead {
	readonly lastIndex: LogIndex;
	readonly offset: number;
	readonly lengthBytes: number;
}
/**
 * The bytes asked for (fewer only at the end), or `missing` if that snapshot has been replaced since, or `damaged` if it is
 * there and can not be read.
 */
export type RaftReadResult =
	| { readonly type: "chunk"; readonly lastIndex: LogIndex; readonly offset: number; readonly data: Uint8Array }
	| { readonly type: "missing" | "damaged"; readonly lastIndex: LogIndex };

/** What a local client may ask. */
export type RaftRequest =
	/** Replicate a command. Outside any session (`session` and `serial` 0) a retry may apply twice. */
	| {
			readonly type: "propose";
			readonly session: SessionId;
			readonly serial: number;
			readonly firstIncomplete: number;
			readonly data: Uint8Array;
	  }
	/** Open a client session. */
	| { readonly type: "open-session" }
	/** A linearizable read by read-index (thesis §6.4); see `followerReads` of the config for who answers it. */
	| { readonly type: "read"; readonly query: Uint8Array }
	/** A read that says how it is to be answered; see {@link ReadLevel}. `maxStalenessMs` is of `stale` alone, else 0. */
	| {
			readonly type: "read-at";
			readonly level: ReadLevel;
			readonly maxStalenessMs: number;
			readonly query: Uint8Array;
	  }
	/** Of the host, no client: the application is further behind than `maxUnappliedEntries`, or no more. It is not answered. */
	| { readonly type: "application-behind"; readonly isBehind: boolean }
	/** Change the members (§6). Answered when the change is done, with the configuration that it has led to. */
	| {
			readonly type: "change-membership";
			readonly change: MembershipChange;
			readonly transition: MembershipTransition;
	  }
	/** Leave a joint configuration that was entered as `joint-explicit`. */
	| { readonly type: "leave-joint" }
	/** The leader is gone, as the asker knows by other means: this follower trusts it no longer and helps who campaigns. */
	| { readonly type: "forget-leader" }
	/** This follower's state is wrong: replace it by a snapshot of the leader's (`snapshot-request.ts`). */
	| { readonly type: "request-snapshot" }
	/** Hand leadership over to a voter, or (null) to the one that is best suited (thesis §3.10). */
	| { readonly type: "transfer-leadership"; readonly to: NodeId | null };

/**
 * How a read is answered.
 *
 * - `index`: linearizable, by a leader that a quorum confirms after the read came, also where leases would do without.
 * - `lease`: linearizable as long as clocks keep to `lease` of the config, at once while the leader has a lease and else by a
 *   round; refused with `lease-off` where the config has none.
 * - `follower`: linearizable, by any member that has an application, whatever `followerReads` says: it asks the leader for a
 *   read index.
 * - `stale`: any member answers at once from what it has applied, if that has everything that was decided `maxStalenessMs` ago;
 *   by its own clock, from when it last asked a leader. If it can not vouch for that it asks, as at `follower`. From
 *   `Number.MAX_SAFE_INTEGER` on it answers whatever it has. Within one life of a member what was seen once
 *   is not unseen.
 */
export type ReadLevel = "index" | "lease" | "follower" | "stale";

/** Why a request was refused; a refused request certainly has no effect. */
export type RaftRefusal =
	| { readonly reason: "not-leader"; readonly leader: NodeId | null }
	| { readonly reason: "too-many-pending"; readonly limit: number }
	| { readonly reason: "too-large"; readonly sizeBytes: number; readonly limitBytes: number }
	/** This follower's leader gave no read index, or not all before it was heard of, for an election timeout; ask again. */
	| { readonly reason: "read-index-timeout"; readonly leader: NodeId | null }
	/** With this command more than `maxUncommittedBytes` would wait for a quorum; ask again in a moment. */
	| { readonly reason: "too-many-uncommitted-bytes"; readonly limitBytes: number }
	/** So many proposals of this follower wait at its leader (`maxForwardedProposals`); ask again in a moment. */
	| { readonly reason: "too-many-forwarded"; readonly limit: number }
	/** With this command more than `maxForwardedBytes` would be on their way to the leader; ask again in a moment. */
	| { readonly reason: "too-many-forwarded-bytes"; readonly limitBytes: number }
	/** The leader's application has this many decided entries to catch up with; ask again in a moment. */
	| { readonly reason: "application-behind"; readonly limitEntries: number }
	/** A read by lease where the config has no leases. */
	| { readonly reason: "lease-off" }
	/** With leases nobody forgets a leader before time; see `lease` of the config. */
	| { readonly reason: "leader-has-lease" }
	/** The leader is handing over; ask again in a moment, perhaps of `to`. */
	| { readonly reason: "transfer-in-progress"; readonly to: NodeId }
	| MembershipRefusal
	| TransferRefusal;

/**
 * What the machine itself answers. The results of commands, sessions and reads are the application's, so the host
 * answers those requests when it has performed the {@link RaftDelivery} that names them.
 */
export type RaftReply =
	| ({ readonly type: "refused" } & RaftRefusal)
	/**
	 * The leader stepped down before the outcome was known: the command may yet be decided, once. Of a forwarded one also:
	 * this follower has lost its leader, was not answered by it in time, or has been given a snapshot instead of its entry.
	 */
	| { readonly type: "outcome-unknown"; readonly leader: NodeId | null }
	/** The follower has no leader now; `leader` is whom it had. */
	| { readonly type: "leader-forgotten"; readonly leader: NodeId | null }
	/** The application has been handed the leader's snapshot through `lastIndex`. */
	| { readonly type: "snapshot-restored"; readonly lastIndex: LogIndex }
	/** The transfer is done: its target leads `term`. */
	| { readonly type: "leadership-transferred"; readonly leader: NodeId; readonly term: Term }
	| { readonly type: "transfer-given-up"; readonly to: NodeId; readonly failure: TransferFailure };

/** What the application side of the host performs, strictly in order. */
export type RaftDelivery =
	/** Apply decided entries; `requestIds[i]`, where not null, is the local request that waits for `entries[i]`. */
	| {
			readonly type: "entries";
			readonly firstIndex: LogIndex;
			readonly entries: readonly Entry[];
			/** Null when no local request waits for any of them. */
			readonly requestIds: readonly (RequestId | null)[] | null;
	  }
	/** Answer a read from the state as it is now. */
	| { readonly type: "query"; readonly requestId: RequestId; readonly query: Uint8Array }
	/**
	 * Take a snapshot of the state as it is now, make it durable, report `snapshot-ready`. The state is to be captured
	 * at once; making it durable may take its time. It never replaces a durable snapshot with a larger `lastIndex`
	 * (one may be installed meanwhile): then drop it, with or without reporting.
	 */
	| {
			readonly type: "take-snapshot";
			readonly lastIndex: LogIndex;
			readonly lastTerm: Term;
			readonly configuration: Configuration;
	  }
	/** Load the durable snapshot, replacing the application's state; later deliveries wait for it. */
	| { readonly type: "restore-snapshot"; readonly snapshot: RaftSnapshot };

/** What a restart gets. A first boot has term 0, no vote, no snapshot, no entries. */
export interface RaftDurable {
	readonly hardState: HardState;
	readonly snapshot: RaftSnapshot | null;
	/** The index of `entries[0]`; 1 when nothing was compacted. */
	readonly firstIndex: LogIndex;
	readonly entries: readonly Entry[];
	/**
	 * The store can not read the log from this index on, or can not tell whether it ever had something there: `entries` ends
	 * before it. 1 if not even the description of the snapshot can be read, which is then null, as is all of the log. What a
	 * store knows to be covered by its snapshot, or never to have reported as durable, it just leaves out. A hard state that
	 * can not be read is no start at all.
	 */
	readonly damagedFrom?: LogIndex;
	/** Of the snapshot only what it describes can be read, not its bytes: there is no state to load. */
	readonly isSnapshotDamaged?: true;
}

/**
 * The timers of a Raft machine: one for elections and check-quorum, one for heartbeats, one that bounds a transfer, one for
 * a follower's questions for a read index, one for what it has forwarded.
 */
export type RaftTimer = "election" | "heartbeat" | "transfer" | "read" | "forward";

export interface RaftTypes extends ProtocolTypes {
	readonly message: RaftMessage;
	readonly request: RaftRequest;
	readonly reply: RaftReply;
	readonly timer: RaftTimer;
	readonly write: RaftWrite;
	readonly read: RaftRead;
	readonly readResult: RaftReadResult;
	readonly delivery: RaftDelivery;
	readonly snapshot: RaftSnapshot;
	readonly event: RaftEvent;
	readonly durable: RaftDurable;
}
