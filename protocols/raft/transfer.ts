/**
 * Leadership transfer (thesis §3.10). The leader refuses new commands, brings the target's log up to its own, and tells it
 * to campaign at once (`timeout-now`). The target asks for votes without a pre-vote, and those who hear a leader give them,
 * since it is that leader who wants it. If the target does not lead within the minimum election timeout, or can be seen
 * before not to get there, the leader gives the transfer up and goes on: nothing is lost but that time.
 */
import { must, type NodeId, type RequestId } from "../core/index.ts";
import type { TransferRefusal } from "./change-requests.ts";
import { isVoter } from "./configuration.ts";
import { emit, type RaftCore, sendImmediate, setTimer } from "./core.ts";
import { hearLeader } from "./follower.ts";
import type { TimeoutNow } from "./messages.ts";
import { couldLead, priorityOf } from "./priority.ts";
import { isAlive, lagOf } from "./progress.ts";
import { becomeCandidate } from "./roles.ts";
import { endTransfer } from "./transfer-end.ts";

/** Begins a transfer to a voter, or (null) to the one that is best suited. Returns why not, if not. */
export function beginTransfer(
	core: RaftCore,
	requestId: RequestId | null,
	wanted: NodeId | null,
): TransferRefusal | null {
	const to = wanted ?? bestSuccessor(core);
	if (to === null) return { reason: "no-target" };
	const refusal = refusalOf(core, to);
	if (refusal !== null) return refusal;
	core.transfer = { to, requestId, isAsked: false };
	core.isLeaseOver = true;
	emit(core, { type: "transfer-begun", to });
	setTimer(core, "transfer", core.config.electionTimeoutMs.min);
	return null;
}

function refusalOf(core: RaftCore, to: NodeId): TransferRefusal | null {
	const { configuration, config, log } = core;
	if (!isVoter(configuration, to)) return { reason: "not-a-voter", node: to };
	if (to === config.nodeId) return { reason: "already-leader" };
	if (!couldLead(configuration, to)) return { reason: "never-leads", node: to };
	const progress = must(core.progress.get(to), "a leader keeps a progress of every other voter");
	if (progress.isUnreachable || !isAlive(progress)) return { reason: "target-unreachable", node: to };
	const lagEntries = lagOf(progress, log.lastIndex);
	const limitEntries = config.catchUpLagEntries;
	// A peer in probe may have more than is known of it: the time that a transfer may take will tell.
	const isBehind = progress.mode === "snapshot" || (progress.mode === "replicate" && lagEntries > limitEntries);
	return isBehind ? { reason: "target-behind", node: to, lagEntries, limitEntries } : null;
}

/**
 * The voter of the highest priority, and of these the furthest, among those that could be handed over to and will stay
 * voters; null if there is none.
 */
export function bestSuccessor(core: RaftCore): NodeId | null {
	let best: NodeId | null = null;
	let bestMatch = -1;
	let bestPriority = -1;
	for (const voter of core.configuration.voters) {
		const match = core.progress.get(voter)?.match ?? -1;
		const priority = priorityOf(core.config, voter);
		if (priority < bestPriority || (priority === bestPriority && match <= bestMatch)) continue;
		if (refusalOf(core, voter) !== null) continue;
		best = voter;
		bestMatch = match;
		bestPriority = priority;
	}
	return best;
}

/** At the end of a leader's batch: a target that has everything is asked to campaign. */
export function continueTransfer(core: RaftCore): void {
	const { transfer, log } = core;
	if (transfer === null || transfer.isAsked) return;
	if (core.progress.get(transfer.to)?.match !== log.lastIndex) return;
	transfer.isAsked = true;
	sendTimeoutNow(core, transfer.to);
}

/** With each heartbeat of the leader: what was lost is said again, and what can not succeed is given up. */
export function renewTransfer(core: RaftCore): void {
	const { transfer } = core;
	if (core.role !== "leader" || transfer === null) return;
	if (transfer.isAsked) sendTimeoutNow(core, transfer.to);
	else if (core.progress.get(transfer.to)?.mode === "snapshot") endTransfer(core, "behind");
}

/** The time for a transfer is over. */
export function handleTransferTimer(core: RaftCore): void {
	if (core.role === "leader") endTransfer(core, "timeout");
}

/** It claims nothing but that its sender leads the term, which was durable before it asked for votes. */
export function sendTimeoutNow(core: RaftCore, to: NodeId): void {
	sendImmediate(core, to, { type: "timeout-now", term: core.term, lastIndex: core.log.lastIndex });
}

/**
 * The leader of this term wants this server to campaign at once; only a voter can that could lead. One that comes late, when the leader has
 * given the transfer up and taken commands again, would only disturb.
 */
export function handleTimeoutNow(core: RaftCore, from: NodeId, { lastIndex }: TimeoutNow): void {
	hearLeader(core, from);
	if (core.log.lastIndex > lastIndex || !couldLead(core.configuration, core.config.nodeId)) return;
	if (core.isHollow || core.repair !== null) return;
	becomeCandidate(core, true);
}
