/** What a PBFT machine tells its observers: data for event streams, metrics, audit and the properties. */
import type { NodeId } from "../core/index.ts";
import type {
	CommitCertificate,
	Configuration,
	Digest,
	Epoch,
	PendingChange,
	SequenceNumber,
	ViewNumber,
} from "./entities.ts";
import type { Conflict, Evidence } from "./evidence.ts";
import type { MembershipOperation } from "./membership.ts";

/** Why a member is suspected. None of it can be shown to a third, so nobody is convicted by it. */
export type Suspicion =
	| "malformed-message"
	| "bad-signature"
	| "unauthenticated-request"
	| "wrong-digest"
	| "not-the-primary"
	| "bad-choice"
	| "unproved-view-change"
	| "unproved-new-view"
	| "unproved-certificate"
	| "bad-state-part"
	| "false-accusation"
	| "too-many-offences"
	/** The primary did not get a known request executed in time, or brings less than is expected of it. */
	| "slow-primary"
	/** No certificate came from the collector in time. */
	| "slow-collector"
	/** It has said two things that no correct member says both; shown to nobody, since votes are authenticated. */
	| "contradicts-itself";

export type PbftEvent =
	/** A view was entered; its primary is the same at all who enter it. */
	| { readonly type: "view-entered"; readonly view: ViewNumber; readonly primary: NodeId; readonly low: SequenceNumber }
	/** This member wants the view and has left those before. */
	| {
			readonly type: "view-change-started";
			readonly view: ViewNumber;
			readonly reason: "timeout" | "joined" | "bad-new-view" | "slow-primary" | "convicted-primary";
	  }
	/** A slot is decided here, with its proof. */
	| { readonly type: "decided"; readonly certificate: CommitCertificate; readonly requests: number }
	/** All up to this slot was handed to the application. */
	| { readonly type: "executed"; readonly sequence: SequenceNumber; readonly digest: Digest; readonly chain: Digest }
	/** A checkpoint is stable: a quorum has this state. */
	| { readonly type: "checkpoint-stable"; readonly sequence: SequenceNumber; readonly digest: Digest }
	/** From now on others speak to this member under keys of this number. */
	| { readonly type: "keys-renewed"; readonly generation: number }
	/** So many words of a member came under keys that this one has renewed since, in one status period. They count for nothing and against nobody. */
	| { readonly type: "stale-words"; readonly member: NodeId; readonly count: number }
	| { readonly type: "transfer-started"; readonly sequence: SequenceNumber; readonly from: NodeId }
	/** A whole state was taken over: at a start from the disk, or from other members. Execution goes on behind it. */
	| {
			readonly type: "restored";
			readonly sequence: SequenceNumber;
			readonly chain: Digest;
			readonly from: "disk" | "transfer";
	  }
	/** A change of membership was executed: it is in force behind a later slot. */
	| ({
			readonly type: "change-ordered";
			readonly sequence: SequenceNumber;
			readonly operation: MembershipOperation;
	  } & PendingChange)
	/** From here on these are the members: `after` is the last slot that was agreed before, or that of the state that was taken over. */
	| {
			readonly type: "configuration-entered";
			readonly configuration: Configuration;
			readonly after: SequenceNumber;
	  }
	/** This member hears no quorum: the network is parted, or too many are down; see `contact.ts`. `missing` are those that it does not hear. */
	| { readonly type: "quorum-lost"; readonly missing: readonly NodeId[] }
	/** It hears a quorum again; `missing` are those that it still does not hear. */
	| { readonly type: "quorum-regained"; readonly missing: readonly NodeId[] }
	/** This member acts as if it had been tampered with. */
	| { readonly type: "recovery-started" }
	/** It has learnt how far the group is, and votes again, up to L above this. */
	| { readonly type: "recovery-estimated"; readonly sequence: SequenceNumber }
	/** Its state at this slot is one that a quorum has certified since. */
	| { readonly type: "recovered"; readonly sequence: SequenceNumber }
	/** This member is none any more, from this epoch on. */
	| { readonly type: "removed"; readonly epoch: Epoch }
	| { readonly type: "suspicion"; readonly member: NodeId; readonly reason: Suspicion }
	/** A member is convicted: the first evidence against it. */
	| { readonly type: "evidence"; readonly evidence: Evidence }
	/** Two decisions of one slot: this member has stopped for good. */
	| { readonly type: "alarm"; readonly conflict: Conflict; readonly culprits: readonly NodeId[] };
