/** The follower's side of append-entries (§5.3) and of install-snapshot (§7). */
import { assert, type NodeId } from "../core/index.ts";
import { appendToLog, installConfiguration } from "./active-configuration.ts";
import { isWitness } from "./configuration.ts";
import { emit, type RaftCore, sendImmediate } from "./core.ts";
import { commitThrough } from "./delivery.ts";
import { cutLog, hasUnsaved, isHardStateDurable, persist, persistUnsaved, sendDurable } from "./durability.ts";
import type { Entry, LogIndex, RaftSnapshot, Term } from "./entry.ts";
import { indexAfter } from "./log.ts";
import type { AppendEntries, AppendResponse, InstallSnapshot } from "./messages.ts";
import { askRepairAgain, disclaim } from "./repair.ts";
import { becomeFollower, setMinimumTimer } from "./roles.ts";
import { guardLease } from "./round.ts";
import { isHollowLog } from "./witness.ts";

/** The leader of this term speaks. Two leaders in one term would break election safety (§5.2): stop. */
export function hearLeader(core: RaftCore, from: NodeId): void {
	assert(core.role !== "leader" && (core.leader === null || core.leader === from), "a term has one leader", {
		term: core.term,
		known: core.leader,
		from,
	});
	if (core.role !== "follower" || core.leader === null) becomeFollower(core, core.term, from);
	core.leaderHeard = true;
	core.electionWaits = 0;
	core.hasCampaigned = false;
	guardLease(core);
	setMinimumTimer(core);
}

export function handleAppendEntries(core: RaftCore, from: NodeId, message: AppendEntries): void {
	hearLeader(core, from);
	if (message.entries.length === 0) askRepairAgain(core);
	const { log } = core;
	const lastNew = indexAfter(message.prevIndex, message.entries.length);
	// What is committed is the same in every leader's log (§5.4.3): an append behind it brings at most its tail.
	if (lastNew <= core.commitIndex) {
		acknowledgeLater(core, core.commitIndex, message);
		return;
	}
	const known = message.prevIndex < core.commitIndex ? core.commitIndex - message.prevIndex : 0;
	if (known === 0 && log.termAt(message.prevIndex) !== message.prevTerm) {
		if (core.repair !== null && message.prevIndex > log.lastIndex) disclaim(core, from);
		else refuse(core, from, message);
		return;
	}
	appendNew(core, indexAfter(message.prevIndex, known), message.entries, known);
	const commit = Math.min(message.commit, lastNew) as LogIndex;
	if (commit > core.commitIndex) commitThrough(core, commit);
	acknowledgeLater(core, lastNew, message);
}

/**
 * Appends `entries[skip...]` behind `prevIndex`. Only a real conflict cuts the log: an old append that arrives late
 * must not undo what a newer one has brought (§5.3, "if an existing entry conflicts with a new one").
 */
function appendNew(core: RaftCore, prevIndex: LogIndex, entries: readonly Entry[], skip: number): void {
	const { log } = core;
	for (let i = skip, index = indexAfter(prevIndex, 1); i < entries.length; i++, index = indexAfter(index, 1)) {
		const entry = entries[i] as Entry;
		if (index <= log.lastIndex) {
			if (log.entryAt(index).term === entry.term) continue;
			assert(index > core.commitIndex, "a committed entry is never cut", { index });
			cutLog(core, index);
		}
		appendToLog(core, entry);
	}
}

/**
 * Refuses, with a hint: the largest index at which the logs may still agree. All entries of a term above the refused
 * one's are skipped at once (§5.3, the optimisation at its end, by term as in etcd).
 */
function refuse(core: RaftCore, from: NodeId, { prevIndex, prevTerm, round }: AppendEntries): void {
	const hintIndex = core.log.lastIndexWithTermAtMost(prevIndex, prevTerm);
	const hintTerm = core.log.termAt(hintIndex) ?? (0 as Term);
	const { term } = core;
	const answer = {
		type: "append-response",
		term,
		accepted: false,
		index: prevIndex,
		hintIndex,
		hintTerm,
		round,
	} as const;
	sendDurable(core, from, answer);
}

/** Acknowledgements of one batch leave as one: the last says it all. */
function acknowledgeLater(core: RaftCore, index: LogIndex, { round, entries }: AppendEntries): void {
	const { ack } = core;
	const isPrompt = entries.length === 0 || round > core.heardRound;
	core.heardRound = Math.max(round, core.heardRound);
	if (index > core.followedThrough) core.followedThrough = index;
	if (ack === null) {
		core.ack = { index, round, isPrompt };
		return;
	}
	if (index > ack.index) ack.index = index;
	if (round > ack.round) ack.round = round;
	if (isPrompt) ack.isPrompt = true;
}

/**
 * Sends the gathered acknowledgement, once what it promises is handed to the disk. A leader that asks whether it is
 * followed hears so at once, however slow the disk is with its entries: that answer promises only what is durable already.
 */
export function acknowledgeNow(core: RaftCore): void {
	const { ack, leader, log } = core;
	if (ack === null || leader === null) return;
	// It lacks the commands: nobody may count on it as on a member that has them.
	if (core.isHollow && !isWitness(core.configuration, core.config.nodeId)) return;
	if (ack.isPrompt && log.durableThrough < ack.index && isHardStateDurable(core)) {
		const index = log.durableThrough;
		sendImmediate(core, leader, acceptance(core, index, ack.round));
		ack.isPrompt = false;
	}
	if (hasUnsaved(core)) return;
	core.ack = null;
	sendDurable(core, leader, acceptance(core, ack.index, ack.round));
}

function acceptance(core: RaftCore, index: LogIndex, round: number): AppendResponse {
	const zero = 0 as LogIndex;
	return {
		type: "append-response",
		term: core.term,
		accepted: true,
		index,
		hintIndex: zero,
		hintTerm: 0 as Term,
		round,
	};
}

export function handleInstallSnapshot(core: RaftCore, from: NodeId, message: InstallSnapshot): void {
	hearLeader(core, from);
	const { lastIndex, lastTerm, offset, sizeBytes, data } = message;
	if (lastIndex <= core.commitIndex && !isWanted(core, lastIndex)) {
		answerChunk(core, from, message, sizeBytes);
		return;
	}
	let { receipt } = core;
	if (receipt === null || receipt.lastIndex !== lastIndex || receipt.lastTerm !== lastTerm) {
		if (offset !== 0) {
			answerChunk(core, from, message, 0);
			return;
		}
		receipt = { lastIndex, lastTerm, nextOffset: 0 };
		core.receipt = receipt;
	}
	if (offset !== receipt.nextOffset) {
		answerChunk(core, from, message, receipt.nextOffset);
		return;
	}
	receipt.nextOffset += data.length;
	assert(receipt.nextOffset <= sizeBytes, "chunks stay within the snapshot");
	const snapshotChunk = { lastIndex, lastTerm, offset, data };
	if (receipt.nextOffset < sizeBytes) persist(core, { snapshotChunk });
	else install(core, message, snapshotChunk);
	answerChunk(core, from, message, receipt.nextOffset);
}

/** Whether a snapshot brings nothing new but what this member has asked for, its application's state. */
function isWanted({ wantedSnapshot, deliveredIndex, restoring, log }: RaftCore, lastIndex: LogIndex): boolean {
	return wantedSnapshot !== null && restoring === null && lastIndex >= Math.max(deliveredIndex, log.baseIndex);
}

/**
 * The snapshot is complete. A log that has its last entry keeps what follows (Figure 13, rule 6); any other is
 * replaced as a whole. The application loads the snapshot when it is durable, and deliveries wait for that.
 */
function install(
	core: RaftCore,
	message: InstallSnapshot,
	snapshotChunk: { lastIndex: LogIndex; lastTerm: Term; offset: number; data: Uint8Array },
): void {
	const { lastIndex, lastTerm, configuration, sizeBytes, withheld } = message;
	const told = { lastIndex, lastTerm, configuration, sizeBytes };
	const snapshot: RaftSnapshot = withheld ? { ...told, withheld } : told;
	const { log } = core;
	const keepsTail = log.termAt(lastIndex) === lastTerm;
	if (keepsTail) {
		persistUnsaved(core);
		if (lastIndex > log.baseIndex) log.compactThrough(lastIndex);
	} else {
		const cutFrom = indexAfter(log.baseIndex, 1);
		log.resetTo(lastIndex, lastTerm);
		log.cutFrom = cutFrom;
		for (const write of core.writes) write.through = 0 as LogIndex;
	}
	core.compactionUnsaved = lastIndex;
	core.snapshot = snapshot;
	core.snapshotMark = lastIndex;
	core.orderedSnapshot = null;
	core.deliveredBytes = 0;
	core.receipt = null;
	core.ack = null;
	installConfiguration(core, snapshot, keepsTail);
	if (lastIndex > core.commitIndex) commitThrough(core, lastIndex);
	if (lastIndex > core.followedThrough) core.followedThrough = lastIndex;
	core.isHollow = isHollowLog(log, snapshot);
	core.restoring = { writeId: persist(core, { snapshotChunk, installSnapshot: snapshot }), snapshot };
	emit(core, { type: "snapshot-installed", lastIndex, lastTerm });
}

function answerChunk(core: RaftCore, to: NodeId, message: InstallSnapshot, nextOffset: number): void {
	const { lastIndex, round } = message;
	sendDurable(core, to, { type: "snapshot-response", term: core.term, lastIndex, nextOffset, round });
}
