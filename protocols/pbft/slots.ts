/** The slots between the water marks, and the votes in them. */
import type { NodeId } from "../core/index.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import { type HeldVote, highOf, judgeOf, type PbftCore, type Slot } from "./core.ts";
import type { Batch, Digest, SequenceNumber, Vote } from "./entities.ts";
import { refuseWord } from "./refusal.ts";
import { isSigned, type Statement } from "./statements.ts";

/** Whether h < sequence <= H (OSDI'99 §4.2). */
export function isInWindow(core: PbftCore, sequence: SequenceNumber): boolean {
	return sequence > core.low && sequence <= highOf(core);
}

/** The slot of a sequence number, opened if it was not. */
export function slotAt(core: PbftCore, sequence: SequenceNumber): Slot {
	let slot = core.slots.get(sequence);
	if (slot === undefined) {
		slot = {
			sequence,
			accepted: null,
			bodies: new Map(),
			held: null,
			prepares: new Map(),
			commits: new Map(),
			isPrepared: false,
			everAccepted: [],
			prepared: null,
			decision: null,
			age: 0,
			firstRecord: null,
		};
		core.slots.set(sequence, slot);
	}
	return slot;
}

/** The batch of a digest, null for the null request, undefined when it is not here. */
export function bodyOf(core: PbftCore, slot: Slot, digest: Digest): Batch | null | undefined {
	return equalBytes(digest, core.nothing) ? null : slot.bodies.get(hexOf(digest));
}

/** Forgets what belongs to the view that is left; what was prepared or decided stays. */
export function resetForView(slot: Slot): void {
	slot.accepted = null;
	slot.held = null;
	slot.prepares = new Map();
	slot.commits = new Map();
	slot.isPrepared = false;
	slot.age = 0;
	const wanted = [slot.prepared?.digest, slot.decision?.digest, ...slot.everAccepted.map(({ digest }) => digest)];
	const kept = wanted.map((digest) => (digest ? hexOf(digest) : ""));
	for (const key of slot.bodies.keys()) if (!kept.includes(key)) slot.bodies.delete(key);
}

/**
 * The votes for a statement that are checked, if there are `needed` of them: distinct senders, each by its own signature. A bad
 * signature is found here, and forgotten.
 */
export function collectVotes(
	core: PbftCore,
	votes: Map<NodeId, HeldVote>,
	statement: Statement,
	needed: number,
	isCounted: (sender: NodeId) => boolean = () => true,
): readonly Vote[] | null {
	// Most votes come before or after the one that makes a quorum.
	if (votes.size < needed) return null;
	const { members } = core.configuration;
	const candidates = [...votes].filter(
		([sender, vote]) => members.includes(sender) && isCounted(sender) && equalBytes(vote.digest, statement.digest),
	);
	if (candidates.length < needed) return null;
	const counted: Vote[] = [];
	for (const [sender, vote] of candidates) {
		if (counted.length === needed) break;
		if (isGood(core, sender, vote, statement)) counted.push({ sender, signature: vote.signature });
		else votes.delete(sender);
	}
	return counted.length >= needed ? counted : null;
}

/** Whether a vote's signature is good, checked at most once. */
export function isGood(core: PbftCore, sender: NodeId, vote: HeldVote, statement: Statement): boolean {
	if (vote.isVerified) return true;
	const { cluster, verifier } = judgeOf(core);
	const word = { sender, signature: vote.signature };
	vote.isVerified = isSigned(cluster, verifier, word, statement);
	if (!vote.isVerified) refuseWord(core, word, statement);
	return vote.isVerified;
}
