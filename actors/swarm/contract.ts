/** What a swarm is to its user: how it is started, what it tells, what it is asked. Types only. */
import type { ErrorObject, GroupId, NodeId } from "../../protocols/core/index.ts";
import type { PeerStatus, RaftEvent, RaftRole } from "../../protocols/raft/index.ts";
import type { DeadLetter, ThreadEnd } from "../../runtime/actor/index.ts";
import type { MetricsSnapshot } from "../../runtime/telemetry/index.ts";
import type { ChildSpec, SupervisionEvent, ThreadSupervisionEvent } from "../../supervisors/index.ts";
import type { RaftTuning, RESULT_BYTES_MAX } from "../participant/index.ts";
import type { SwarmBackend } from "./backend.ts";
import type { PropertyAlert } from "./monitors.ts";

/** The replicated application by module and export; see `Application` of `quorate/protocols/core`. */
export interface ApplicationSource {
	/** A file URL of JavaScript, such as `new URL("./ledger.js", import.meta.url)`, or its href. */
	readonly module: URL | string;
	/** A class whose constructor takes {@link ApplicationSource.args}. */
	readonly export: string;
	/** Cloneable. */
	readonly args?: unknown;
	/**
	 * Names what commands and snapshots look like; 1 to 64 characters. A data directory is bound to the export and this: choose
	 * another one when what is written down can not be read any more. Default none.
	 */
	readonly version?: string;
}

/** One Raft group. */
export interface RaftOptions {
	/**
	 * How many members (1 to {@link NODES_MAX}, named `node-1`, `node-2`, …) or their names. An even count works, but
	 * tolerates no more failures than one member less: a note says so.
	 */
	readonly nodes: number | readonly string[];
	/** Default: the key-value store of `actors/swarm/key-value.ts`. */
	readonly application?: ApplicationSource;
	/**
	 * Timing, limits and roles; what is not given keeps Raft's default. `witnesses` names members that vote and keep no commands
	 * (fewer than a majority), `commitZones` and `priorities` give members a place and a rank.
	 */
	readonly config?: RaftTuning;
	/** Names the group; default `raft`. */
	readonly group?: string;
}

/**
 * Where durable state lives. `memory` (the default) survives the death of any participant's thread, not of the process.
 * `lmdb` flushes to the disk before anything is acknowledged; with a `directory`, the next start continues from there,
 * without one it uses a fresh temporary directory, removed by {@link Swarm.stop}.
 */
export type StorageOptions =
	| { readonly type: "memory" }
	/** `directory`: a path or a file URL. */
	| { readonly type: "lmdb"; readonly directory?: string | URL };

export interface SwarmOptions {
	readonly raft?: RaftOptions;
	readonly storage?: StorageOptions;
	/** Seeds every draw (election timeouts, backoff). A safe integer; default: from the system's entropy. */
	readonly seed?: number;
	/** Actors of yours, started last and stopped first, under a one-for-one supervisor of their own. */
	readonly actors?: readonly ChildSpec[];
	/** Threads kept started ahead of need, so that a killed participant is back sooner; 0 to 2, default 1. */
	readonly warmSpares?: number;
	/**
	 * How long {@link Swarm.start} waits for a leader, from its beginning on; milliseconds, default 10,000. It cuts nothing else
	 * short: threads, storage and actors take what they need to start, and a leader that they have by then is taken.
	 */
	readonly startTimeoutMs?: number;
	/**
	 * Whether properties of the group are watched while it runs (election safety, terms that never go back), and an event
	 * `property-violated` is told when one does not hold. Default true; it costs nothing on the way of a command.
	 */
	readonly monitors?: boolean;
	/** Default: worker threads. A simulation injects its own. */
	readonly backend?: SwarmBackend;
}

/** Most members of a group: threads are 64, less main, storage and one for users' actors. */
export const NODES_MAX = 61;

/** One member as it is now. */
export interface NodeStatus {
	readonly node: NodeId;
	/**
	 * `down` while its thread is dead, starting or not answering; the figures are then the last ones heard. `refused`: what it
	 * durably held is gone, so it may not take part under this name any more; remove it, and add a member under another one.
	 */
	readonly state: "running" | "down" | "refused";
	readonly role: RaftRole;
	readonly term: number;
	readonly leader: NodeId | null;
	readonly commitIndex: number;
	readonly appliedIndex: number;
	readonly firstIndex: number;
	readonly lastIndex: number;
	/** The last index that the present snapshot covers; 0 without one. */
	readonly snapshotIndex: number;
	/** It keeps no commands, so it applies nothing and can not be inspected: a witness, or one that waits for a snapshot to become whole. */
	readonly isWithoutState: boolean;
	/** Threads that have carried this member, the present one included. */
	readonly threadLives: number;
	/** How often its actor has been built anew. */
	readonly restarts: number;
}

/** The members of the group as their leader sees them, and how far each is. */
export interface MembershipView {
	readonly leader: NodeId;
	/** Those who vote (in a joint configuration: who will be left to vote). */
	readonly voters: readonly NodeId[];
	/** While a change of several voters is under way: those who voted before, and still do. Else empty. */
	readonly outgoing: readonly NodeId[];
	/** Those who follow and do not vote. */
	readonly learners: readonly NodeId[];
	/** False while a change is being decided. */
	readonly isCommitted: boolean;
	/** Everybody but the leader: how far behind, and why. */
	readonly peers: readonly PeerStatus[];
}

/** Settings of a change of members or leader. */
export interface ChangeOptions {
	/** How long it is tried; milliseconds, default 30,000. */
	readonly timeoutMs?: number;
}

/** Settings of {@link Swarm.addMember}. */
export interface AddMemberOptions extends ChangeOptions {
	/** `learner`: it follows and never votes. Default `voter`: a learner until it has caught up, then a voter. */
	readonly as?: "voter" | "learner";
}

/** Who leads, as far as this process has heard. */
export interface Leadership {
	readonly leader: NodeId;
	readonly term: number;
}

/** Where an event comes from and when it was heard. */
export interface EventStamp {
	/** Milliseconds on the system's clock, 0 at its start. */
	readonly atMs: number;
	/** The actor, supervisor or thread it happened to, such as `raft/node-1` or `storage`. */
	readonly origin: string;
	/** The member concerned, if it is about one. */
	readonly node: NodeId | null;
}

/** What can happen in a swarm. */
export type SwarmHappening =
	/** Of a member's protocol. Commits are counted (`metrics$`), not told. */
	| (Exclude<RaftEvent, { readonly type: "commit-advanced" }> & { readonly group: GroupId })
	/** A participant could not be started or stopped as the members changed. */
	| { readonly type: "member-failed"; readonly error: ErrorObject }
	/** A member came back without what it durably held (`member-state-lost`): see {@link NodeStatus.state}. */
	| { readonly type: "member-refused"; readonly error: ErrorObject }
	/** A member's actor runs (again) and has taken up what was durable. */
	| { readonly type: "participant-started"; readonly group: GroupId; readonly restarts: number }
	| { readonly type: "thread-started"; readonly lives: number }
	| { readonly type: "thread-ended"; readonly end: ThreadEnd }
	| SupervisionEvent
	| ThreadSupervisionEvent
	/** A message that nobody handled, and why. */
	| ({ readonly type: "dead-letter" } & DeadLetter)
	/** The storage can promise nothing more; `swarm-failed` follows. */
	| { readonly type: "storage-failed"; readonly error: ErrorObject }
	/** What one of your own actors has published (`origin` and `event.publisher` are its name), or the runtime about something rare (a late failure, an observer that threw). */
	| { readonly type: "published"; readonly event: { readonly type: string } }
	/**
	 * A property of the group does not hold any more: agreement can not be relied upon. Told once for each property, unless
	 * {@link SwarmOptions.monitors} is false.
	 */
	| PropertyAlert
	/** The last event: nothing can be decided any more. See `Swarm.failed`. */
	| { readonly type: "swarm-failed"; readonly error: ErrorObject };

/** What {@link Swarm.events$} tells. */
export type SwarmEvent = EventStamp & SwarmHappening;

/** One reading of all members, for dashboards and tuning. */
export interface SwarmMetrics {
	readonly atMs: number;
	readonly nodes: readonly NodeStatus[];
	/** Counters, gauges and histograms of all threads, over all their lives; null on a backend that keeps none. */
	readonly measured: MetricsSnapshot | null;
}

/** Settings of one client. */
export interface ClientOptions {
	/** Commands that may be outstanding; more wait for a place. 1 to 1,024, default 64. */
	readonly window?: number;
	/** How long a command or a read is tried before it rejects; milliseconds, default 10,000. */
	readonly timeoutMs?: number;
}

/** How one read is answered. */
export interface ReadOptions {
	/**
	 * - `linearizable`: the leader asks a quorum for each round of reads, also where the group has leases;
	 * - `lease`: linearizable while clocks keep to `lease` of Raft's config, in most cases without asking anybody;
	 * - `follower`: linearizable, answered by any member from its own state, after one question to the leader for all reads
	 *   that it has gathered: for readers near a follower, or to spare the leader;
	 * - `stale`: a member answers at once from its own state if that is fresh enough, and else asks as `follower` does.
	 *
	 * Default: linearizable, by lease if the group has leases.
	 */
	readonly level?: "linearizable" | "lease" | "follower" | "stale";
	/**
	 * Of `stale`: the answer has everything that was decided so many milliseconds before it left its member, by that member's
	 * clock. An integer from 0; default: no bound, so that an answer may be as old as the member has been cut off.
	 */
	readonly maxStalenessMs?: number;
	/** The member that is asked first; default the leader, for `follower` and `stale` any. */
	readonly at?: NodeId;
}

/** A command's result and its place in the group's order. */
export interface Committed<Result = unknown> {
	readonly result: Result;
	/** Its index in the replicated log. */
	readonly index: number;
}

/**
 * A client with a session of its own: each command takes effect exactly once, whatever dies meanwhile. Commands of one
 * client may be outstanding together and are then decided in any order.
 */
export interface SwarmClient {
	/**
	 * Replicates a command and resolves with what the application returned.
	 * @throws QuorateError `value-not-encodable`, `value-too-large` or `client-overloaded` before anything is sent;
	 *   `outcome-unknown` when no answer came in time, the swarm ended meanwhile (see `cause`), or the group has forgotten this
	 *   client's session (it may yet be decided, once); `not-decided` when it certainly has no effect; `result-forgotten`;
	 *   `result-too-large` (over {@link RESULT_BYTES_MAX}; the command was applied); `client-closed`, `swarm-stopped`,
	 *   `swarm-failed` when nothing was sent
	 */
	propose<Result = unknown>(command: unknown): Promise<Result>;
	/** The same, with the command's place in the order. */
	commit<Result = unknown>(command: unknown): Promise<Committed<Result>>;
	/**
	 * A read, by default linearizable: it sees every command that was acknowledged before it began. {@link ReadOptions} says what
	 * else there is.
	 * @throws QuorateError `option-unknown`, `invalid-argument`, `lease-off`; `query-failed` when the application throws at it; `value-not-encodable`, `value-too-large`,
	 *   `client-overloaded`; `result-too-large`; `not-decided` when no answer came in time; `client-closed`, `swarm-stopped`,
	 *   `swarm-failed`
	 */
	read<Answer = unknown>(query: unknown, options?: ReadOptions): Promise<Answer>;
	/** Refuses further commands; outstanding ones reject as `outcome-unknown`. */
	close(): void;
}
