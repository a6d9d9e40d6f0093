/**
 * The messages of PBFT; their layouts are in `layouts.ts`. The sender of a message is never inside: the host vouches for it (`from`), and
 * what is signed names it. Signatures are over `statementBytes` with the digest that each type documents.
 */
import type { NodeId } from "../core/index.ts";
import type {
	Batch,
	CheckpointCertificate,
	CheckpointState,
	ClientRequest,
	CommitCertificate,
	Digest,
	Epoch,
	EpochProof,
	PreparedProof,
	Proposal,
	SequenceNumber,
	ViewNumber,
} from "./entities.ts";
import type { Evidence } from "./evidence.ts";

/** Proofs of epochs that a member keeps and shows: one that was away for more changes of membership has to be told of later members. */
export const EPOCH_PROOFS_MAX = 64;

/** What the three messages of the normal case share: one member's signed word on one slot. */
interface SlotVote {
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
	/** Of the batch. */
	readonly digest: Digest;
	readonly signature: Uint8Array;
}
/** The primary assigns a sequence number to a batch (OSDI'99 §4.2). */
export interface PrePrepare extends SlotVote {
	readonly type: "pre-prepare";
	readonly batch: Batch;
}
/** A backup has accepted the pre-prepare. */
export interface Prepare extends SlotVote {
	readonly type: "prepare";
}
/** A member has the batch prepared. */
export interface Commit extends SlotVote {
	readonly type: "commit";
}
/** A member's state at a sequence number (OSDI'99 §4.3); signed with view 0. */
export interface Checkpoint {
	readonly type: "checkpoint";
	readonly epoch: Epoch;
	readonly sequence: SequenceNumber;
	/** Of the `CheckpointState`. */
	readonly digest: Digest;
	readonly signature: Uint8Array;
}
/** A digest of a slot, in a view: what a member says without showing it. */
export interface SlotClaim {
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
}
/** What a view change says in addition where votes are authenticated, so that `stable` and `prepared` prove nothing (TOCS §4.5). */
export interface ViewChangeClaims {
	/** C: the checkpoints that the sender has, the stable one among them; ascending. */
	readonly checkpoints: readonly { readonly sequence: SequenceNumber; readonly digest: Digest }[];
	/** Q: what it has pre-prepared above the stable one, each digest of a slot in the latest view in which it was; ascending by slot. */
	readonly prePrepared: readonly SlotClaim[];
}
/** A member leaves the views below this one (OSDI'99 §4.4); signed with sequence 0 over `viewChangeDigest`. */
export interface ViewChange {
	readonly type: "view-change";
	readonly epoch: Epoch;
	/** The view that it wants to enter. */
	readonly view: ViewNumber;
	/** C: proof of the last stable checkpoint known; null for the beginning of the order. */
	readonly stable: CheckpointCertificate | null;
	/** P: what is prepared here above that checkpoint, each in the latest view in which it was, by ascending sequence. */
	readonly prepared: readonly PreparedProof[];
	/** Only where votes are authenticated; `stable` and `prepared` are without votes then. */
	readonly claims?: ViewChangeClaims;
	readonly signature: Uint8Array;
}
/** Tells the primary of a view that the sender has this view change of another member (TOCS §4.5); only where votes are authenticated. */
export interface ViewChangeAck {
	readonly type: "view-change-ack";
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	/** Whose view change it is. */
	readonly sender: NodeId;
	/** Of the view change. */
	readonly digest: Digest;
	/** Over `acknowledgementDigest`, for the primary alone. */
	readonly signature: Uint8Array;
}
/** Why the sender leaves, or passes over, views that a member leads; whoever gets it convinces itself. */
export interface Accusation {
	readonly type: "accusation";
	readonly epoch: Epoch;
	readonly evidence: Evidence;
}
/** The sender refuses authenticators under earlier numbers from now on (TOCS §5.2.1); signed with the number as sequence, whatever votes carry. */
export interface NewKey {
	readonly type: "new-key";
	/** At least 1, and higher with each. */
	readonly generation: number;
	readonly signature: Uint8Array;
}
/** The primary of a view opens it (OSDI'99 §4.4); signed with sequence 0 over `newViewDigest`. */
export interface NewView {
	readonly type: "new-view";
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	/** V: the view changes that it rests on; a backup that lacks one fetches it. */
	readonly viewChanges: readonly { readonly sender: NodeId; readonly digest: Digest }[];
	/** O: every slot above the highest stable checkpoint of V up to the highest prepared one. */
	readonly proposals: readonly Proposal[];
	readonly signature: Uint8Array;
}
/** What the collector has gathered for a slot: a quorum's commits, or a quorum less one of prepares (see `collector.ts`). */
export interface VoteCertificate {
	readonly type: "vote-certificate";
	readonly phase: "prepare" | "commit";
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
	/** Bit i: the epoch's i-th member has signed. */
	readonly signers: number;
	/** Of the signers, in the order of the members. */
	readonly signatures: readonly Uint8Array[];
}
/** Requests of clients that a backup passes on to the primary. */
export interface Forward {
	readonly type: "forward";
	readonly requests: readonly ClientRequest[];
}
/** Asks what the sender of a prepare has accepted: it has prepared another digest than the primary has proposed here. */
export interface FetchProposal {
	readonly type: "fetch-proposal";
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
}
/** A pre-prepare without its batch, passed on: the signature is the primary's, and convicts it if it has signed another too. */
export interface ProposalShown extends SlotVote {
	readonly type: "proposal-shown";
}
/** The sender can not check the authenticator of a request that the primary has proposed: others could, or its client lies. */
export interface Unverifiable {
	readonly type: "unverifiable";
	readonly client: NodeId;
}
/** Asks for the body of a batch. */
export interface FetchBatch {
	readonly type: "fetch-batch";
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
}
/** The body of a batch; whoever asked knows its digest. */
export interface BatchBody {
	readonly type: "batch";
	readonly sequence: SequenceNumber;
	readonly batch: Batch;
}
/** Asks for a view change that a new view rests on. */
export interface FetchViewChange {
	readonly type: "fetch-view-change";
	readonly view: ViewNumber;
	readonly sender: NodeId;
	readonly digest: Digest;
}
/** A view change of another member, passed on; its signature says whose it is. */
export interface ViewChangeBody {
	readonly type: "view-change-body";
	readonly sender: NodeId;
	readonly viewChange: ViewChange;
}
/** Where a member is, so that others repeat what it lacks. It is believed in nothing else, so it is not signed. */
export interface Status {
	readonly type: "status";
	/** Not checked like that of other messages: who is in another epoch says so here. */
	readonly configurationEpoch: Epoch;
	readonly view: ViewNumber;
	readonly isActive: boolean;
	/** h: the last stable checkpoint. */
	readonly low: SequenceNumber;
	readonly executed: SequenceNumber;
	/** Digest chain over all decisions up to `executed`: replicas that differ find out here. */
	readonly chain: Digest;
}
/** A decision with its proof, for a member that is behind. */
export interface Decision {
	readonly type: "decision";
	readonly certificate: CommitCertificate;
	/** Null for the null request. */
	readonly batch: Batch | null;
}
/** Asks for the decisions in `[from, to]`: the sender has seen that they may differ from its own. */
export interface FetchDecisions {
	readonly type: "fetch-decisions";
	readonly from: SequenceNumber;
	readonly to: SequenceNumber;
}
/** A stable checkpoint with its proof, for a member that is too far behind for decisions. */
export interface StableCheckpoint {
	readonly type: "stable-checkpoint";
	readonly certificate: CheckpointCertificate;
	readonly state: CheckpointState;
	/** How the sender knows the members of the certificate's epoch and of the state's; ascending, at most {@link EPOCH_PROOFS_MAX}. */
	readonly epochs: readonly EpochProof[];
}
/** Asks for one part of the state at a checkpoint. */
export interface FetchPart {
	readonly type: "fetch-part";
	readonly sequence: SequenceNumber;
	/** 0-based. */
	readonly index: number;
}
/** One part of a state, with its path to the root that the checkpoint certifies. */
export interface StatePart {
	readonly type: "state-part";
	readonly sequence: SequenceNumber;
	readonly index: number;
	readonly data: Uint8Array;
	readonly path: readonly Digest[];
}

/** Asks where the group is: the sender recovers. */
export interface QueryStable {
	readonly type: "query-stable";
	/** Of the sender's present recovery. */
	readonly nonce: number;
}
/** Where a member is. It counts for itself alone, and only among a quorum's. */
export interface StableReport {
	readonly type: "stable-report";
	readonly nonce: number;
	/** Its last stable checkpoint. */
	readonly low: SequenceNumber;
	/** The last slot that it has prepared, or `low`. */
	readonly prepared: SequenceNumber;
}

export type PbftMessage =
	| PrePrepare
	| Prepare
	| Commit
	| Checkpoint
	| ViewChange
	| ViewChangeAck
	| Accusation
	| VoteCertificate
	| NewKey
	| NewView
	| Forward
	| Unverifiable
	| FetchProposal
	| ProposalShown
	| FetchBatch
	| BatchBody
	| FetchViewChange
	| ViewChangeBody
	| Status
	| Decision
	| FetchDecisions
	| StableCheckpoint
	| FetchPart
	| StatePart
	| QueryStable
	| StableReport;
