/** Leaving a view: when, with which proofs, and how long to wait for the next (OSDI'99 §4.4, §4.5.2). */
import type { NodeId } from "../core/index.ts";
import { accusationsOf, convict, examine, examineOmission, isPassedOver } from "./accusation.ts";
import { acknowledge } from "./acknowledgements.ts";
import { emptyBytes, equalBytes } from "./bytes.ts";
import { claimFault, claimsOf } from "./claimed-view.ts";
import {
	broadcast,
	cancelTimer,
	emit,
	isMember,
	judgeOf,
	type PbftCore,
	setTimer,
	suspect,
	takesPart,
} from "./core.ts";
import { type PreparedProof, primaryOf, type SequenceNumber, type ViewNumber, viewAfter } from "./entities.ts";
import type { PbftEvent } from "./events.ts";
import { isProvedFalse } from "./evidence.ts";
import type { ViewChange } from "./messages.ts";
import { openView } from "./new-view.ts";
import { verifyViewChange, viewChangeStatement } from "./new-view-plan.ts";
import { quorumOf, weakQuorumOf } from "./quorum.ts";
import { isEstimating } from "./recovery.ts";
import { refuseWord } from "./refusal.ts";
import { isQueueing, stopTimingRequests, timeoutOf } from "./requests.ts";
import { isPeriodTooSlow, stopGuarding } from "./slow-primary.ts";
import { isSigned, type Statement, viewChangeDigest } from "./statements.ts";
import { rollBack } from "./tentative.ts";
import { isAuthenticated, sign } from "./vote-authentication.ts";

type Reason = Extract<PbftEvent, { type: "view-change-started" }>["reason"];

/** The request that has waited longest was not executed in time. */
export function handleRequestTimer(core: PbftCore): void {
	if (!core.isActive || core.timedRequest === null || isQueueing(core)) return;
	core.timedRequest = null;
	const primary = primaryOf(core.configuration, core.view);
	if (primary !== core.config.nodeId) suspect(core, primary, "slow-primary");
	startViewChange(core, viewAfter(core.view), "timeout");
}

/** A period of measurement is over. */
export function handleGuardTimer(core: PbftCore): void {
	if (core.isActive && isPeriodTooSlow(core)) leaveSlowPrimary(core);
}

/** Requests wait, and the primary has begun nothing for long. */
export function handleHeartbeatTimer(core: PbftCore): void {
	core.guard.isHeartbeatSet = false;
	if (core.isActive && core.waiting.size > 0) leaveSlowPrimary(core);
}

function leaveSlowPrimary(core: PbftCore): void {
	suspect(core, primaryOf(core.configuration, core.view), "slow-primary");
	startViewChange(core, viewAfter(core.view), "slow-primary");
}

/** A quorum has left for this view, and nobody opens it. */
export function handleViewTimer(core: PbftCore): void {
	core.isViewTimerSet = false;
	if (!core.isActive) startViewChange(core, viewAfter(core.view), "timeout");
}

/** Proof, not time: whoever is shown to be faulty leads no more, from the moment that it is shown here. */
export function leaveDeposed(core: PbftCore): void {
	if (takesPart(core) && isPassedOver(core, core.view))
		startViewChange(core, viewAfter(core.view), "convicted-primary");
}

/** Leaves all views below this one, or below the next one that is not led by a convicted member: nothing of them is accepted any more but decisions and checkpoints, which prove themselves. */
export function startViewChange(core: PbftCore, wanted: ViewNumber, reason: Reason): void {
	// The group has gone to a later epoch without this member, which is about to follow: what it could say here helps nobody.
	if ((core.stable?.epoch ?? 0) > core.configuration.epoch || isEstimating(core)) return;
	let view = wanted;
	while (isPassedOver(core, view)) view = viewAfter(view);
	rollBack(core);
	core.failedViews = core.hasProgressed ? 0 : core.failedViews + 1;
	core.hasProgressed = false;
	core.view = view;
	core.isActive = false;
	core.openingView = null;
	stopTimingRequests(core);
	stopGuarding(core);
	stopViewTimer(core);
	cancelTimer(core, "batch");
	core.isBatchTimerSet = false;
	const message = makeViewChange(core);
	core.ownViewChange = message;
	core.unsaved.isView = true;
	const digest = viewChangeStatement(judgeOf(core), message).digest;
	core.viewChanges.set(core.config.nodeId, { message, digest });
	for (const accusation of accusationsOf(core)) broadcast(core, accusation);
	broadcast(core, message);
	emit(core, { type: "view-change-started", view, reason });
	countViewChanges(core);
}

/** C and P: the last stable checkpoint, and what is prepared here above it, proved or, where votes are authenticated, claimed with Q. */
function makeViewChange(core: PbftCore): ViewChange {
	const { stable, view, crypto } = core;
	const { epoch } = core.configuration;
	const prepared: PreparedProof[] = [];
	for (const { sequence, prepared: proof } of core.slots.values()) {
		if (sequence > core.low && proof !== null) prepared.push(proof);
	}
	prepared.sort((a, b) => a.sequence - b.sequence);
	const body = isAuthenticated(core)
		? {
				epoch,
				view,
				stable: stable === null ? null : { ...stable, votes: [] },
				prepared: prepared.map((proof) => ({ ...proof, prePrepare: emptyBytes, prepares: [] })),
				claims: claimsOf(core),
			}
		: { epoch, view, stable, prepared };
	const digest = viewChangeDigest(crypto.digest, body);
	const statement: Statement = { type: "view-change", epoch, view, sequence: 0 as SequenceNumber, digest };
	return { type: "view-change", ...body, signature: sign(core, statement) };
}

export function handleViewChange(core: PbftCore, from: NodeId, message: ViewChange): void {
	const isOver = message.view < core.view || (message.view === core.view && core.isActive);
	if (isOver || !keepViewChange(core, from, message)) return;
	joinOthers(core);
	countViewChanges(core);
}

/**
 * Keeps the latest good view change of a member. One that is false counts for nothing as a whole, stands in the way of no other, and
 * convicts its sender.
 */
function keepViewChange(core: PbftCore, from: NodeId, message: ViewChange): boolean {
	const judge = judgeOf(core);
	const known = core.viewChanges.get(from);
	if (known !== undefined && known.message.view > message.view) return false;
	const statement = viewChangeStatement(judge, message);
	if (known?.message.view === message.view && equalBytes(known.digest, statement.digest)) {
		acknowledge(core, from, message, statement.digest);
		return false;
	}
	const { signature } = message;
	if (!isSigned(judge.cluster, judge.verifier, { sender: from, signature }, statement)) {
		refuseWord(core, { sender: from, signature }, statement);
		return false;
	}
	const { windowSize } = core.config;
	const fault = isAuthenticated(core) ? claimFault(message, windowSize) : verifyViewChange(judge, message);
	if (fault !== null) {
		suspect(core, from, "unproved-view-change");
		if (isProvedFalse(fault)) convict(core, { type: "bad-view-change", culprit: from, viewChange: message });
		return false;
	}
	if (known?.message.view === message.view) {
		const first = { statement: viewChangeStatement(judge, known.message), signature: known.message.signature };
		examine(core, from, first, { statement, signature });
		return false;
	}
	examineOmission(core, from, message);
	core.viewChanges.set(from, { message, digest: statement.digest });
	acknowledge(core, from, message, statement.digest);
	return true;
}

/** When f + 1 others want later views, a correct one does: this member goes with the lowest of them. Fewer move nobody. */
function joinOthers(core: PbftCore): void {
	const later = [...core.viewChanges]
		.filter(
			([member, { message }]) => member !== core.config.nodeId && isMember(core, member) && message.view > core.view,
		)
		.map(([, { message }]) => message.view);
	if (later.length < weakQuorumOf(core.configuration)) return;
	startViewChange(core, Math.min(...later) as ViewNumber, "joined");
}

/** With a quorum for the view its primary opens it; everyone else gives it so much time (rule 27 counts from here, not from its own wish). */
export function countViewChanges(core: PbftCore): void {
	if (core.isActive) return;
	const views = [...core.viewChanges]
		.filter(([member]) => isMember(core, member))
		.map(([, { message }]) => message.view);
	const quorum = quorumOf(core.configuration);
	// Who has gone further has left for this view too: else those that missed its message would wait for it for ever.
	if (views.filter((view) => view >= core.view).length < quorum) return;
	if (!core.isViewTimerSet) {
		core.isViewTimerSet = true;
		setTimer(core, "view-change", timeoutOf(core));
	}
	const isPrimary = primaryOf(core.configuration, core.view) === core.config.nodeId;
	if (isPrimary && views.filter((view) => view === core.view).length >= quorum) openView(core);
}

export function stopViewTimer(core: PbftCore): void {
	if (!core.isViewTimerSet) return;
	core.isViewTimerSet = false;
	cancelTimer(core, "view-change");
}
