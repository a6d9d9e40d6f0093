/**
 * Evidence of misbehaviour: objects that anyone with the members' keys can check, off line. A member is convicted by such a
 * proof alone (PeerReview, SOSP 2007); slowness, silence and bad signatures under somebody's channel are suspicion, and are no
 * evidence, since they can not be shown to a third.
 */
import { assertNever, type NodeId } from "../core/index.ts";
import { equalBytes } from "./bytes.ts";
import { type CertificateContext, verifyCertificate, verifyCheckpoint } from "./certificates.ts";
import {
	type CheckpointCertificate,
	type CommitCertificate,
	primaryOf,
	type SequenceNumber,
	type Vote,
} from "./entities.ts";
import type { NewView, ViewChange } from "./messages.ts";
import {
	isViewChangeSigned,
	planNewView,
	type ViewChangeContext,
	type ViewChangeFault,
	verifyViewChange,
	viewChangeStatement,
} from "./new-view-plan.ts";
import { quorumOf } from "./quorum.ts";
import { isSigned, newViewDigest, nullDigest, type Statement } from "./statements.ts";

/** A statement with one member's signature under it. */
export interface SignedStatement {
	readonly statement: Statement;
	readonly signature: Uint8Array;
}

export type Evidence =
	/**
	 * Two signed statements that no correct member makes both: of one slot in one view with two digests (of whatever phase), two
	 * states at one checkpoint, two view changes or new views for one view.
	 */
	| {
			readonly type: "equivocation";
			readonly culprit: NodeId;
			readonly first: SignedStatement;
			readonly second: SignedStatement;
	  }
	/**
	 * A signed state at a checkpoint, or a commit, that a certificate refutes: a quorum has another state there, or has committed to
	 * another digest in that view. (While at most f members are faulty: a quorum of liars could certify anything.)
	 */
	| {
			readonly type: "contradicts-certificate";
			readonly culprit: NodeId;
			readonly said: SignedStatement;
			readonly certificate: CheckpointCertificate | CommitCertificate;
	  }
	/** A signed view change whose proofs do not prove what it says. */
	| { readonly type: "bad-view-change"; readonly culprit: NodeId; readonly viewChange: ViewChange }
	/** A signed view change that leaves out what its sender had committed to in an earlier view. */
	| {
			readonly type: "false-view-change";
			readonly culprit: NodeId;
			readonly commit: SignedStatement;
			readonly viewChange: ViewChange;
	  }
	/** A signed new view that does not follow from the view changes which it names. */
	| {
			readonly type: "bad-new-view";
			readonly culprit: NodeId;
			readonly newView: NewView;
			/** The body of each that it names, in its order. */
			readonly viewChanges: readonly { readonly sender: NodeId; readonly viewChange: ViewChange }[];
	  };

/**
 * Two decisions of one slot: more members are faulty than the group can bear. It names culprits only if both are of one view:
 * those who signed both.
 */
export interface Conflict {
	readonly first: CommitCertificate;
	readonly second: CommitCertificate;
}

/** Byte strings in one piece of evidence, of which most are signatures to be checked: some 70 ms of Ed25519. */
export const EVIDENCE_BYTE_STRINGS_MAX = 512;

/** Whether it holds more signatures than one message may make a member check. */
export function isTooLarge(evidence: Evidence): boolean {
	return byteStringsIn(evidence) > EVIDENCE_BYTE_STRINGS_MAX;
}

function byteStringsIn(value: unknown): number {
	if (value instanceof Uint8Array) return 1;
	if (typeof value !== "object" || value === null) return 0;
	return Object.values(value).reduce((sum: number, inner: unknown) => sum + byteStringsIn(inner), 0);
}

/** Whether the evidence proves that its culprit is faulty. */
export function verifyEvidence(evidence: Evidence, context: ViewChangeContext): boolean {
	switch (evidence.type) {
		case "equivocation":
			return (
				isMemberOf(context, evidence.culprit, evidence.first.statement.epoch) &&
				isContradiction(evidence.first.statement, evidence.second.statement) &&
				isSignedBy(context, evidence.culprit, evidence.first) &&
				isSignedBy(context, evidence.culprit, evidence.second)
			);
		case "contradicts-certificate":
			return isRefuted(evidence, context);
		case "bad-view-change":
			return (
				isViewChangeSigned(context, evidence.culprit, evidence.viewChange) &&
				isProvedFalse(verifyViewChange(context, evidence.viewChange))
			);
		case "false-view-change":
			return (
				isOmission(evidence.commit.statement, evidence.viewChange) &&
				isSignedBy(context, evidence.culprit, evidence.commit) &&
				isViewChangeSigned(context, evidence.culprit, evidence.viewChange)
			);
		case "bad-new-view":
			return isBadNewView(evidence, context);
		default:
			return assertNever(evidence, "evidence");
	}
}

/**
 * Whether two decisions contradict each other, and who has signed both.
 * @returns null if they do not, or one proves nothing
 */
export function verifyConflict({ first, second }: Conflict, context: ViewChangeContext): readonly NodeId[] | null {
	if (first.sequence !== second.sequence || equalBytes(first.digest, second.digest)) return null;
	for (const certificate of [first, second]) {
		const configuration = context.configurationOf(certificate.epoch);
		if (configuration === null) return null;
		const certificateContext: CertificateContext = { ...context, configuration };
		if (verifyCertificate(certificate, certificateContext) !== null) return null;
	}
	if (first.view !== second.view || first.epoch !== second.epoch) return [];
	return first.commits.map(({ sender }) => sender).filter((sender) => second.commits.some((v) => v.sender === sender));
}

/** Statements on one slot speak for one digest in one view, in whichever phase. */
const slotTypes: readonly Statement["type"][] = ["pre-prepare", "prepare", "commit"];

/** Whether a correct member never makes both statements. */
export function isContradiction(a: Statement, b: Statement): boolean {
	if (a.epoch !== b.epoch || a.view !== b.view || a.sequence !== b.sequence) return false;
	if (equalBytes(a.digest, b.digest)) return false;
	return a.type === b.type || (slotTypes.includes(a.type) && slotTypes.includes(b.type));
}

/**
 * Whether a view change hides a commit of its sender: who commits has the slot prepared in that view, for ever until a stable
 * checkpoint covers it, so every later view change of its names the slot with that view or a later one.
 */
export function isOmission(commit: Statement, { epoch, view, stable, prepared }: ViewChange): boolean {
	if (commit.type !== "commit" || commit.epoch !== epoch || commit.view >= view) return false;
	if (commit.sequence <= (stable?.sequence ?? 0)) return false;
	return !prepared.some((proof) => proof.sequence === commit.sequence && proof.view >= commit.view);
}

function isRefuted(
	{ culprit, said, certificate }: Extract<Evidence, { type: "contradicts-certificate" }>,
	context: ViewChangeContext,
): boolean {
	const { statement } = said;
	const configuration = context.configurationOf(certificate.epoch);
	if (configuration === null || !isMemberOf(context, culprit, statement.epoch)) return false;
	if (statement.epoch !== certificate.epoch || statement.sequence !== certificate.sequence) return false;
	if (equalBytes(statement.digest, certificate.digest) || !isSignedBy(context, culprit, said)) return false;
	const certificateContext: CertificateContext = { ...context, configuration };
	if ("votes" in certificate) {
		return statement.type === "checkpoint" && verifyCheckpoint(certificate, certificateContext) === null;
	}
	const isOfOneView = statement.type === "commit" && statement.view === certificate.view;
	return isOfOneView && verifyCertificate(certificate, certificateContext) === null;
}

function isMemberOf({ configurationOf }: ViewChangeContext, member: NodeId, epoch: number): boolean {
	return configurationOf(epoch)?.members.includes(member) ?? false;
}

function isSignedBy(
	{ cluster, verifier }: ViewChangeContext,
	sender: NodeId,
	{ statement, signature }: SignedStatement,
): boolean {
	return isSigned(cluster, verifier, { sender, signature }, statement);
}

function isBadNewView(evidence: Extract<Evidence, { type: "bad-new-view" }>, context: ViewChangeContext): boolean {
	const { culprit, newView, viewChanges } = evidence;
	const { epoch, view, viewChanges: references, proposals, signature } = newView;
	const digest = newViewDigest(context.verifier.digest, references, proposals);
	const statement: Statement = { type: "new-view", epoch, view, sequence: 0 as SequenceNumber, digest };
	if (!isMemberOf(context, culprit, epoch) || !isSignedBy(context, culprit, { statement, signature })) return false;
	const areNamed =
		references.length === viewChanges.length &&
		references.every((reference, i) => {
			const named = viewChanges[i];
			if (named === undefined || named.sender !== reference.sender) return false;
			// A reference does not cover the signature, so one that is bad proves nothing against the primary.
			if (!isViewChangeSigned(context, named.sender, named.viewChange)) return false;
			return equalBytes(viewChangeStatement(context, named.viewChange).digest, reference.digest);
		});
	return areNamed && isProvedFalse(newViewFault(context, culprit, newView, viewChanges));
}

/** What can not be judged for want of knowledge is not false. */
export function isProvedFalse(fault: ViewChangeFault | NewViewFault | null): boolean {
	return fault !== null && fault !== "unknown-epoch";
}

/** Why a new view is refused. */
export type NewViewFault =
	| "not-the-primary"
	| "unknown-epoch"
	| "repeated-signer"
	| "too-few-view-changes"
	| "unproved-view-change"
	| "wrong-proposals"
	| "bad-signature";

/**
 * Recomputes a new view from the bodies of the view changes that it names, as every backup does (OSDI'99 §4.4).
 * @returns null if it follows from them
 */
export function newViewFault(
	context: ViewChangeContext,
	sender: NodeId,
	newView: NewView,
	bodies: readonly { readonly sender: NodeId; readonly viewChange: ViewChange }[],
): NewViewFault | null {
	const { epoch, view, proposals } = newView;
	const configuration = context.configurationOf(epoch);
	if (configuration === null) return "unknown-epoch";
	if (sender !== primaryOf(configuration, view)) return "not-the-primary";
	if (new Set(bodies.map((body) => body.sender)).size !== bodies.length) return "repeated-signer";
	if (bodies.length < quorumOf(configuration)) return "too-few-view-changes";
	for (const body of bodies) {
		const isOfThisView = body.viewChange.view === view && body.viewChange.epoch === epoch;
		if (!isOfThisView || !isViewChangeSigned(context, body.sender, body.viewChange)) return "unproved-view-change";
		const fault = verifyViewChange(context, body.viewChange);
		if (fault !== null) return fault === "unknown-epoch" ? fault : "unproved-view-change";
	}
	const plan = planNewView(
		bodies.map((body) => body.viewChange),
		nullDigest(context.verifier.digest),
	);
	const isPlan =
		plan.slots.length === proposals.length &&
		plan.slots.every(({ sequence, digest }, i) => {
			const proposal = proposals[i];
			return proposal !== undefined && proposal.sequence === sequence && equalBytes(proposal.digest, digest);
		});
	if (!isPlan) return "wrong-proposals";
	const primary = sender;
	for (const { sequence, digest, signature } of proposals) {
		const vote: Vote = { sender: primary, signature };
		const statement: Statement = { type: "pre-prepare", epoch, view, sequence, digest };
		if (!isSigned(context.cluster, context.verifier, vote, statement)) return "bad-signature";
	}
	return null;
}
