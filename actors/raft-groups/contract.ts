/** What many groups in one process are to their user: how they are started, what they tell, what each is asked. Types only. */
import type { Observable } from "rxjs";
import type { ErrorObject, GroupId, QuorateError } from "../../protocols/core/index.ts";
import type { RaftTuning } from "../participant/index.ts";
import type {
	ApplicationSource,
	ChangeOptions,
	ClientOptions,
	EventStamp,
	Leadership,
	MembershipView,
	NodeStatus,
	ReadOptions,
	StorageOptions,
	SwarmBackend,
	SwarmClient,
	SwarmEvent,
} from "../swarm/index.ts";

/**
 * Most groups of one {@link RaftGroups}. What many cost is work that all have at once, just after a thread has ended: on two cores
 * with nothing else on them 600 groups had leaders again within a second and took a command each in a second and a half; on busy
 * ones some were refused after half a minute. There raise `electionTimeoutMs` and clients' `timeoutMs` with the number of groups.
 */
export const GROUPS_MAX = 1_000;
/** Most participants (groups times nodes): each has a store, and the storage opens no more (`STORES_OPEN_MAX`). */
export const GROUP_MEMBERS_MAX = 4_096;

/** Settings of {@link RaftGroups.start}. */
export interface RaftGroupsOptions {
	/**
	 * How many nodes (1 to `NODES_MAX`, named `node-1`, `node-2`, …) or their names. Each is one thread, and has one member of
	 * every group: all groups have the same members.
	 */
	readonly nodes: number | readonly string[];
	/** How many groups (1 to {@link GROUPS_MAX}, named `group-1`, `group-2`, …) or their names. */
	readonly groups: number | readonly string[];
	/** What each group replicates, a state of its own; default: the key-value store of `actors/swarm/key-value.ts`. */
	readonly application?: ApplicationSource;
	/**
	 * Timing and limits, the same for all groups. What is not given keeps Raft's default, but for {@link groupTuning}: idle groups
	 * fall silent, unless there are leases or a `handoverPriorityGap`, which forbid it. `priorities` given here replace those that spread the leaders.
	 */
	readonly config?: RaftTuning;
	/**
	 * Where durable state lives; one storage thread writes for all groups, so that one flush serves the writes that come together.
	 * A directory belongs to its nodes and application; the groups in it may be more at the next start.
	 */
	readonly storage?: StorageOptions;
	/** Seeds every draw. A safe integer; default: from the system's entropy. */
	readonly seed?: number;
	/** Threads kept started ahead of need; 0 to 2, default 1. */
	readonly warmSpares?: number;
	/** How long {@link RaftGroups.start} waits until every group has a leader; milliseconds, default 60,000. */
	readonly startTimeoutMs?: number;
	/** Default: worker threads. A simulation injects its own. */
	readonly backend?: SwarmBackend;
}

/**
 * What differs from Raft's defaults: a thread that has hundreds of members is slower to answer than one that has one, each
 * heartbeat is sent once for each group with work, and the death of a thread is told by who watches threads. A group falls silent
 * one to two seconds after its last command; then the end of its leader's thread costs it up to one second without a leader.
 */
export const groupTuning: Required<Pick<RaftTuning, "electionTimeoutMs" | "heartbeatMs" | "quiesceAfterHeartbeats">> = {
	electionTimeoutMs: { min: 1_000, max: 2_000 },
	heartbeatMs: 500,
	quiesceAfterHeartbeats: 1,
};

/** One group has failed alone; see {@link RaftGroup.failed}. */
export interface GroupFailed extends EventStamp {
	readonly type: "group-failed";
	readonly error: ErrorObject;
}

/** What {@link RaftGroups.events$} tells: as in a swarm, with the group it is about; null if it is about none, or all. */
export type RaftGroupsEvent = (SwarmEvent | GroupFailed) & { readonly group: GroupId | null };

/** One group: the handle that {@link RaftGroups.group} gives. Commands of its own client take effect exactly once. */
export interface RaftGroup {
	readonly name: GroupId;
	/** Who leads, as far as is known; null while nobody does. */
	readonly leader: Leadership | null;
	/** The present leadership and every change. */
	readonly leader$: Observable<Leadership | null>;
	/** The members as last heard of; see `Swarm.nodes`. */
	readonly nodes: readonly NodeStatus[];
	/**
	 * Resolves with the reason if this group fails alone: its members fail again and again, or one of its commands ends each thread
	 * that applies it (`group-failed`). Its members are stopped then; the other groups go on.
	 */
	readonly failed: Promise<QuorateError>;
	/** Through the group's own client; see {@link SwarmClient.propose}. */
	propose<Result = unknown>(command: unknown): Promise<Result>;
	/** Linearizable by default; see {@link SwarmClient.read}. */
	read<Answer = unknown>(query: unknown, options?: ReadOptions): Promise<Answer>;
	/** A client with a session of its own. @throws QuorateError `invalid-argument`, `group-failed`, `swarm-stopped`, `swarm-failed` */
	client(options?: ClientOptions): SwarmClient;
	/** Asks every member; one that does not answer within a second is `down`. */
	status(): Promise<readonly NodeStatus[]>;
	/** What one member's application answers by itself; see `Swarm.inspect`. */
	inspect<Answer = unknown>(node: string, query: unknown): Promise<Answer>;
	/** Who is behind and why, as the leader sees it. @throws QuorateError `no-leader`, `node-down`, `ask-timeout`, `actor-dead` */
	membership(): Promise<MembershipView>;
	/** Resolves when a leader is known. @throws QuorateError `no-leader` after `timeoutMs`, `group-failed`, `swarm-stopped` */
	untilLeader(timeoutMs: number): Promise<Leadership>;
	/** See `Swarm.transferLeadership`. @throws QuorateError `node-unknown`, `transfer-given-up`, `membership-not-done` */
	transferLeadership(to?: string, options?: ChangeOptions): Promise<Leadership>;
}
