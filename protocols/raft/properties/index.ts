/**
 * `protocols/raft/properties`: what must be true of a Raft group, as data (`Property` of `protocols/verification`).
 *
 * Source: Figure 3 of the extended Raft paper, the sections behind it, and what they imply; each property cites its
 * place.
 *
 * Place: beside the machine, which does not know them. Model checker, simulator, tests and monitors in production watch
 * the same list, each those whose depth it sees. Every property is judged by itself and may lean on the others: by log
 * matching an index and a term name everything before them, so watchers remember ends and digests, not logs.
 *
 * Not here: what clients see (linearizability, results of commands), which history checkers judge.
 */
import type { Property } from "../../verification/index.ts";
import { commitRule } from "./commit-rule.ts";
import { committedAgreement } from "./committed-agreement.ts";
import { committedOnQuorum } from "./committed-on-quorum.ts";
import { deliveryOrder } from "./delivery-order.ts";
import { durableEntriesBeforeSent, durableTermBeforeSent, durableVoteBeforeSent } from "./durable-before-sent.ts";
import { durableCounted } from "./durable-counted.ts";
import { durableVote } from "./durable-vote.ts";
import { electionSafety } from "./election-safety.ts";
import { exactlyOnce } from "./exactly-once.ts";
import {
	chunkSentAgain,
	groupSilent,
	proposalForwarded,
	readAtFollower,
	readByLease,
	snapshotReplacedTail,
	staleRead,
} from "./feature-witnesses.ts";
import { indexOrder } from "./index-order.ts";
import { leaderAppendOnly } from "./leader-append-only.ts";
import { leaderCompleteness } from "./leader-completeness.ts";
import { logMatching } from "./log-matching.ts";
import { consecutiveQuorumsIntersect, oneChangeAtATime } from "./membership-safety.ts";
import { monotoneApplied, monotoneCommit } from "./monotone-index.ts";
import { monotoneTerm } from "./monotone-term.ts";
import type { RaftObservation } from "./observation.ts";
import { leaderExists, replicasEqual } from "./recovery.ts";
import { entryFetchedAgain, snapshotFetchedAgain, snapshotTakenAgain } from "./repair-witnesses.ts";
import { snapshotMatchesLog } from "./snapshot-log.ts";
import { stateMachineSafety } from "./state-machine-safety.ts";
import { witnessRole } from "./witness-role.ts";
import {
	conflictCut,
	earlierTermCommitted,
	leaderElected,
	leaderReplaced,
	logCompacted,
	quorumLost,
	readAnswered,
	snapshotInstalled,
} from "./witnesses.ts";

export type { RaftObservation } from "./observation.ts";

/** Every property of a Raft group: those of Figure 3 first, then what they need and imply, witnesses and recovery. */
export const raftProperties: readonly Property<RaftObservation>[] = [
	electionSafety,
	leaderAppendOnly,
	logMatching,
	leaderCompleteness,
	stateMachineSafety,
	committedAgreement,
	committedOnQuorum,
	commitRule,
	monotoneTerm,
	monotoneCommit,
	monotoneApplied,
	indexOrder,
	snapshotMatchesLog,
	deliveryOrder,
	exactlyOnce,
	oneChangeAtATime,
	consecutiveQuorumsIntersect,
	durableVote,
	durableCounted,
	durableTermBeforeSent,
	durableVoteBeforeSent,
	durableEntriesBeforeSent,
	witnessRole,
	leaderElected,
	leaderReplaced,
	conflictCut,
	earlierTermCommitted,
	snapshotInstalled,
	logCompacted,
	quorumLost,
	readAnswered,
	readByLease,
	readAtFollower,
	staleRead,
	proposalForwarded,
	groupSilent,
	snapshotReplacedTail,
	chunkSentAgain,
	entryFetchedAgain,
	snapshotFetchedAgain,
	snapshotTakenAgain,
	leaderExists,
	replicasEqual,
];
