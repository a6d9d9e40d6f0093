/**
 * Acknowledgements of view changes, where votes are authenticated (TOCS §4.5). A liar can send a view change that is good for the new
 * primary and nobody else, and the primary could show it to nobody: so it counts only what a quorum has, its sender and itself included.
 * f + 1 correct members can then pass it on to whoever lacks it, which believes f + 1 that say the same.
 */
import type { NodeId } from "../core/index.ts";
import { equalBytes } from "./bytes.ts";
import { leads } from "./claimed-view.ts";
import { judgeOf, type PbftCore, sendImmediate } from "./core.ts";
import { type Digest, primaryOf } from "./entities.ts";
import type { ViewChange, ViewChangeAck } from "./messages.ts";
import { viewChangeStatement } from "./new-view-plan.ts";
import { quorumOf } from "./quorum.ts";
import { refuseWord } from "./refusal.ts";
import { acknowledgementStatement, isSigned } from "./statements.ts";
import { isAuthenticated, sign, signAgain } from "./vote-authentication.ts";

/** Tells the primary of its view that this member has a view change. Said again each time it comes, since the word may be lost. */
export function acknowledge(core: PbftCore, sender: NodeId, { epoch, view }: ViewChange, digest: Digest): void {
	if (!isAuthenticated(core) || leads(core, view)) return;
	const primary = primaryOf(core.configuration, view);
	if (primary === sender) return;
	const said = { epoch, view, sender, digest };
	const signature = sign(core, acknowledgementStatement(core.crypto.digest, said), [primary]);
	sendImmediate(core, primary, { type: "view-change-ack", ...said, signature });
}

/** @returns whether it is one that counts */
export function handleViewChangeAck(core: PbftCore, from: NodeId, message: ViewChangeAck): boolean {
	const { view, sender, signature } = message;
	if (!isAuthenticated(core) || !leads(core, view)) return false;
	if (view < core.view || (view === core.view && core.isActive)) return false;
	if (!core.configuration.members.includes(sender)) return false;
	const { cluster, verifier } = judgeOf(core);
	const statement = acknowledgementStatement(core.crypto.digest, message);
	if (!isSigned(cluster, verifier, { sender: from, signature }, statement)) {
		refuseWord(core, { sender: from, signature }, statement);
		return false;
	}
	const known = core.acknowledgements.get(sender) ?? new Map<NodeId, ViewChangeAck>();
	if ((known.get(from)?.view ?? 0) > view) return false;
	known.set(from, message);
	core.acknowledgements.set(sender, known);
	return true;
}

/** Whether a new view may rest on a view change: it proves itself, or a quorum has it. */
export function isHeldByQuorum(core: PbftCore, sender: NodeId, view: number, digest: Digest): boolean {
	if (!isAuthenticated(core)) return true;
	const holders = new Set([core.config.nodeId, sender]);
	for (const [member, ack] of core.acknowledgements.get(sender) ?? []) {
		const isOfMember = core.configuration.members.includes(member);
		if (isOfMember && ack.view === view && equalBytes(ack.digest, digest)) holders.add(member);
	}
	// The primary sends its own to everyone, and nobody acknowledges it: a new view that names another is refused by all.
	return sender === core.config.nodeId || holders.size >= quorumOf(core.configuration);
}

/** This member's view change, under the keys that others have now. */
export function viewChangeAgain(core: PbftCore, message: ViewChange): ViewChange {
	return { ...message, signature: signAgain(core, viewChangeStatement(judgeOf(core), message), message.signature) };
}
