/** Leader election (§5.2, §5.4.1), pre-vote (thesis §9.6) and the check of the leader's quorum (thesis §6.2). */
import type { NodeId } from "../core/index.ts";
import { isConfigurationCommitted } from "./active-configuration.ts";
import { isVoter } from "./configuration.ts";
import { emit, type RaftCore } from "./core.ts";
import { sendDurable } from "./durability.ts";
import type { RequestVote, Vote } from "./messages.ts";
import { objectsTo, waitsForHigherPriority } from "./priority.ts";
import { isQuorum, outcomeOfVotes } from "./quorum.ts";
import { askRepairAnew } from "./repair.ts";
import {
	becomeCandidate,
	becomeFollower,
	becomeLeader,
	becomePreCandidate,
	setElectionTimer,
	setMinimumTimer,
} from "./roles.ts";
import { endTransfer } from "./transfer-end.ts";
import { isWithoutApplication } from "./witness.ts";

/**
 * The election timer fired. A follower that had heard its leader waits in two steps: after the minimum it may help
 * other candidates, after the rest of its own random wait it becomes one.
 */
export function handleElectionTimer(core: RaftCore): void {
	// Something in this same batch has set the timer anew; this is still the one before.
	if (core.electionTimerMs !== null) return;
	if (core.isQuiet) return;
	core.guardsLease = false;
	if (core.role === "leader") {
		checkQuorum(core);
		return;
	}
	if (core.leaderHeard) {
		core.leaderHeard = false;
		const { min, max } = core.config.electionTimeoutMs;
		core.electionTimerMs = { min: 0, max: max - min };
		return;
	}
	if (!mayCampaign(core) || waitsForHigherPriority(core)) {
		waitAsBystander(core);
		return;
	}
	if (!core.config.preVote) {
		becomeCandidate(core, false);
		return;
	}
	becomePreCandidate(core);
	countVotes(core);
}

/**
 * Only voters campaign, by the latest configuration; but while that is not known to be committed, those of the one before
 * do too: they may be the only ones who have it (thesis §4.2.2). Such a candidate does not count itself. Witnesses
 * never do, nor who is under repair.
 */
function mayCampaign(core: RaftCore): boolean {
	const { nodeId } = core.config;
	if (isWithoutApplication(core) || core.repair !== null) return false;
	if (isVoter(core.configuration, nodeId)) return true;
	return !isConfigurationCommitted(core) && isVoter(core.configurations.asOf(core.commitIndex).configuration, nodeId);
}

/** A learner, or a server that is no member (yet, or any more) or lets others go first, has not heard a leader: it helps whoever asks. */
function waitAsBystander(core: RaftCore): void {
	endTransfer(core, "no-leader");
	// Who is under repair can help nobody, and needs the leader of this term, be it silent.
	if (core.repair !== null) askRepairAnew(core);
	else becomeFollower(core, core.term, null);
	setElectionTimer(core);
}

/** A leader that has not heard of a quorum for a whole election timeout steps down. */
function checkQuorum(core: RaftCore): void {
	const { configuration, progress, config } = core;
	const isHeard = isQuorum(
		configuration,
		(voter) => voter === config.nodeId || progress.get(voter)?.recentlyActive === true,
	);
	for (const peer of progress.values()) {
		peer.activeBefore = peer.recentlyActive;
		peer.recentlyActive = false;
	}
	if (isHeard) {
		setMinimumTimer(core);
		return;
	}
	emit(core, { type: "quorum-lost", term: core.term });
	becomeFollower(core, core.term, null);
}

/**
 * Whether a candidate's wish for a later term is ignored altogether, so that a server that lost touch, or was removed, can
 * not depose a leader that the others hear (thesis §4.2.3, §6.2). One that the leader itself wants is heard (§3.10).
 */
export function ignoresCandidate(core: RaftCore, { transfer }: RequestVote): boolean {
	if (transfer) return false;
	if (core.guardsLease) return true;
	return core.role === "leader" || (core.leader !== null && core.leaderHeard);
}

/**
 * A candidate asks for a vote; its term is not smaller than ours, and for a real vote it is ours. Whether it or this server
 * is a voter is not asked: the configuration in which that is so may not have arrived here yet (thesis §4.2.2; etcd#10998).
 */
export function handleRequestVote(core: RaftCore, from: NodeId, message: RequestVote): void {
	if (core.guardsLease && !message.transfer) return;
	const isEligible = mayVoteFor(core, from, message) && isUpToDate(core, message);
	const granted = isEligible && core.repair === null && !objectsTo(core, from, message);
	const { preVote } = message;
	if (granted && !preVote && core.votedFor === null) {
		core.votedFor = from;
		core.hardStateUnsaved = true;
	}
	// Who helps a candidate gives it the time to win (§5.2).
	if (granted && !preVote) setElectionTimer(core);
	sendDurable(core, from, { type: "vote", term: granted ? message.term : core.term, granted, preVote });
}

/** At most one vote per term, first come first served (§5.2); a pre-vote is granted if the vote would be. */
function mayVoteFor(core: RaftCore, from: NodeId, { term, preVote }: RequestVote): boolean {
	if (preVote && term > core.term) return true;
	return core.votedFor === from || (core.votedFor === null && core.leader === null);
}

/** The candidate's log is at least as up to date as ours: later last term, or the same and not shorter (§5.4.1). */
function isUpToDate(core: RaftCore, { lastIndex, lastTerm }: RequestVote): boolean {
	if (lastTerm !== core.log.lastTerm) return lastTerm > core.log.lastTerm;
	return lastIndex >= core.log.lastIndex;
}

/** An answer to a campaign, of this term (of the next, if it grants a pre-vote). */
export function handleVote(core: RaftCore, from: NodeId, { granted, preVote }: Vote): void {
	if (core.role !== (preVote ? "pre-candidate" : "candidate")) return;
	if (!isVoter(core.configuration, from)) return;
	if (!core.votes.has(from)) core.votes.set(from, granted);
	countVotes(core);
}

/** One's own vote is durable and counts. */
export function handleOwnVoteDurable(core: RaftCore): void {
	if (core.role !== "candidate" || core.votes.has(core.config.nodeId)) return;
	core.votes.set(core.config.nodeId, true);
	countVotes(core);
}

function countVotes(core: RaftCore): void {
	const outcome = outcomeOfVotes(core.configuration, core.votes);
	if (outcome === "won" && core.role === "pre-candidate") becomeCandidate(core, false);
	else if (outcome === "won") becomeLeader(core);
	else if (outcome === "lost") becomeFollower(core, core.term, null);
}
