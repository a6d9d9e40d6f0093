/** What observers see of a PBFT machine, read where it stands: nothing is copied for them. */
import type { NodeId } from "../core/index.ts";
import type { PbftConfig } from "./config.ts";
import type {
	CheckpointCertificate,
	CommitCertificate,
	Configuration,
	Digest,
	PendingChange,
	PreparedProof,
	SequenceNumber,
	ViewNumber,
} from "./entities.ts";
import type { Conflict, Evidence } from "./evidence.ts";

/** One slot, for reading. */
export interface SlotView {
	readonly sequence: SequenceNumber;
	readonly accepted: { readonly view: ViewNumber; readonly digest: Digest } | null;
	readonly prepared: PreparedProof | null;
	readonly decision: CommitCertificate | null;
}

/** A PBFT machine, for reading; valid until its next step. */
export interface PbftView {
	readonly config: Pick<PbftConfig, "votes">;
	readonly configuration: Configuration;
	/** A change that is ordered and not in force. */
	readonly pending: PendingChange | null;
	/** The configurations before. */
	readonly history: readonly Configuration[];
	readonly view: ViewNumber;
	readonly isActive: boolean;
	readonly low: SequenceNumber;
	readonly stable: CheckpointCertificate | null;
	readonly executed: SequenceNumber;
	readonly chain: Digest;
	readonly slots: ReadonlyMap<SequenceNumber, SlotView>;
	readonly waiting: ReadonlyMap<string, unknown>;
	readonly convicted: ReadonlyMap<NodeId, Evidence>;
	readonly deposed: ReadonlySet<NodeId>;
	readonly hasLeft: boolean;
	/** A recovery that is under way; without an estimate it is not known how far the group is. */
	readonly recovery: { readonly estimate: SequenceNumber | null } | null;
	readonly alarm: Conflict | null;
	readonly keyGeneration: number;
	readonly peerGenerations: ReadonlyMap<NodeId, number>;
}
