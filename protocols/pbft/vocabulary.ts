/**
 * PBFT's bundle of types for the contract of `protocols/core`: what enters and leaves a PBFT machine beside its messages. The
 * nouns are in `entities.ts`, message types and their layouts in `messages.ts`.
 */
import type { NodeId, ProtocolTypes, RequestId } from "../core/index.ts";
import type {
	Batch,
	CheckpointCertificate,
	CheckpointState,
	ClientRequest,
	CommitCertificate,
	Digest,
	EpochProof,
	PreparedProof,
	SequenceNumber,
	ViewNumber,
} from "./entities.ts";
import type { PbftEvent } from "./events.ts";
import type { Conflict, Evidence } from "./evidence.ts";
import type { NewView, PbftMessage, ViewChange } from "./messages.ts";

/** A view that was opened, with the bodies that its opening names. */
export interface OpenedView {
	readonly message: NewView;
	readonly bodies: readonly { readonly sender: NodeId; readonly viewChange: ViewChange }[];
}

/** Where a member is in the order of views, replaced as a whole. */
export interface ViewRecord {
	readonly view: ViewNumber;
	/** Entered, and not only asked for. */
	readonly isActive: boolean;
	/** The view change that was sent for `view`: after a restart the same is sent again, never another. */
	readonly viewChange: ViewChange | null;
	/** What opened the last view that was entered here; null in view 0. */
	readonly opened: OpenedView | null;
	/** Why this member has stopped for good. */
	readonly alarm: Conflict | null;
	/** Of the keys by which others speak to this member; absent before the first refresh. */
	readonly keyGeneration?: number;
	/** The first evidence against each member that is convicted here; absent while nobody is. */
	readonly evidence?: readonly Evidence[];
}

/** What a member must not forget of one slot. Records of slots up to the base are of no use any more. */
export type JournalRecord =
	/** The one digest that this member speaks for in that view. The body is null for the null request, or while it is not here. */
	| {
			readonly type: "accepted";
			readonly sequence: SequenceNumber;
			readonly view: ViewNumber;
			readonly digest: Digest;
			/** Of the primary. */
			readonly signature: Uint8Array;
			readonly batch: Batch | null;
	  }
	| { readonly type: "body"; readonly sequence: SequenceNumber; readonly batch: Batch }
	| { readonly type: "prepared"; readonly sequence: SequenceNumber; readonly proof: PreparedProof }
	| { readonly type: "decided"; readonly sequence: SequenceNumber; readonly certificate: CommitCertificate };

/** The checkpoint from which a restart begins: its state is on this member's disk, and proved. */
export interface BaseRecord {
	readonly certificate: CheckpointCertificate;
	readonly state: CheckpointState;
	/** How it is known who the members of the certificate's epoch and of the state's are; ascending. */
	readonly epochs: readonly EpochProof[];
}

/** The content of one persist, performed in the order of the fields, atomically. */
export interface PbftWrite {
	readonly view?: ViewRecord;
	/** The last stable checkpoint that this member knows of: the water marks that its votes rest on. */
	readonly stable?: CheckpointCertificate;
	/** Continues the journal, whose first record has index 1. */
	readonly append?: { readonly firstIndex: number; readonly records: readonly JournalRecord[] };
	/** Parts of a state that is being received, in order; index 0 begins anew and drops every part received before. */
	readonly parts?: readonly {
		readonly sequence: SequenceNumber;
		readonly index: number;
		readonly data: Uint8Array;
	}[];
	/**
	 * The snapshot at this sequence number, captured by a `take-checkpoint` (or received, if so) replaces the one before for
	 * good. Captures of earlier ones can be let go.
	 */
	readonly base?: BaseRecord & { readonly isReceived: boolean };
	/** Remove the records up to and including this index. */
	readonly compactThrough?: number;
}

/** A part of the state at a checkpoint, for a peer: of a capture, or of the durable one. */
export interface PbftRead {
	readonly sequence: SequenceNumber;
	/** 0-based. */
	readonly index: number;
}
export type PbftReadResult =
	| {
			readonly type: "part";
			readonly sequence: SequenceNumber;
			readonly index: number;
			readonly data: Uint8Array;
			/** From the part to the root (RFC 9162 §2.1.3). */
			readonly path: readonly Digest[];
	  }
	| { readonly type: "missing"; readonly sequence: SequenceNumber; readonly index: number };

/** What a local client may ask. */
export interface PbftRequest {
	readonly type: "submit";
	/** As a client made it: it is checked like everything from outside. */
	readonly request: ClientRequest;
}

/** Why a request was refused here. Another member may still have it ordered, unless its timestamp is too old. */
export type PbftRefusal =
	| { readonly reason: "malformed" }
	| { readonly reason: "unauthenticated" }
	/** f + 1 members could not check this client's authenticators: its requests count with a signature only. */
	| { readonly reason: "signature-required" }
	| { readonly reason: "too-many-waiting"; readonly limit: number }
	/** The client's window has moved past this timestamp; whether it was executed is not known any more. */
	| { readonly reason: "stale-timestamp" }
	/** The client's table is full: executed as nothing, everywhere. */
	| { readonly reason: "too-many-clients"; readonly limit: number }
	/** This one is no member, any more or yet. */
	| { readonly reason: "not-a-member" }
	/** This member has stopped: two decisions of one slot were shown to it. */
	| { readonly reason: "halted" };

/** What the machine itself answers; results are the application's. */
export type PbftReply = { readonly type: "refused" } & PbftRefusal;

/** What the application side of the host performs, strictly in order. */
export type PbftDelivery =
	/** Execute requests, each new to its client; `requestIds[i]` are the local requests that wait for `requests[i]`. */
	| {
			readonly type: "execute";
			readonly sequence: SequenceNumber;
			/** The view in which this member is, for the replies. */
			readonly view: ViewNumber;
			readonly requests: readonly ClientRequest[];
			/** Null when no local request waits for any of them. */
			readonly requestIds: readonly (readonly RequestId[])[] | null;
			readonly choice: Uint8Array;
			/** `outcomes[i]` is the result of `requests[i]` if that is of kind `configure`. Absent when none is. */
			readonly outcomes?: readonly (Uint8Array | null)[];
	  }
	/** The same before the slot is committed: it must be possible to undo, by the next `roll-back`, until a `confirm` of the slot. */
	| {
			readonly type: "execute-tentatively";
			readonly sequence: SequenceNumber;
			readonly view: ViewNumber;
			readonly requests: readonly ClientRequest[];
			readonly requestIds: readonly (readonly RequestId[])[] | null;
			readonly choice: Uint8Array;
	  }
	/** What was executed tentatively in this slot is committed: the same requests, with those who have asked since. */
	| {
			readonly type: "confirm";
			readonly sequence: SequenceNumber;
			readonly view: ViewNumber;
			readonly requests: readonly ClientRequest[];
			readonly requestIds: readonly (readonly RequestId[])[] | null;
	  }
	/** Undo what was executed tentatively in this slot. */
	| { readonly type: "roll-back"; readonly sequence: SequenceNumber }
	/** Answer what was executed before, from the kept replies. */
	| {
			readonly type: "repeat-reply";
			readonly requestId: RequestId;
			readonly client: NodeId;
			readonly timestamp: number;
			readonly view: ViewNumber;
	  }
	/** Answer a read from the state as it is now. */
	| {
			readonly type: "query";
			readonly requestId: RequestId;
			readonly request: ClientRequest;
			readonly view: ViewNumber;
	  }
	/**
	 * Capture the state as it is now, report `snapshot-ready`. The capture is kept, in memory is enough, until a `base` of this or a
	 * later sequence number is written: the records from which it can be made again are on the disk until then.
	 */
	| { readonly type: "take-checkpoint"; readonly sequence: SequenceNumber }
	/** Load the durable snapshot, replacing the application's state; later deliveries wait for it. */
	| { readonly type: "restore-checkpoint"; readonly state: CheckpointState };

/** A captured state. */
export interface PbftSnapshot {
	readonly sequence: SequenceNumber;
	/** Of the tree over its parts of `statePartBytes`. */
	readonly root: Digest;
	readonly sizeBytes: number;
}

/** What a restart gets. A first boot has view 0, active, no base and no records. */
export interface PbftDurable {
	readonly view: ViewRecord;
	/** Null at the beginning of the order. Never before the base. */
	readonly stable: CheckpointCertificate | null;
	readonly base: BaseRecord | null;
	/** The index of `records[0]`; 1 when nothing was removed. */
	readonly firstIndex: number;
	readonly records: readonly JournalRecord[];
}

/**
 * `request`: a known request waits for its execution. `view-change`: a quorum has left the view and the next does not begin.
 * `batch`: requests gather at the primary. `status`: tell the others where this member is. `transfer`: a part is due. `guard`: a period in
 * which the primary is measured is over. `heartbeat`: it has begun nothing for long. `recovery`:
 * this member is to recover. `forward`: what the primary was asked too should be proposed by now. `collector`: a certificate of the collector is due. `keys`: session keys
 * are to be renewed.
 */
export type PbftTimer =
	| "request"
	| "view-change"
	| "batch"
	| "forward"
	| "status"
	| "transfer"
	| "guard"
	| "heartbeat"
	| "recovery"
	| "collector"
	| "keys";

export interface PbftTypes extends ProtocolTypes {
	readonly message: PbftMessage;
	readonly request: PbftRequest;
	readonly reply: PbftReply;
	readonly timer: PbftTimer;
	readonly write: PbftWrite;
	readonly read: PbftRead;
	readonly readResult: PbftReadResult;
	readonly delivery: PbftDelivery;
	readonly snapshot: PbftSnapshot;
	readonly event: PbftEvent;
	readonly durable: PbftDurable;
}
