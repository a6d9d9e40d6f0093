/** The three phases of the normal case (OSDI'99 §4.2). */
import type { NodeId } from "../core/index.ts";
import { examine, examineAgainst } from "./accusation.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import { withAccepted } from "./claimed-view.ts";
import { castVote, shareCommits, sharePrepares, verifyVoteCertificate } from "./collector.ts";
import { type HeldVote, judgeOf, mayAnswer, type PbftCore, type Slot, sendImmediate, suspect } from "./core.ts";
import { journal } from "./durability.ts";
import {
	type Batch,
	type ClientRequest,
	type CommitCertificate,
	type Digest,
	type PreparedProof,
	primaryOf,
} from "./entities.ts";
import { decide, executeReady } from "./execution.ts";
import type { Commit, FetchProposal, PrePrepare, Prepare, ProposalShown, VoteCertificate } from "./messages.ts";
import { quorumOf } from "./quorum.ts";
import { refuseWord } from "./refusal.ts";
import { complain, digestOf, isProved, keyOf, waitingAs } from "./requests.ts";
import { collectVotes, isGood, isInWindow, slotAt } from "./slots.ts";
import { beat } from "./slow-primary.ts";
import { batchDigestOf, isSigned, type Statement } from "./statements.ts";
import { executeTentatively } from "./tentative.ts";
import { isAuthenticated, sign } from "./vote-authentication.ts";

/** The statement of one phase on what this member has accepted, or on another digest of that slot. */
function statementOf(core: PbftCore, type: Statement["type"], { sequence }: Slot, digest: Digest): Statement {
	return { type, epoch: core.configuration.epoch, view: core.view, sequence, digest };
}

/** The primary of the present view assigns a number to a batch. */
export function handlePrePrepare(core: PbftCore, from: NodeId, message: PrePrepare): void {
	const { sequence, digest, signature, batch } = message;
	if (from !== primaryOf(core.configuration, core.view)) {
		suspect(core, from, "not-the-primary");
		return;
	}
	if (!isInWindow(core, sequence)) return;
	const slot = slotAt(core, sequence);
	const statement = statementOf(core, "pre-prepare", slot, digest);
	const first = slot.accepted ?? slot.held;
	if (first !== null) {
		// One pre-prepare for a slot and view; another one convicts the primary.
		const accepted = { statement: statementOf(core, "pre-prepare", slot, first.digest), signature: first.signature };
		if (!equalBytes(first.digest, digest)) examine(core, from, accepted, { statement, signature });
		return;
	}
	const word = { sender: from, signature };
	if (!isSigned(core.config.cluster, judgeOf(core).verifier, word, statement)) {
		refuseWord(core, word, statement);
		return;
	}
	examineAgainstVotes(core, from, slot, "pre-prepare", message);
	const known = batch.requests.map((request) => waitingAs(core, request));
	const digests = batch.requests.map((request, i) => known[i]?.digest ?? digestOf(core, request));
	if (!equalBytes(batchDigestOf(core.crypto.digest, digests, batch.choice), digest)) {
		suspect(core, from, "wrong-digest");
		return;
	}
	if (!isOrderable(core, batch)) {
		suspect(core, from, "malformed-message");
		return;
	}
	if (!core.choices.accepts(batch.choice, core.choice)) {
		suspect(core, from, "bad-choice");
		return;
	}
	const isGood = (request: ClientRequest, i: number): boolean =>
		known[i] !== undefined || isProved(core, request, digests[i] as Digest);
	if (batch.requests.every(isGood)) {
		accept(core, slot, digest, signature, batch);
		return;
	}
	// Another member may be able to check what this one can not (authenticators are for one member each).
	slot.held = { digest, signature, batch };
	for (const [i, request] of batch.requests.entries()) {
		if (request.signature.length === 0 && !isGood(request, i)) complain(core, request.client);
	}
	acceptHeld(core, slot);
}

/** Reads are not ordered, and a batch is not larger than a primary may make it. An empty one only fills its slot. */
function isOrderable(core: PbftCore, { requests }: Batch): boolean {
	const sizeBytes = requests.reduce((sum, { operation }) => sum + operation.length, 0);
	return sizeBytes <= core.config.batchMaxBytes && requests.every(({ kind }) => kind !== "read");
}

/**
 * Accepts a batch with requests that this member can not check, once f + 1 others could: the primary, who has proposed it, and f
 * backups that have prepared it. One of them is correct, and has checked.
 */
function acceptHeld(core: PbftCore, slot: Slot): void {
	if (slot.held === null) return;
	const { digest, signature, batch } = slot.held;
	const prepares = collectVotes(
		core,
		slot.prepares,
		statementOf(core, "prepare", slot, digest),
		core.configuration.faults,
		isBackup(core),
	);
	if (prepares === null || core.configuration.faults === 0) return;
	slot.held = null;
	accept(core, slot, digest, signature, batch);
}

function isBackup(core: PbftCore): (sender: NodeId) => boolean {
	const primary = primaryOf(core.configuration, core.view);
	return (sender) => sender !== primary;
}

/** Speaks for a digest in a slot of the present view, for good. The body is null for the null request or while it is not here. */
export function accept(core: PbftCore, slot: Slot, digest: Digest, signature: Uint8Array, batch: Batch | null): void {
	const { view, config, configuration } = core;
	slot.accepted = { view, digest, signature };
	if (isAuthenticated(core)) slot.everAccepted = withAccepted(slot, { view, sequence: slot.sequence, digest });
	if (batch !== null) {
		slot.bodies.set(hexOf(digest), batch);
		for (const request of batch.requests) core.unproposed.delete(keyOf(request));
	}
	beat(core);
	const { sequence } = slot;
	journal(core, slot, { type: "accepted", sequence, view, digest, signature, batch });
	if (primaryOf(configuration, view) !== config.nodeId) {
		const vote = sign(core, statementOf(core, "prepare", slot, digest));
		slot.prepares.set(config.nodeId, { digest, signature: vote, isVerified: true });
		for (const [member, prepare] of slot.prepares) askWhatWasProposed(core, member, slot, prepare.digest);
		castVote(core, { type: "prepare", epoch: configuration.epoch, view, sequence, digest, signature: vote });
	}
	checkPrepared(core, slot);
	// Its decision may have come first, without the body.
	if (slot.decision !== null) executeReady(core);
}

export function handlePrepare(core: PbftCore, from: NodeId, message: Prepare): void {
	if (!isInWindow(core, message.sequence)) return;
	// The pre-prepare is the primary's word; a prepare of its own would count it twice.
	if (from === primaryOf(core.configuration, core.view)) {
		suspect(core, from, "not-the-primary");
		return;
	}
	const slot = slotAt(core, message.sequence);
	if (!keepVote(core, from, slot, slot.prepares, message)) return;
	acceptHeld(core, slot);
	checkPrepared(core, slot);
}

export function handleCommit(core: PbftCore, from: NodeId, message: Commit): void {
	if (!isInWindow(core, message.sequence)) return;
	const slot = slotAt(core, message.sequence);
	if (keepVote(core, from, slot, slot.commits, message)) checkCommitted(core, slot);
}

/** Keeps the first vote of a member in a phase; returns whether this is it. A second that differs may convict it. */
function keepVote(
	core: PbftCore,
	from: NodeId,
	slot: Slot,
	votes: Map<NodeId, HeldVote>,
	message: Prepare | Commit,
): boolean {
	const { type, digest, signature } = message;
	examineAgainstVotes(core, from, slot, type, message);
	const first = votes.get(from);
	if (first !== undefined) {
		if (first.isVerified || equalBytes(first.signature, signature)) return false;
		// A vote that nobody has checked does not stand in the way of one that is good.
		if (isGood(core, from, first, statementOf(core, type, slot, first.digest))) return false;
	}
	votes.set(from, { digest, signature, isVerified: false });
	if (type === "commit" && slot.decision?.view === core.view) {
		examineAgainst(core, from, { statement: statementOf(core, type, slot, digest), signature }, slot.decision);
	}
	if (type === "prepare") askWhatWasProposed(core, from, slot, digest);
	return true;
}

/** Who prepares another digest has been proposed another, or lies: if it can show the primary's signature, the primary has equivocated. */
function askWhatWasProposed(core: PbftCore, from: NodeId, slot: Slot, digest: Digest): void {
	if (slot.accepted === null || equalBytes(slot.accepted.digest, digest) || isAuthenticated(core)) return;
	const primary = primaryOf(core.configuration, core.view);
	if (primary === core.config.nodeId || core.convicted.has(primary)) return;
	sendImmediate(core, from, { type: "fetch-proposal", view: core.view, sequence: slot.sequence });
}

export function handleFetchProposal(core: PbftCore, from: NodeId, { view, sequence }: FetchProposal): void {
	const accepted = core.slots.get(sequence)?.accepted ?? null;
	if (accepted === null || accepted.view !== view || !mayAnswer(core, from)) return;
	const { epoch } = core.configuration;
	const { digest, signature } = accepted;
	sendImmediate(core, from, { type: "proposal-shown", epoch, view, sequence, digest, signature });
}

export function handleProposalShown(core: PbftCore, message: ProposalShown): void {
	const { view, sequence, digest, signature } = message;
	const slot = core.slots.get(sequence);
	if (slot === undefined || slot.accepted === null || slot.accepted.view !== view) return;
	const { epoch } = core.configuration;
	const statement: Statement = { type: "pre-prepare", epoch, view, sequence, digest };
	const accepted = { statement: { ...statement, digest: slot.accepted.digest }, signature: slot.accepted.signature };
	examine(core, primaryOf(core.configuration, view), accepted, { statement, signature });
}

/** In one view a member speaks for one digest of a slot, in whichever phase. */
function examineAgainstVotes(
	core: PbftCore,
	from: NodeId,
	slot: Slot,
	type: Statement["type"],
	{ digest, signature }: SaidOfSlot,
): void {
	const { prepares, commits, accepted } = slot;
	const differs = (before: Statement["type"], vote: SaidOfSlot | null | undefined): boolean => {
		if (vote === undefined || vote === null || equalBytes(vote.digest, digest)) return false;
		const first = { statement: statementOf(core, before, slot, vote.digest), signature: vote.signature };
		return examine(core, from, first, { statement: statementOf(core, type, slot, digest), signature });
	};
	if (differs("prepare", prepares.get(from)) || differs("commit", commits.get(from))) return;
	if (from === primaryOf(core.configuration, core.view)) differs("pre-prepare", accepted);
}

/** A member's word on one slot of the present view, without its type. */
interface SaidOfSlot {
	readonly digest: Digest;
	readonly signature: Uint8Array;
}

/** Prepared: the accepted pre-prepare, and matching prepares of a quorum less one of backups (2f when n = 3f + 1). */
function checkPrepared(core: PbftCore, slot: Slot): void {
	const { accepted, sequence } = slot;
	if (accepted === null || slot.isPrepared) return;
	const { view, digest, signature } = accepted;
	const needed = quorumOf(core.configuration) - 1;
	if (slot.prepares.size < needed) return;
	const statement = statementOf(core, "prepare", slot, digest);
	const prepares = collectVotes(core, slot.prepares, statement, needed, isBackup(core));
	if (prepares === null) return;
	const proof: PreparedProof = { view, sequence, digest, prePrepare: signature, prepares };
	slot.isPrepared = true;
	slot.prepared = proof;
	// Before the commit leaves: a view change after a restart must tell of it.
	journal(core, slot, { type: "prepared", sequence, proof });
	const { epoch } = core.configuration;
	const vote = sign(core, statementOf(core, "commit", slot, digest));
	slot.commits.set(core.config.nodeId, { digest, signature: vote, isVerified: true });
	sharePrepares(core, slot, proof);
	castVote(core, { type: "commit", epoch, view, sequence, digest, signature: vote });
	checkCommitted(core, slot);
	executeTentatively(core);
}

/** Committed: prepared here, and matching commits of a quorum, this member's included. */
function checkCommitted(core: PbftCore, slot: Slot): void {
	const { accepted, sequence } = slot;
	if (accepted === null || !slot.isPrepared) return;
	if (slot.commits.size < quorumOf(core.configuration)) return;
	if (slot.decision !== null && equalBytes(slot.decision.digest, accepted.digest)) return;
	const { view, digest } = accepted;
	const statement = statementOf(core, "commit", slot, digest);
	const commits = collectVotes(core, slot.commits, statement, quorumOf(core.configuration));
	if (commits === null) return;
	const certificate: CommitCertificate = { epoch: core.configuration.epoch, view, sequence, digest, commits };
	shareCommits(core, certificate);
	decide(core, slot, certificate);
}

/** The collector shows a quorum's votes: as good as if each had sent its own. One bad signature makes it nothing, and is its doing. */
export function handleVoteCertificate(core: PbftCore, from: NodeId, message: VoteCertificate): void {
	const { phase, view, sequence, digest } = message;
	if (!isInWindow(core, sequence) || core.slots.get(sequence)?.decision) return;
	if (phase === "prepare" && (view !== core.view || !core.isActive)) return;
	const votes = verifyVoteCertificate(core, message);
	if (votes === null) {
		suspect(core, from, "unproved-certificate");
		return;
	}
	const slot = slotAt(core, sequence);
	if (view === core.view && core.isActive) {
		for (const { sender, signature } of votes) {
			if (sender === core.config.nodeId) continue;
			examineAgainstVotes(core, sender, slot, phase, { digest, signature });
			const kept = phase === "prepare" ? slot.prepares : slot.commits;
			if (kept.get(sender)?.isVerified !== true) kept.set(sender, { digest, signature, isVerified: true });
		}
	}
	if (phase === "commit") {
		decide(core, slot, { epoch: message.epoch, view, sequence, digest, commits: votes });
		return;
	}
	acceptHeld(core, slot);
	checkPrepared(core, slot);
}
