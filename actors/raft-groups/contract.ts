/** What a host of many groups is to its user. Types only. */
import type { NodeId } from "../../protocols/core/index.ts";
import type { RaftTuning } from "../participant/index.ts";
import type { ApplicationSource, StorageOptions, SwarmBackend } from "../swarm/index.ts";

/** Most members of all groups together: each has a store of its own, and so many may be open. */
export const GROUP_MEMBERS_MAX = 1_024;
/**
 * Heartbeats and answers that all groups together send in a second while none is silent, by the default of `heartbeatMs`. Members of
 * hundreds of groups share a few threads: a heartbeat each 50 ms of each group would leave them no time for anything else, and who
 * is late is voted out. (TiKV's stores give a heartbeat each 2 s for the same reason.)
 */
export const HEARTBEAT_MESSAGES_PER_SECOND_MAX = 4_000;
/** Heartbeats without work after which a group falls silent, unless `config` says otherwise. */
export const QUIESCE_AFTER_HEARTBEATS_DEFAULT = 10;

export interface RaftGroupsOptions {
	/**
	 * How many groups (named `group-1`, `group-2`, …) or their names, each a group of its own with its own leader, log and
	 * state. Groups times nodes is at most {@link GROUP_MEMBERS_MAX}.
	 */
	readonly groups: number | readonly string[];
	/** How many nodes (1 to 61, named `node-1`, `node-2`, …) or their names; default 3. Each is a thread, with a member of every group. */
	readonly nodes?: number | readonly string[];
	/** What each group replicates, in an instance of its own; default the key-value store. */
	readonly application?: ApplicationSource;
	/**
	 * Timing and limits of every group. Default: Raft's own, but that groups without work fall silent after
	 * {@link QUIESCE_AFTER_HEARTBEATS_DEFAULT} heartbeats, unless there are leases or a `handoverPriorityGap`, which forbid it; and that
	 * timers grow with the number of groups as {@link HEARTBEAT_MESSAGES_PER_SECOND_MAX} says: of 3 nodes, `heartbeatMs` is 50 up to 50
	 * groups, then a millisecond for each group, and `electionTimeoutMs` 3 to 6 times that.
	 */
	readonly config?: RaftTuning;
	/** As for a swarm: one storage thread, and one flush, for all groups. Default in memory. */
	readonly storage?: StorageOptions;
	/** Seeds every draw. A safe integer; default: from the system's entropy. */
	readonly seed?: number;
	/** Threads kept started ahead of need; 0 to 2, default 1. */
	readonly warmSpares?: number;
	/** How long the start waits until each group has a leader; milliseconds, default 10,000. */
	readonly startTimeoutMs?: number;
	/** Default: worker threads. A simulation injects its own. */
	readonly backend?: SwarmBackend;
}

/** One event of a group, a node or the supervision tree. */
export interface GroupsEvent {
	/** Milliseconds on the system's clock, 0 at its start. */
	readonly atMs: number;
	/** The group concerned, if it is about one. */
	readonly group: string | null;
	/** The node concerned, if it is about one. */
	readonly node: NodeId | null;
	/** What was told: of Raft (`role-changed`, …), of threads (`thread-ended`, …), of supervision (`child-failed`, …). */
	readonly event: { readonly type: string };
}
