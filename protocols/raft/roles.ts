/** The four roles and what changing them means (Figure 4, with the pre-candidate of thesis §9.6). */
import { assert, type NodeId } from "../core/index.ts";
import { followMembers } from "./active-configuration.ts";
import { votersOf } from "./configuration.ts";
import { emit, type RaftCore, type RaftRole, reply, setTimer } from "./core.ts";
import { deliverCommitted } from "./delivery.ts";
import { persist, sendDurable } from "./durability.ts";
import type { Entry, LogIndex, SessionId, Term } from "./entry.ts";
import { bytesBetween } from "./entry-size.ts";
import { settleForwards } from "./forwarding.ts";
import { indexAfter } from "./log.ts";
import type { RequestVote } from "./messages.ts";
import { beginHandovers } from "./priority.ts";
import { refuseReads } from "./read-index.ts";
import { appendOwn } from "./replication.ts";
import { refuseSnapshotRequest } from "./snapshot-request.ts";
import { endTransfer } from "./transfer-end.ts";

/** Follows `leader` (null: nobody known yet) in `term`, which is never a smaller one. */
export function becomeFollower(core: RaftCore, term: Term, leader: NodeId | null): void {
	assert(term >= core.term, "terms only grow", { term, current: core.term });
	if (core.role === "leader") endLeadership(core, leader);
	if (term > core.term) enterTerm(core, term, null);
	core.isQuiet = false;
	if (core.role !== "follower") setElectionTimer(core);
	setRole(core, "follower", leader);
}

/**
 * Asks whether a campaign could succeed, before it disturbs anyone with a new term (thesis §9.6). Nothing changes for
 * those who are asked, and one's own consent rests on nothing durable.
 */
export function becomePreCandidate(core: RaftCore): void {
	core.leaderHeard = false;
	core.hasCampaigned = true;
	core.receipt = null;
	core.votes = new Map([[core.config.nodeId, true]]);
	setRole(core, "pre-candidate", null);
	setElectionTimer(core);
	requestVotes(core, { preVote: true, transfer: false });
}

/**
 * Campaigns in the next term (§5.2). One's own vote counts when it is durable; see `votes`. `isTransfer`: because the
 * leader asked for it (thesis §3.10).
 */
export function becomeCandidate(core: RaftCore, isTransfer: boolean): void {
	enterTerm(core, (core.term + 1) as Term, core.config.nodeId);
	core.votes = new Map();
	core.hasCampaigned = true;
	setRole(core, "candidate", null);
	setElectionTimer(core);
	core.voteWriteId = persist(core, {});
	requestVotes(core, { preVote: false, transfer: isTransfer });
}

/** Leads the term (§5.2), and starts it with an entry of its own, so that it can learn what is committed (§8). */
export function becomeLeader(core: RaftCore): void {
	assert(core.role === "candidate" && core.votedFor === core.config.nodeId, "only a candidate becomes leader");
	const { log, config } = core;
	core.votes = new Map();
	core.progress = new Map();
	followMembers(core, log.lastIndex);
	core.round = 0;
	core.roundBegins = [];
	core.isLeaseOver = false;
	core.requestIds = [];
	core.requestsFrom = indexAfter(log.lastIndex, 1);
	core.pendingProposals = 0;
	core.uncommittedBytes = bytesBetween(log, core.commitIndex, log.lastIndex);
	setRole(core, "leader", config.nodeId);
	appendOwn(core, noOp(core.term), null);
	beginHandovers(core);
	setTimer(core, "heartbeat", config.heartbeatMs);
	setMinimumTimer(core);
}

/** Stops leading: what was promised to local clients is settled with what is known. */
function endLeadership(core: RaftCore, leader: NodeId | null): void {
	deliverCommitted(core);
	for (const requestId of core.requestIds) {
		if (requestId !== null) reply(core, requestId, { type: "outcome-unknown", leader });
	}
	refuseReads(core, leader);
	endChangeAndTransfer(core, leader);
	core.ledgers = new Map();
	core.requestIds = [];
	core.requestsFrom = 0 as typeof core.requestsFrom;
	core.pendingProposals = 0;
	core.uncommittedBytes = 0;
	core.progress = new Map();
	core.round = 0;
	core.roundBegins = [];
	core.isLeaseOver = false;
	core.out.push({ type: "cancel-timer", timer: "heartbeat" });
}

/** A change that is not done may yet be; a transfer that its target was told of may be what ends this leadership. */
function endChangeAndTransfer(core: RaftCore, leader: NodeId | null): void {
	if (core.changeRequestId !== null) reply(core, core.changeRequestId, { type: "outcome-unknown", leader });
	core.changeRequestId = null;
	if (core.transfer === null) return;
	if (core.transfer.isAsked) core.out.push({ type: "cancel-timer", timer: "transfer" });
	else endTransfer(core, "stepped-down");
}

function enterTerm(core: RaftCore, term: Term, votedFor: NodeId | null): void {
	core.term = term;
	core.votedFor = votedFor;
	core.hardStateUnsaved = true;
	core.leaderHeard = false;
	// What it promises an earlier leader may be cut by the next one. Within a term nothing acknowledged ever is.
	core.ack = null;
	core.heardRound = 0;
	core.followedThrough = 0 as LogIndex;
	if (core.repair !== null) core.repair = { through: null, isSent: false };
	for (const question of core.questions) question.isSent = false;
	// Another leader's snapshot of the same index may have other bytes.
	core.receipt = null;
}

function setRole(core: RaftCore, role: RaftRole, leader: NodeId | null): void {
	const changed = role !== core.role || leader !== core.leader;
	if (role === "follower") core.votes = new Map();
	settleForwards(core, leader);
	if (leader !== core.leader) refuseSnapshotRequest(core, leader);
	core.role = role;
	core.leader = leader;
	if (leader === null) refuseReads(core, null);
	if (changed) emit(core, { type: "role-changed", role, term: core.term, leader });
	if (core.transfer !== null && leader !== null) {
		endTransfer(core, leader === core.transfer.to ? null : "other-leader");
	} else if (role === "pre-candidate") {
		endTransfer(core, "no-leader");
	}
}

function requestVotes(core: RaftCore, kind: Pick<RequestVote, "preVote" | "transfer">): void {
	const term = kind.preVote ? ((core.term + 1) as Term) : core.term;
	const { lastIndex, lastTerm } = core.log;
	for (const voter of votersOf(core.configuration)) {
		if (voter === core.config.nodeId) continue;
		sendDurable(core, voter, { type: "request-vote", term, lastIndex, lastTerm, ...kind });
	}
}

/** The wait for a leader, drawn anew each time, so that split votes are rare and resolve (§5.2). */
export function setElectionTimer(core: RaftCore): void {
	core.electionTimerMs = core.config.electionTimeoutMs;
}

/**
 * The minimum election timeout: for so long a follower that has just heard its leader trusts in it, and after that time
 * a leader asks whether it has heard its quorum (thesis §6.2).
 */
export function setMinimumTimer(core: RaftCore): void {
	const { min } = core.config.electionTimeoutMs;
	core.electionTimerMs = { min, max: min };
}

/** The entry that starts a leader's term, and changes nothing wherever it stands. */
export function noOp(term: Term): Entry {
	return { term, kind: "no-op", session: 0 as SessionId, serial: 0, firstIncomplete: 0, data: new Uint8Array(0) };
}
