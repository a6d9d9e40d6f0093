/**
 * Making good what the network has lost: each member tells now and then where it is, and the others repeat what it lacks (TOCS §5.2 does
 * the same). What is repeated was said before, so it needs no new record.
 */
import type { NodeId } from "../core/index.ts";
import { accusationsOf } from "./accusation.ts";
import { viewChangeAgain } from "./acknowledgements.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import { verifyCertificate } from "./certificates.ts";
import { askForHistory, askForState, hasDiverged } from "./checkpoints.ts";
import { checkContact } from "./contact.ts";
import {
	budgetOf,
	configurationOf,
	emit,
	highOf,
	judgeOf,
	mayAnswer,
	type PbftCore,
	peersOf,
	type Slot,
	send,
	sendImmediate,
	setTimer,
	suspect,
} from "./core.ts";
import { primaryOf, type SequenceNumber, sequenceAfter, type ViewNumber } from "./entities.ts";
import { askForBody, decide, takeBody } from "./execution.ts";
import type { BatchBody, Decision, FetchBatch, FetchDecisions, NewView, Status } from "./messages.ts";
import { fetchBodies } from "./new-view.ts";
import { tellKey } from "./own-key.ts";
import { askWhereGroupIs } from "./recovery.ts";
import { bodyOf, slotAt } from "./slots.ts";
import { batchDigest, newViewStatement } from "./statements.ts";
import { isAttested } from "./testimony.ts";
import { isAuthenticated, signAgain } from "./vote-authentication.ts";
import { tellStatus } from "./where.ts";

/** Tells where this member is, asks again for what it waits for, and gives every peer a new budget. */
export function handleStatusTimer(core: PbftCore): void {
	for (const [member, budget] of core.peers) {
		if (budget.staleWords > 0) emit(core, { type: "stale-words", member, count: budget.staleWords });
		budget.offences = 0;
		budget.isAnswered = false;
		budget.answers = 0;
		budget.reads = 0;
		budget.staleWords = 0;
		budget.isRepeatedTo = false;
	}
	checkContact(core);
	for (const peer of peersOf(core)) {
		tellStatus(core, peer);
		tellKey(core, peer);
		if (core.openingView !== null) fetchBodies(core, peer);
	}
	askWhereGroupIs(core);
	if (hasDiverged(core)) askForState(core);
	let asked = 0;
	for (const slot of core.slots.values()) {
		slot.age++;
		const isLacking = slot.sequence > core.executed && (slot.decision !== null || slot.accepted !== null);
		if (isLacking && asked < core.config.repeatMax) {
			asked++;
			askForBody(core, slot);
		}
	}
	setStatusTimer(core);
}

/** Members' statuses are spread, so that they do not come all at once. */
export function setStatusTimer(core: PbftCore): void {
	setTimer(core, "status", core.config.statusMs, Math.ceil(core.config.statusMs / 4));
}

/** Repeats what a peer lacks, once for each status period of this member: asking often does not get more. */
export function handleStatus(core: PbftCore, from: NodeId, status: Status): void {
	const budget = budgetOf(core, from);
	if (budget.isAnswered) return;
	budget.isAnswered = true;
	compareHistory(core, from, status);
	if (status.configurationEpoch !== core.configuration.epoch) {
		// Who is in a later epoch shows it when this member's own status comes to it.
		if (status.configurationEpoch < core.configuration.epoch) repeatDecisions(core, from, status);
		return;
	}
	repeatView(core, from, status);
	repeatCheckpoints(core, from, status.low);
	if (repeatDecisions(core, from, status)) return;
	if (core.isActive && status.isActive && status.view === core.view) repeatVotes(core, from, status);
}

/** Two histories of the same length that differ: somebody's decisions are not ours. */
function compareHistory(core: PbftCore, from: NodeId, { executed, chain }: Status): void {
	const own = core.chains.get(executed);
	if (own !== undefined && !equalBytes(own, chain)) askForHistory(core, from, executed);
}

function repeatView(core: PbftCore, from: NodeId, status: Status): void {
	const isBehind = status.view < core.view || (status.view === core.view && !status.isActive);
	if (!isBehind) return;
	if (core.isActive && core.opened !== null) send(core, from, newViewAgain(core, core.opened.message));
	if (core.isActive || core.ownViewChange === null) return;
	for (const accusation of accusationsOf(core)) send(core, from, accusation);
	send(core, from, viewChangeAgain(core, core.ownViewChange));
}

/** Others' words are passed on as they are. */
function newViewAgain(core: PbftCore, message: NewView): NewView {
	if (primaryOf(core.configuration, message.view) !== core.config.nodeId) return message;
	return { ...message, signature: signAgain(core, newViewStatement(core.crypto.digest, message), message.signature) };
}

function repeatCheckpoints(core: PbftCore, from: NodeId, low: SequenceNumber): void {
	for (const [sequence, { complete }] of core.captures) {
		if (complete === null || sequence <= low || complete.epoch !== core.configuration.epoch) continue;
		const { epoch, digest } = complete;
		const statement = { type: "checkpoint", epoch, view: 0 as ViewNumber, sequence, digest } as const;
		const signature = signAgain(core, statement, complete.signature);
		send(core, from, { type: "checkpoint", epoch, sequence, digest, signature });
	}
}

/** Decisions that the peer has not executed, or, if they are not kept any more, the checkpoint that covers them. */
function repeatDecisions(core: PbftCore, from: NodeId, { executed, configurationEpoch }: Status): boolean {
	const isOfEarlierEpoch = configurationEpoch < core.configuration.epoch;
	if (executed >= core.executed && !isOfEarlierEpoch) return false;
	const next = core.slots.get(sequenceAfter(executed));
	if (next === undefined || next.decision === null || next.decision.epoch > configurationEpoch) {
		if (core.base !== null && (isOfEarlierEpoch || core.base.certificate.sequence > executed)) {
			send(core, from, { type: "stable-checkpoint", ...core.base });
		}
		return true;
	}
	// Decisions may convince the peer of nothing, while it may know the checkpoint for stable itself.
	const isCovered = core.base !== null && core.base.certificate.sequence > executed;
	if (isAuthenticated(core) && core.base !== null && isCovered) {
		send(core, from, { type: "stable-checkpoint", ...core.base });
	}
	sendDecisions(core, from, next.sequence, core.executed);
	return true;
}

function sendDecisions(core: PbftCore, to: NodeId, first: SequenceNumber, last: SequenceNumber): void {
	const end = Math.min(last, first + core.config.repeatMax - 1);
	for (let sequence = first; sequence <= end; sequence = sequenceAfter(sequence)) {
		const slot = core.slots.get(sequence);
		if (slot === undefined || slot.decision === null) continue;
		// The peer has to enter a later epoch before it can judge what was decided in it.
		if (slot.decision.epoch !== core.slots.get(first)?.decision?.epoch) return;
		// What was decided a moment ago is on its way to everyone.
		if (slot.age === 0) return;
		const batch = bodyOf(core, slot, slot.decision.digest) ?? null;
		send(core, to, { type: "decision", certificate: slot.decision, batch });
	}
}

/** This member's votes in slots that have been open for a while. */
function repeatVotes(core: PbftCore, from: NodeId, status: Status): void {
	let repeated = 0;
	for (const slot of core.slots.values()) {
		if (slot.age === 0 || slot.sequence <= status.executed || slot.accepted?.view !== core.view) continue;
		if (repeated++ === core.config.repeatMax) return;
		repeatSlot(core, from, slot);
	}
}

function repeatSlot(core: PbftCore, to: NodeId, { sequence, accepted, bodies, prepares, commits }: Slot): void {
	if (accepted === null) return;
	const { view, digest } = accepted;
	const { epoch } = core.configuration;
	const { nodeId } = core.config;
	const slot = { epoch, view, sequence, digest };
	if (primaryOf(core.configuration, view) === nodeId && sequence >= core.freshFrom) {
		const batch = bodies.get(hexOf(digest));
		if (batch !== undefined) {
			const signature = signAgain(core, { type: "pre-prepare", ...slot }, accepted.signature);
			send(core, to, { type: "pre-prepare", ...slot, batch, signature });
		}
	}
	const own = [["prepare", prepares.get(nodeId)] as const, ["commit", commits.get(nodeId)] as const];
	for (const [type, vote] of own) {
		if (vote === undefined) continue;
		send(core, to, { type, ...slot, signature: signAgain(core, { type, ...slot }, vote.signature) });
	}
}

/**
 * A member has renewed its keys: what this one has said to it of late may have come too late to count, so it is said again, once in a
 * status period. Of slots that is the last of the view; what is older a status brings.
 */
export function repeatUnderNewKeys(core: PbftCore, to: NodeId): void {
	const budget = budgetOf(core, to);
	if (budget.isRepeatedTo) return;
	budget.isRepeatedTo = true;
	repeatCheckpoints(core, to, core.low);
	if (!core.isActive) {
		if (core.ownViewChange !== null) send(core, to, viewChangeAgain(core, core.ownViewChange));
		return;
	}
	const open = [...core.slots.values()].filter(({ sequence, accepted }) => sequence > core.low && accepted !== null);
	open.sort((a, b) => a.sequence - b.sequence);
	for (const slot of open.slice(-core.config.repeatMax))
		if (slot.accepted?.view === core.view) repeatSlot(core, to, slot);
}

/** A decision with its proof: it is worth as much as its certificate, whoever sends it, in whatever view this member is. */
export function handleDecision(core: PbftCore, from: NodeId, { certificate, batch }: Decision): void {
	const { sequence } = certificate;
	const known = core.slots.get(sequence)?.decision ?? null;
	const isOld = sequence <= core.executed || known !== null;
	if (isOld && (known === null || equalBytes(known.digest, certificate.digest))) {
		if (known !== null && batch !== null) handleBatch(core, from, { type: "batch", sequence, batch });
		return;
	}
	if (sequence > highOf(core)) return;
	const configuration = configurationOf(core, certificate.epoch);
	if (configuration === null) return;
	const context = { ...judgeOf(core), configuration };
	const isProved = verifyCertificate(certificate, context) === null;
	if (!isProved && isAuthenticated(core)) {
		const { epoch, digest } = certificate;
		if (!isAttested(core, from, `decision ${epoch} ${sequence} ${hexOf(digest)}`)) return;
	} else if (!isProved) {
		suspect(core, from, "unproved-certificate");
		return;
	}
	const slot = slotAt(core, sequence);
	decide(core, slot, isProved ? certificate : { ...certificate, commits: [] });
	if (batch !== null) handleBatch(core, from, { type: "batch", sequence, batch });
}

/** A peer has another history, as it seems: it gets this member's decisions, and may compare. */
export function handleFetchDecisions(core: PbftCore, from: NodeId, { from: first, to }: FetchDecisions): void {
	for (const { sequence, decision } of core.slots.values()) {
		if (decision === null || sequence < first || sequence > to) continue;
		if (!mayAnswer(core, from)) return;
		send(core, from, { type: "decision", certificate: decision, batch: null });
	}
}

export function handleFetchBatch(core: PbftCore, from: NodeId, { sequence, digest }: FetchBatch): void {
	const slot = core.slots.get(sequence);
	const batch = slot === undefined ? undefined : bodyOf(core, slot, digest);
	if (batch !== undefined && batch !== null && mayAnswer(core, from))
		sendImmediate(core, from, { type: "batch", sequence, batch });
}

export function handleBatch(core: PbftCore, from: NodeId, { sequence, batch }: BatchBody): void {
	const slot = core.slots.get(sequence);
	if (slot === undefined) return;
	const isMissed = [slot.accepted?.digest, slot.decision?.digest].some(
		(wanted) => wanted !== undefined && bodyOf(core, slot, wanted) === undefined,
	);
	if (!isMissed) return;
	const digest = batchDigest(core.config.cluster, core.crypto.digest, batch);
	const isWanted = [slot.accepted?.digest, slot.decision?.digest].some(
		(wanted) => wanted !== undefined && equalBytes(wanted, digest),
	);
	if (isWanted) takeBody(core, slot, digest, batch);
	else suspect(core, from, "wrong-digest");
}
