/**
 * Raft: a replicated log for groups whose members may crash, restart and lose touch, but do not lie.
 *
 * Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (USENIX ATC 2014; § without more
 * means its extended version), and Ongaro's thesis (Stanford 2014; "thesis §"). Conflict hints as in etcd.
 *
 * {@link RaftMachine} is the pure part: elections with pre-vote and check-quorum, replication with pipelining, commit,
 * snapshots in both directions, linearizable reads (by read-index, at followers, by lease), membership changes (one server
 * at a time or by joint consensus) with learners and witnesses, leadership transfer, priorities, proposals forwarded by
 * followers, repair of a damaged log. {@link RaftApplier} is the application side with
 * exactly-once sessions. A host of `actors/participant`, the simulator or a test joins the two and performs effects.
 *
 * The network may drop, delay, duplicate and reorder. Safety needs no timing, save where `lease` of the config turns reads by
 * lease on; progress needs messages to pass within
 * an election timeout. A member that lost its disk must come back as a new member.
 *
 * Not here: protection against members that lie: that is `protocols/pbft`.
 */
export {
	type ApplierSnapshot,
	type ByteApplication,
	type RaftAnswer,
	RaftApplier,
	type RequestAnswer,
} from "./applier.ts";
export type {
	MembershipChange,
	MembershipRefusal,
	MembershipTransition,
	TransferRefusal,
} from "./change-requests.ts";
export {
	ENTRY_OVERHEAD_BYTES,
	FORWARDED_PROPOSALS_MAX,
	RAFT_LEARNERS_MAX,
	RAFT_VOTERS_MAX,
	type RaftConfig,
	raftConfig,
	validateRaftConfig,
} from "./config.ts";
export { configurationOf, isJoint, isVoter, isWitness, membersOf, votersOf } from "./configuration.ts";
export { decodeConfiguration, encodeConfiguration } from "./configuration-codec.ts";
export type { RaftRole } from "./core.ts";
export type { Configuration, Entry, HardState, LogIndex, RaftSnapshot, SessionId, Term } from "./entry.ts";
export { configContradiction, configInvalid } from "./errors.ts";
export type { RaftEvent, TransferFailure } from "./events.ts";
export { RaftMachine } from "./machine.ts";
export {
	type AppendEntries,
	type AppendResponse,
	entryFields,
	type ForwardedProposals,
	type ForwardRefusal,
	type ForwardResponse,
	type InstallSnapshot,
	type RaftMessage,
	type ReadIndexRequest,
	type ReadIndexResponse,
	type RepairRequest,
	type RepairResponse,
	type RequestVote,
	raftLayouts,
	type SnapshotRequest,
	type SnapshotResponse,
	type TimeoutNow,
	type Vote,
} from "./messages.ts";
export { ANY_STALENESS_MS } from "./read-level.ts";
export {
	type AppliedResult,
	defaultSessionLimits,
	type SessionLimits,
	SessionTable,
	type SessionTableSnapshot,
	type SessionVerdict,
} from "./sessions.ts";
export type { PeerStatus, RaftStatus } from "./status.ts";
export type { LogReader, RaftView } from "./view.ts";
export type {
	RaftDelivery,
	RaftDurable,
	RaftRead,
	RaftReadResult,
	RaftRefusal,
	RaftReply,
	RaftRequest,
	RaftTimer,
	RaftTypes,
	RaftWrite,
	ReadLevel,
} from "./vocabulary.ts";
