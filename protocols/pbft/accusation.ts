/**
 * What this member does with proofs against others: it keeps and publishes the first, follows nobody who is convicted, and stops when
 * history has split.
 *
 * A convicted member leads no view (the paper leaves a primary for slowness alone). Why no correct member is left behind by that: (1) only
 * evidence counts that everyone of the epoch can check, by the configurations that all of them have in common and within a bound, and it
 * travels with the view change of whoever acts on it, again with each repetition; so all correct members come to the same members that are
 * passed over. (2) At most f are, so of f + 1 views in a row one is led by another, and with more nobody is any more: then the group is
 * beyond what it bears, and views go round as they do without evidence. (3) A primary that nobody can convict is left as before, by time.
 */
import type { NodeId } from "../core/index.ts";
import { equalBytes } from "./bytes.ts";
import { broadcast, emit, isMember, judgeOf, type PbftCore, suspect } from "./core.ts";
import { type CheckpointCertificate, type CommitCertificate, primaryOf, type ViewNumber } from "./entities.ts";
import {
	type Conflict,
	type Evidence,
	isContradiction,
	isOmission,
	isTooLarge,
	verifyConflict,
	verifyEvidence,
} from "./evidence.ts";
import type { Accusation, ViewChange } from "./messages.ts";
import { isSigned, type Statement } from "./statements.ts";
import { isAuthenticated } from "./vote-authentication.ts";

/** Convicts a member by evidence that was checked. Only the first counts; one is enough. */
export function convict(core: PbftCore, evidence: Evidence): void {
	// What only authenticators prove convinces nobody else.
	if (isAuthenticated(core)) return;
	const { culprit } = evidence;
	if (core.convicted.has(culprit) || !isMember(core, culprit)) return;
	keepEvidence(core, evidence);
	if (convincesAll(core, evidence)) core.deposed.add(culprit);
}

function keepEvidence(core: PbftCore, evidence: Evidence): void {
	const isFirst = !core.convicted.has(evidence.culprit);
	core.convicted.set(evidence.culprit, evidence);
	core.unsaved.isConviction = true;
	if (isFirst) emit(core, { type: "evidence", evidence });
}

/** Whether everyone of this epoch is convinced by it: what else this member has learnt of the past must not matter. */
function convincesAll(core: PbftCore, evidence: Evidence): boolean {
	if (isTooLarge(evidence)) return false;
	const inCommon = [core.configuration, ...core.history];
	const configurationOf: CertifiedEpochs = (epoch) => inCommon.find((known) => known.epoch === epoch) ?? null;
	return verifyEvidence(evidence, { ...judgeOf(core), configurationOf });
}

type CertifiedEpochs = ReturnType<typeof judgeOf>["configurationOf"];

/** Another epoch has begun, or another life: what convinces everyone there may be something else. */
export function reconsiderConvictions(core: PbftCore): void {
	core.deposed = new Set();
	for (const [culprit, evidence] of core.convicted)
		if (isMember(core, culprit) && convincesAll(core, evidence)) core.deposed.add(culprit);
}

/** Whether no correct member follows the primary of a view. */
export function isPassedOver({ deposed, configuration }: PbftCore, view: ViewNumber): boolean {
	if (deposed.size === 0 || deposed.size > configuration.faults) return false;
	return deposed.has(primaryOf(configuration, view));
}

/** The evidence by which views are passed over. */
export function accusationsOf({ configuration, convicted, deposed }: PbftCore): Accusation[] {
	const { epoch } = configuration;
	return [...convicted]
		.filter(([culprit]) => deposed.has(culprit))
		.map(([, evidence]) => ({ type: "accusation", epoch, evidence }));
}

/** Somebody shows why it follows a member no more: by this, and not by its word, so does this member. */
export function handleAccusation(core: PbftCore, from: NodeId, { evidence }: Accusation): void {
	const { culprit } = evidence;
	if (core.deposed.has(culprit) || culprit === core.config.nodeId || isAuthenticated(core)) return;
	if (!isMember(core, culprit) || !convincesAll(core, evidence)) {
		suspect(core, from, "false-accusation");
		return;
	}
	keepEvidence(core, evidence);
	core.deposed.add(culprit);
}

/**
 * Looks at two statements under one member's name that no correct member makes both.
 * @returns whether both are signed, so that the member is convicted
 */
export function examine(
	core: PbftCore,
	culprit: NodeId,
	first: { readonly statement: Statement; readonly signature: Uint8Array },
	second: { readonly statement: Statement; readonly signature: Uint8Array },
): boolean {
	if (core.convicted.has(culprit) || !isContradiction(first.statement, second.statement)) return false;
	const { cluster, verifier } = judgeOf(core);
	for (const { statement, signature } of [first, second]) {
		if (!isSigned(cluster, verifier, { sender: culprit, signature }, statement)) return false;
	}
	if (isAuthenticated(core)) suspect(core, culprit, "contradicts-itself");
	convict(core, { type: "equivocation", culprit, first, second });
	return true;
}

/** Looks at what a member has said of something that a certificate has settled otherwise. The certificate is good. */
export function examineAgainst(
	core: PbftCore,
	culprit: NodeId,
	said: { readonly statement: Statement; readonly signature: Uint8Array },
	certificate: CheckpointCertificate | CommitCertificate,
): void {
	if (core.convicted.has(culprit) || equalBytes(said.statement.digest, certificate.digest)) return;
	const { cluster, verifier } = judgeOf(core);
	if (!isSigned(cluster, verifier, { sender: culprit, signature: said.signature }, said.statement)) return;
	convict(core, { type: "contradicts-certificate", culprit, said, certificate });
}

/** Looks whether a view change hides what its sender has committed to here. Its signature is good. */
export function examineOmission(core: PbftCore, culprit: NodeId, viewChange: ViewChange): void {
	if (core.convicted.has(culprit)) return;
	const { cluster, verifier } = judgeOf(core);
	for (const { accepted, sequence, commits } of core.slots.values()) {
		const vote = commits.get(culprit);
		if (accepted === null || vote === undefined) continue;
		const { epoch } = core.configuration;
		const statement: Statement = { type: "commit", epoch, view: accepted.view, sequence, digest: vote.digest };
		if (!isOmission(statement, viewChange)) continue;
		if (!isSigned(cluster, verifier, { sender: culprit, signature: vote.signature }, statement)) continue;
		const commit = { statement, signature: vote.signature };
		convict(core, { type: "false-view-change", culprit, commit, viewChange });
		return;
	}
}

/**
 * Two decisions of one slot: more members lie than the group can bear, and there is nothing that could be done without losing
 * one of them. The member keeps both, tells everyone, and stops; they are never merged.
 */
export function raiseAlarm(core: PbftCore, first: CommitCertificate, second: CommitCertificate): void {
	const conflict: Conflict = { first, second };
	// Where votes are authenticated this member's own knowledge has to do: it has come to both decisions by quorums or f + 1 words.
	const culprits = isAuthenticated(core) ? [] : verifyConflict(conflict, judgeOf(core));
	if (core.alarm !== null || culprits === null) return;
	for (const certificate of [first, second]) broadcast(core, { type: "decision", certificate, batch: null });
	core.alarm = conflict;
	// These rest on there being no more than f liars, which has just turned out to be wrong.
	for (const [member, { type }] of core.convicted) {
		if (type !== "contradicts-certificate") continue;
		core.convicted.delete(member);
		core.deposed.delete(member);
	}
	core.unsaved.isView = true;
	emit(core, { type: "alarm", conflict, culprits });
}
