/**
 * What a new view must propose, computed from the view changes that it rests on alone (OSDI'99 §4.4). The new primary computes
 * it to speak, every backup to check it.
 *
 * Why it is safe: (1) a decided slot has commits of a quorum, so a quorum has it prepared; (2) two quorums share a correct
 * member, so every set of a quorum of view changes holds a proof of it, unless a stable checkpoint of the set covers the slot;
 * (3) in one view two digests can not both be prepared for one slot, for the same reason; (4) by induction over views every later
 * proof for the slot names the same digest, so the proof of the highest view does. A slot without a proof is not decided, and
 * the null request may fill it.
 */
import type { NodeId } from "../core/index.ts";
import { type CertificateContext, type CertificateFault, verifyCheckpoint, verifyPrepared } from "./certificates.ts";
import {
	type CheckpointCertificate,
	type Configuration,
	type Digest,
	type PreparedProof,
	type SequenceNumber,
	sequenceAfter,
} from "./entities.ts";
import type { ViewChange } from "./messages.ts";
import { isSigned, type Statement, viewChangeDigest } from "./statements.ts";

export interface ViewChangeContext extends Omit<CertificateContext, "configuration"> {
	/** By epoch; null for one that is not known. */
	readonly configurationOf: (epoch: number) => Configuration | null;
	/** L, the same at all members. */
	readonly windowSize: number;
}

/** Why a view change is ignored as a whole. */
export type ViewChangeFault =
	| CertificateFault
	| "wrong-view"
	| "sequence-out-of-window"
	| "sequences-not-ascending"
	/** It can not be judged by who does not know the members of its checkpoint's epoch, so it proves nothing against its sender. */
	| "unknown-epoch";

/** The statement under a view change's signature. */
export function viewChangeStatement(context: Pick<ViewChangeContext, "verifier">, message: ViewChange): Statement {
	const { epoch, view } = message;
	const digest = viewChangeDigest(context.verifier.digest, message);
	return { type: "view-change", epoch, view, sequence: 0 as SequenceNumber, digest };
}

/** Whether `sender` has signed this view change: without that it is nobody's. */
export function isViewChangeSigned(context: ViewChangeContext, sender: NodeId, message: ViewChange): boolean {
	const configuration = context.configurationOf(message.epoch);
	if (configuration === null || !configuration.members.includes(sender)) return false;
	const vote = { sender, signature: message.signature };
	return isSigned(context.cluster, context.verifier, vote, viewChangeStatement(context, message));
}

/**
 * Checks everything in a view change but its signature. A false one counts for nothing (OSDI'99 §4.4), and hides no other.
 * @returns null if it is good, or what is wrong with it
 */
export function verifyViewChange(context: ViewChangeContext, message: ViewChange): ViewChangeFault | null {
	const { epoch, view, stable, prepared } = message;
	const configuration = context.configurationOf(epoch);
	if (configuration === null) return "unknown-epoch";
	if (view < 1) return "wrong-view";
	const from = stable?.sequence ?? 0;
	let previous = from;
	for (const proof of prepared) {
		if (proof.view >= view) return "wrong-view";
		if (proof.sequence <= from || proof.sequence > from + context.windowSize) return "sequence-out-of-window";
		if (proof.sequence <= previous) return "sequences-not-ascending";
		previous = proof.sequence;
	}
	if (stable !== null) {
		// Nobody in this epoch can act on what a later one has certified.
		if (stable.epoch > epoch) return "unknown-epoch";
		const stableConfiguration = context.configurationOf(stable.epoch);
		if (stableConfiguration === null) return "unknown-epoch";
		const fault = verifyCheckpoint(stable, { ...context, configuration: stableConfiguration });
		if (fault !== null) return fault;
	}
	for (const proof of prepared) {
		const fault = verifyPrepared(proof, { ...context, configuration });
		if (fault !== null) return fault;
	}
	return null;
}

/** Where a new view begins and what it proposes again. */
export interface NewViewPlan {
	/** The highest stable checkpoint of all view changes; null for the beginning of the order. */
	readonly stable: CheckpointCertificate | null;
	/** Slots above it, without a gap, up to the highest prepared one. */
	readonly slots: readonly { readonly sequence: SequenceNumber; readonly digest: Digest }[];
}

/** Computes the plan from valid view changes of a quorum. `nothing` is the null request's digest. */
export function planNewView(viewChanges: readonly ViewChange[], nothing: Digest): NewViewPlan {
	let stable: CheckpointCertificate | null = null;
	for (const viewChange of viewChanges) {
		if (viewChange.stable !== null && viewChange.stable.sequence > (stable?.sequence ?? 0)) stable = viewChange.stable;
	}
	const minimum = (stable?.sequence ?? 0) as SequenceNumber;
	const chosen = new Map<SequenceNumber, PreparedProof>();
	let maximum = minimum;
	for (const { prepared } of viewChanges) {
		for (const proof of prepared) {
			if (proof.sequence <= minimum) continue;
			const other = chosen.get(proof.sequence);
			if (other === undefined || proof.view > other.view) chosen.set(proof.sequence, proof);
			if (proof.sequence > maximum) maximum = proof.sequence;
		}
	}
	const slots: { sequence: SequenceNumber; digest: Digest }[] = [];
	for (let sequence = sequenceAfter(minimum); sequence <= maximum; sequence = sequenceAfter(sequence)) {
		slots.push({ sequence, digest: chosen.get(sequence)?.digest ?? nothing });
	}
	return { stable, slots };
}
