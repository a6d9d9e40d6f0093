/** Checkpoints and what they let members forget (OSDI'99 §4.3). */
import type { NodeId } from "../core/index.ts";
import { examine, examineAgainst } from "./accusation.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import {
	broadcast,
	type Capture,
	deliver,
	emit,
	type HeldVote,
	highOf,
	type PbftCore,
	peersOf,
	sendImmediate,
	suspect,
} from "./core.ts";
import type { CheckpointCertificate, CheckpointState, Digest, SequenceNumber, ViewNumber } from "./entities.ts";
import { keepForLater } from "./kept-messages.ts";
import type { Checkpoint } from "./messages.ts";
import { quorumOf, weakQuorumOf } from "./quorum.ts";
import { baseOf, enterEpoch, membershipAt } from "./reconfiguration.ts";
import { noteRecovered } from "./recovery.ts";
import { collectVotes, isGood } from "./slots.ts";
import { checkpointDigest, type Statement } from "./statements.ts";
import type { PbftSnapshot } from "./vocabulary.ts";
import { sign } from "./vote-authentication.ts";
import { tellStatus } from "./where.ts";

function statementOf(core: PbftCore, sequence: SequenceNumber, digest: Digest): Statement {
	return { type: "checkpoint", epoch: core.configuration.epoch, view: 0 as ViewNumber, sequence, digest };
}

/** Captures the replicated state when a multiple of K was executed. */
export function captureIfDue(core: PbftCore): void {
	const { executed: sequence, config, chain, choice } = core;
	if (sequence % config.checkpointInterval !== 0) return;
	const clients = core.clients.snapshot();
	const partBytes = config.statePartBytes;
	core.captures.set(sequence, {
		state: { sequence, ...membershipAt(core, sequence), chain, choice, clients, partBytes },
		complete: null,
	});
	deliver(core, { type: "take-checkpoint", sequence });
}

/** The application's part is captured and hashed: this member can say what its state is. */
export function handleSnapshotReady(core: PbftCore, { sequence, root, sizeBytes }: PbftSnapshot): void {
	const capture = core.captures.get(sequence);
	if (capture === undefined || capture.complete !== null) return;
	const state: CheckpointState = { ...capture.state, root, sizeBytes };
	const digest = checkpointDigest(core.crypto.digest, state);
	// It needs no record of its own: from what is on the disk a restart comes to the same state, and the same words.
	const signature = sign(core, statementOf(core, sequence, digest));
	const { epoch } = core.configuration;
	capture.complete = { state, epoch, digest, signature };
	if (sequence > core.low) {
		votesAt(core, sequence).set(core.config.nodeId, { digest, signature, isVerified: true });
		broadcast(core, { type: "checkpoint", epoch, sequence, digest, signature });
		checkStable(core, sequence, digest);
	}
	compareWithVotes(core, sequence, digest);
	saveBase(core);
}

export function handleCheckpoint(core: PbftCore, from: NodeId, message: Checkpoint): void {
	const { sequence, digest, signature } = message;
	if (sequence === core.low && core.stable !== null) {
		examineAgainst(core, from, { statement: statementOf(core, sequence, digest), signature }, core.stable);
	}
	if (sequence <= core.low) return;
	if (sequence % core.config.checkpointInterval !== 0) {
		suspect(core, from, "malformed-message");
		return;
	}
	const vote: HeldVote = { digest, signature, isVerified: false };
	const statement = statementOf(core, sequence, digest);
	if (sequence > highOf(core)) {
		if (!isGood(core, from, vote, statement)) return;
		noteAhead(core, from, sequence);
		keepForLater(core, from, message);
		return;
	}
	const votes = votesAt(core, sequence);
	const first = votes.get(from);
	if (first !== undefined) {
		const before = { statement: statementOf(core, sequence, first.digest), signature: first.signature };
		if (!equalBytes(first.digest, digest)) examine(core, from, before, { statement, signature });
		if (first.isVerified || isGood(core, from, first, before.statement)) return;
	}
	votes.set(from, vote);
	const own = core.captures.get(sequence)?.complete ?? null;
	if (own !== null && !equalBytes(own.digest, digest)) askForHistory(core, from, sequence);
	checkStable(core, sequence, digest);
}

function votesAt(core: PbftCore, sequence: SequenceNumber): Map<NodeId, HeldVote> {
	let votes = core.checkpoints.get(sequence);
	if (votes === undefined) {
		votes = new Map();
		core.checkpoints.set(sequence, votes);
	}
	return votes;
}

/** f + 1 members are beyond this one's window, so a correct one is: this member has been left behind, and says where it is. */
function noteAhead(core: PbftCore, from: NodeId, sequence: SequenceNumber): void {
	if (sequence <= (core.ahead.get(from) ?? 0)) return;
	core.ahead.set(from, sequence);
	const high = highOf(core);
	const beyond = [...core.ahead].filter(([, reached]) => reached > high);
	if (beyond.length < weakQuorumOf(core.configuration)) return;
	for (const [member] of beyond) tellStatus(core, member);
}

/** Members whose states differ after the same number of slots have executed different things; the decisions tell who. */
function compareWithVotes(core: PbftCore, sequence: SequenceNumber, digest: Digest): void {
	for (const [sender, vote] of core.checkpoints.get(sequence) ?? []) {
		if (!equalBytes(vote.digest, digest)) askForHistory(core, sender, sequence);
	}
}

/** Asks for the decisions of somebody whose history seems to be another. */
export function askForHistory(core: PbftCore, member: NodeId, to: SequenceNumber): void {
	const from = Math.max(1, to - core.config.windowSize) as SequenceNumber;
	sendImmediate(core, member, { type: "fetch-decisions", from, to });
}

/** Stable: a quorum of distinct members came to the same state. */
function checkStable(core: PbftCore, sequence: SequenceNumber, digest: Digest): void {
	if (sequence <= core.low) return;
	const statement = statementOf(core, sequence, digest);
	const votes = collectVotes(core, votesAt(core, sequence), statement, quorumOf(core.configuration));
	if (votes === null) return;
	becomeStable(core, { epoch: core.configuration.epoch, sequence, digest, votes });
}

/** Moves the water marks, and forgets what the checkpoint covers. The certificate is good. */
export function becomeStable(core: PbftCore, certificate: CheckpointCertificate): void {
	const { sequence, digest } = certificate;
	if (sequence <= core.low) return;
	core.stable = certificate;
	core.low = sequence;
	core.unsaved.isStable = true;
	for (const [sender, vote] of certificate.epoch === core.configuration.epoch
		? (core.checkpoints.get(sequence) ?? [])
		: []) {
		const said = { statement: statementOf(core, sequence, vote.digest), signature: vote.signature };
		if (sender !== core.config.nodeId) examineAgainst(core, sender, said, certificate);
	}
	if (core.nextSequence <= sequence) core.nextSequence = (sequence + 1) as SequenceNumber;
	for (const at of core.checkpoints.keys()) if (at <= sequence) core.checkpoints.delete(at);
	for (const [member, reached] of core.ahead) if (reached <= highOf(core)) core.ahead.delete(member);
	emit(core, { type: "checkpoint-stable", sequence, digest });
	forgetSlots(core);
	saveBase(core);
}

/**
 * What was executed is kept for one interval more, so that who is a little behind needs no state transfer; what was not executed here is
 * kept, since it may still be.
 */
function forgetSlots(core: PbftCore): void {
	const { checkpointInterval, windowSize } = core.config;
	for (const sequence of core.slots.keys()) {
		const isExecuted = sequence <= core.executed;
		if (sequence <= core.low - (isExecuted ? checkpointInterval : windowSize)) core.slots.delete(sequence);
	}
}

/** The stable checkpoint becomes what a restart begins with, once its state is captured here. */
function saveBase(core: PbftCore): void {
	const { stable } = core;
	if (stable === null || stable.sequence <= (core.base?.certificate.sequence ?? 0)) return;
	const capture: Capture | undefined = core.captures.get(stable.sequence);
	if (capture === undefined || capture.complete === null) return;
	// A member whose own state is not the one that a quorum has must not build on it.
	if (!equalBytes(capture.complete.digest, stable.digest)) {
		askForState(core);
		return;
	}
	const { state } = capture.complete;
	core.base = baseOf(core, { certificate: stable, state });
	core.unsaved.base = { ...core.base, isReceived: false };
	for (const sequence of core.captures.keys()) if (sequence < stable.sequence) core.captures.delete(sequence);
	noteRecovered(core);
	if (state.configuration.epoch > core.configuration.epoch) enterEpoch(core, state);
}

/** This member's own state is wrong: whoever has certified another shows it when it is asked for a part of an earlier one. */
export function askForState(core: PbftCore): void {
	if (core.transfer !== null) return;
	const none = 0 as SequenceNumber;
	const certifying = core.stable?.votes.map(({ sender }) => sender) ?? [];
	// A checkpoint that was only attested names nobody.
	for (const peer of certifying.length > 0 ? certifying : peersOf(core)) {
		if (peer !== core.config.nodeId) sendImmediate(core, peer, { type: "fetch-part", sequence: none, index: 0 });
	}
}

/** Whether this member's own state at the stable checkpoint is not the certified one: it has to fetch that. */
export function hasDiverged(core: PbftCore): boolean {
	const { stable } = core;
	const own = stable === null ? null : (core.captures.get(stable.sequence)?.complete ?? null);
	return stable !== null && own !== null && hexOf(own.digest) !== hexOf(stable.digest);
}
