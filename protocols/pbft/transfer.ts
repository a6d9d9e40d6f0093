/**
 * State transfer: a member that is too far behind for single decisions takes over a certified state, part by part (OSDI'99 §4.3, TOCS
 * §6.2). Only the certificate is trusted; each part is checked against the root that it certifies, so any source will do, and the next
 * is asked when one is slow or lies. The member goes on voting meanwhile.
 */
import type { NodeId, ReadId } from "../core/index.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import { verifyCheckpoint } from "./certificates.ts";
import { becomeStable, hasDiverged } from "./checkpoints.ts";
import {
	budgetOf,
	cancelTimer,
	configurationOf,
	deliver,
	emit,
	judgeOf,
	type PbftCore,
	peersOf,
	sendImmediate,
	setTimer,
	suspect,
} from "./core.ts";
import type { CheckpointCertificate, CheckpointState, SequenceNumber } from "./entities.ts";
import { answerTransferred, executeReady } from "./execution.ts";
import { isPartOf, partCount } from "./merkle.ts";
import type { FetchPart, StableCheckpoint, StatePart } from "./messages.ts";
import { releaseReads } from "./reads.ts";
import { baseOf, enterEpoch, learnEpochs, leave } from "./reconfiguration.ts";
import { noteRecovered } from "./recovery.ts";
import { checkpointDigest } from "./statements.ts";
import { isAttested } from "./testimony.ts";
import type { PbftReadResult } from "./vocabulary.ts";
import { isAuthenticated } from "./vote-authentication.ts";

/** A peer shows a stable checkpoint. It is worth as much as its certificate. */
export function handleStableCheckpoint(core: PbftCore, from: NodeId, message: StableCheckpoint): void {
	const { certificate, state, epochs } = message;
	const { sequence } = certificate;
	const isBehind = sequence > core.executed || hasDiverged(core);
	if ((!isBehind && sequence <= core.low) || isTransferGoingOn(core, from, sequence)) return;
	learnEpochs(core, epochs);
	const configuration = configurationOf(core, certificate.epoch);
	// Of an epoch that nobody has proved here: that is no offence, it may be too long ago.
	if (configuration === null && !isAuthenticated(core)) return;
	// Authenticators of an epoch that this member was not in are not for it: f + 1 of the members that it knows have to say so.
	const fault =
		configuration === null ? "wrong-epoch" : verifyCheckpoint(certificate, { ...judgeOf(core), configuration });
	const isItsState =
		state.sequence === sequence &&
		state.partBytes === core.config.statePartBytes &&
		equalBytes(checkpointDigest(core.crypto.digest, state), certificate.digest);
	const said = `checkpoint ${sequence} ${hexOf(certificate.digest)}`;
	if (isItsState && fault !== null && isAuthenticated(core)) {
		const isStableHere = core.stable?.sequence === sequence && equalBytes(core.stable.digest, certificate.digest);
		if (!isStableHere && !isAttested(core, from, said)) return;
	} else if (fault !== null || !isItsState) {
		suspect(core, from, "unproved-certificate");
		return;
	}
	becomeStable(core, certificate);
	if (!isBehind && !hasDiverged(core)) return;
	if (!state.configuration.members.includes(core.config.nodeId)) {
		leave(core, state);
		return;
	}
	if (core.transfer !== null && core.transfer.certificate.sequence >= sequence) return;
	beginTransfer(core, from, certificate, state);
}

/** A source that shows a later state has no more of the earlier one; from anyone else that is no reason to begin anew. */
function isTransferGoingOn({ transfer }: PbftCore, from: NodeId, shown: SequenceNumber): boolean {
	if (transfer === null || !transfer.isMoving) return false;
	const { sources, source, state } = transfer;
	return sources[source % sources.length] !== from || shown <= state.sequence;
}

function beginTransfer(core: PbftCore, from: NodeId, certificate: CheckpointCertificate, state: CheckpointState): void {
	const sources = [from, ...peersOf(core).filter((peer) => peer !== from)];
	core.transfer = { certificate, state, sources, source: 0, received: 0, early: new Map(), isMoving: true };
	emit(core, { type: "transfer-started", sequence: certificate.sequence, from });
	if (partCount(state.sizeBytes, state.partBytes) === 0) complete(core);
	else askForParts(core);
}

/** Asks the present source for all parts of the window that are not here. */
function askForParts(core: PbftCore): void {
	const { transfer, config } = core;
	if (transfer === null) return;
	const { state, received, early, sources } = transfer;
	const source = sources[transfer.source % sources.length] as NodeId;
	const end = Math.min(received + config.transferWindow, partCount(state.sizeBytes, state.partBytes));
	for (let index = received; index < end; index++) {
		if (!early.has(index)) sendImmediate(core, source, { type: "fetch-part", sequence: state.sequence, index });
	}
	setTimer(core, "transfer", config.transferTimeoutMs);
}

/** The source is slow, or lies: the next one is asked for what is missing. */
export function handleTransferTimer(core: PbftCore): void {
	const { transfer } = core;
	if (transfer === null) return;
	if (!transfer.isMoving) transfer.source++;
	transfer.isMoving = false;
	askForParts(core);
}

export function handleStatePart(core: PbftCore, from: NodeId, { sequence, index, data, path }: StatePart): void {
	const { transfer } = core;
	if (transfer === null || transfer.state.sequence !== sequence) return;
	const { state, early } = transfer;
	const count = partCount(state.sizeBytes, state.partBytes);
	if (index < transfer.received || index >= transfer.received + core.config.transferWindow || early.has(index)) return;
	const lengthBytes = index < count - 1 ? state.partBytes : state.sizeBytes - (count - 1) * state.partBytes;
	const isGood = data.length === lengthBytes && isPartOf(core.crypto.digest, state.root, { index, count, data, path });
	if (!isGood) {
		suspect(core, from, "bad-state-part");
		transfer.source++;
		askForParts(core);
		return;
	}
	transfer.isMoving = true;
	early.set(index, data);
	const end = transfer.received + core.config.transferWindow;
	for (;;) {
		const next = early.get(transfer.received);
		if (next === undefined) break;
		early.delete(transfer.received);
		core.unsaved.parts.push({ sequence, index: transfer.received, data: next });
		transfer.received++;
	}
	if (transfer.received === count) {
		complete(core);
		return;
	}
	const source = transfer.sources[transfer.source % transfer.sources.length] as NodeId;
	const newEnd = Math.min(transfer.received + core.config.transferWindow, count);
	for (let wanted = end; wanted < newEnd; wanted++) {
		sendImmediate(core, source, { type: "fetch-part", sequence, index: wanted });
	}
}

/** Every part is here: the state replaces this member's own, and it goes on from there. */
function complete(core: PbftCore): void {
	const { transfer } = core;
	if (transfer === null) return;
	const { certificate, state } = transfer;
	cancelTimer(core, "transfer");
	core.transfer = null;
	// Single decisions may have brought this member further in the meantime.
	if (state.sequence <= core.executed && !hasDiverged(core)) return;
	const isOfLaterEpoch = state.configuration.epoch > core.configuration.epoch;
	adoptState(core, state);
	core.base = baseOf(core, { certificate, state });
	core.unsaved.base = { ...core.base, isReceived: true };
	for (const sequence of core.slots.keys()) if (sequence <= state.sequence) core.slots.delete(sequence);
	core.captures.clear();
	// The state that is taken over replaces what was tentative too.
	core.tentative = null;
	deliver(core, { type: "restore-checkpoint", state });
	releaseReads(core);
	emit(core, { type: "restored", sequence: state.sequence, chain: state.chain, from: "transfer" });
	if (isOfLaterEpoch) enterEpoch(core, state);
	noteRecovered(core);
	answerTransferred(core);
	executeReady(core);
}

/** The machine's own part of a checkpoint. */
export function adoptState(core: PbftCore, state: CheckpointState): void {
	const { sequence, chain, choice, clients, configuration, pending, history } = state;
	core.executed = sequence;
	core.chain = chain;
	core.chains.clear();
	core.chains.set(sequence, chain);
	core.choice = choice;
	core.configuration = configuration;
	core.pending = pending;
	core.history = history;
	core.clients.restore(clients);
	if (core.nextSequence <= sequence) core.nextSequence = (sequence + 1) as SequenceNumber;
}

/** A peer asks for a part of a state. */
export function handleFetchPart(core: PbftCore, from: NodeId, { sequence, index }: FetchPart): void {
	const { base } = core;
	if (base === null) return;
	const budget = budgetOf(core, from);
	if (base.certificate.sequence !== sequence) {
		if (base.certificate.sequence > sequence) sendImmediate(core, from, { type: "stable-checkpoint", ...base });
		return;
	}
	// What it did not get it asks for again.
	if (budget.reads >= 2 * core.config.transferWindow) return;
	budget.reads++;
	const readId = core.nextReadId++;
	core.reads.set(readId, from);
	core.out.push({ type: "read", readId, read: { sequence, index } });
}

export function handleReadCompleted(core: PbftCore, readId: ReadId, result: PbftReadResult): void {
	const to = core.reads.get(readId);
	core.reads.delete(readId);
	if (to === undefined) return;
	budgetOf(core, to).reads--;
	if (result.type === "part") {
		const { sequence, index, data, path } = result;
		sendImmediate(core, to, { type: "state-part", sequence, index, data, path });
	}
}
