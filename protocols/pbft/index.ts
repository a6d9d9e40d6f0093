/**
 * PBFT: a replicated order of requests for groups of which some members may do anything at all, up to `f < n / 3`.
 *
 * Source: Castro and Liskov, "Practical Byzantine Fault Tolerance" (OSDI 1999; "OSDI'99 §"), its journal version (TOCS 20(4), 2002;
 * "TOCS §") and Castro's thesis (MIT 2001), by default with signed votes: every vote can be shown to others, so proofs travel and liars
 * are convicted.
 *
 * {@link PbftMachine} is the pure part: the three phases with batching and a window of open slots, checkpoints, state transfer, view
 * changes, repetition of what was lost, evidence. {@link PbftApplier} is the application side with the replies of each client. A host
 * joins the two and performs effects. What a machine knows of cryptography is the `CryptoPort` that it is given.
 *
 * The network may drop, delay, duplicate and reorder. Safety needs no timing; progress needs messages to pass within the doubled
 * timeouts in the end. A member that lost its disk must come back as a new member. Beyond f faults nothing is promised; if two decisions
 * of one slot are seen, members stop and say so.
 *
 * Members change in the order itself (`reconfiguration.ts`), and recover now and then (`recovery.ts`). Modes of the same core: votes that
 * are authenticated instead of signed, with session keys that are renewed (`vote-authentication.ts`, `session-keys.ts`), and certificates by
 * a collector (`collector.ts`). A member that lags follows by votes that it keeps for later
 * (`kept-messages.ts`); one that needs a state must get it faster than the group comes from one checkpoint to the next.
 */
export {
	type CapturedState,
	type OrderedApplication,
	type PbftAnswer,
	PbftApplier,
	type PbftApplierSettings,
	type RequestAnswer,
} from "./applier.ts";
export { authenticatorsFor } from "./authenticators.ts";
export {
	type CertificateContext,
	type CertificateFault,
	type DecisionProof,
	verifyCertificate,
	verifyCheckpoint,
	verifyDecision,
	verifyPrepared,
} from "./certificates.ts";
export { type ChoicePort, noChoices } from "./choices.ts";
export { PBFT_MEMBERS_MAX, type PbftConfig, pbftConfig, validatePbftConfig } from "./config.ts";
export type {
	Batch,
	CheckpointCertificate,
	CheckpointHeader,
	CheckpointState,
	ClientRequest,
	CommitCertificate,
	Configuration,
	Digest,
	Epoch,
	EpochProof,
	PendingChange,
	PreparedProof,
	Proposal,
	RequestKind,
	SequenceNumber,
	ViewNumber,
	Vote,
} from "./entities.ts";
export { primaryOf } from "./entities.ts";
export { configContradiction, configInvalid, tooFewMembers } from "./errors.ts";
export type { PbftEvent, Suspicion } from "./events.ts";
export { type Conflict, type Evidence, type SignedStatement, verifyConflict, verifyEvidence } from "./evidence.ts";
export { pbftJournalLayouts, pbftLayouts, requestFields } from "./layouts.ts";
export { PbftMachine } from "./machine.ts";
export {
	decodeMembershipOutcome,
	encodeMembershipOperation,
	type MembershipOperation,
	type MembershipOutcome,
	type MembershipRefusal,
} from "./membership.ts";
export { isPartOf, partCount, partsOf, StateTree } from "./merkle.ts";
export type {
	Checkpoint,
	Commit,
	NewView,
	PbftMessage,
	PrePrepare,
	Prepare,
	Status,
	ViewChange,
} from "./messages.ts";
export type { ViewChangeContext } from "./new-view-plan.ts";
export { quorumOf, weakQuorumOf } from "./quorum.ts";
export { ReplyCollector, type SupportedReply, ViewEstimate } from "./reply-collector.ts";
export { batchDigest, requestDigest, requestStatement, type Statement, statementBytes } from "./statements.ts";
export type { PbftStatus } from "./status.ts";
export type { PbftView, SlotView } from "./view.ts";
export type {
	BaseRecord,
	JournalRecord,
	OpenedView,
	PbftDelivery,
	PbftDurable,
	PbftRead,
	PbftReadResult,
	PbftRefusal,
	PbftReply,
	PbftRequest,
	PbftSnapshot,
	PbftTimer,
	PbftTypes,
	PbftWrite,
	ViewRecord,
} from "./vocabulary.ts";
