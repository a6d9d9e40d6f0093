/** PBFT's nouns: what messages, certificates, states and disks are made of. */
import type { Brand, NodeId } from "../core/index.ts";

/** Numbers a view; the primary of view v is member `v mod n` of the configuration (OSDI'99 §4). */
export type ViewNumber = Brand<number, "ViewNumber">;
/** Numbers a slot of the order, from 1; never reset, not even by a view change. */
export type SequenceNumber = Brand<number, "SequenceNumber">;
/** Numbers a configuration; grows by one with each ordered change of membership. */
export type Epoch = Brand<number, "Epoch">;
/** What the crypto port's `digest` returns. */
export type Digest = Uint8Array;

/** Who agrees, and how many of them may be faulty. */
export interface Configuration {
	readonly epoch: Epoch;
	/** In code-unit order, without duplicates; `members.length >= 3 × faults + 1`. */
	readonly members: readonly NodeId[];
	/** f: members that may behave arbitrarily. */
	readonly faults: number;
}

/** A change of membership that is ordered and not in force yet. */
export interface PendingChange {
	readonly configuration: Configuration;
	/** The last slot of the epoch before it, always a checkpoint: what is behind it is agreed by the new members. */
	readonly effectiveAfter: SequenceNumber;
}

/**
 * What a request asks for. A `command` changes the application's state, a `query` reads it in its place of the order. A `read` is
 * answered from the present state without being ordered; its client needs a quorum of equal answers (OSDI'99 §5.1.3), and asks
 * again by a `query` if it gets none. A `configure` changes who the members are: see `MembershipOperation`.
 */
export type RequestKind = "command" | "query" | "read" | "configure";

/** What a client asks, authenticated by the client itself (OSDI'99 §4.1). */
export interface ClientRequest {
	readonly client: NodeId;
	/** Grows with each request of one client; the pair names the request for ever. */
	readonly timestamp: number;
	readonly kind: RequestKind;
	readonly operation: Uint8Array;
	/** By the client's enrolled key, over `requestStatement`; empty when {@link ClientRequest.macs} are given instead. */
	readonly signature: Uint8Array;
	/** One authenticator a member, see `authenticators.ts`; may be empty. Cheaper than a signature, and checkable by its member alone. */
	readonly macs: Uint8Array;
}

/** What one slot orders. */
export interface Batch {
	readonly requests: readonly ClientRequest[];
	/**
	 * What the application may not find out by itself without replicas differing, such as the time: chosen by the primary,
	 * checked by backups (OSDI'99 §4.6). Empty where the host offers no choices.
	 */
	readonly choice: Uint8Array;
}

/** One member's signature under a statement that stands beside it. */
export interface Vote {
	readonly sender: NodeId;
	readonly signature: Uint8Array;
}

/** Proof that a slot was prepared in a view: the primary's pre-prepare and matching prepares of a quorum less one of backups. */
export interface PreparedProof {
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
	/** The primary's signature under its pre-prepare. */
	readonly prePrepare: Uint8Array;
	readonly prepares: readonly Vote[];
}

/** Proof that a slot is decided, for anyone who knows the members' keys: commits of a quorum. */
export interface CommitCertificate {
	readonly epoch: Epoch;
	readonly view: ViewNumber;
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
	readonly commits: readonly Vote[];
}

/** Proof that a quorum came to the same state at a sequence number. */
export interface CheckpointCertificate {
	readonly epoch: Epoch;
	readonly sequence: SequenceNumber;
	/** Of the {@link CheckpointState}. */
	readonly digest: Digest;
	readonly votes: readonly Vote[];
}

/**
 * The whole replicated state at a checkpoint, with the application's part by the root of its hash tree. Its digest is what
 * members vote for, so it covers service, clients, membership and the history that led there.
 */
export interface CheckpointState {
	readonly sequence: SequenceNumber;
	/** Of the slots behind it: at the last slot of an epoch, of the next epoch already. */
	readonly configuration: Configuration;
	/** Null if no change is under way. */
	readonly pending: PendingChange | null;
	/** The configurations before, ascending by epoch, at most {@link PAST_CONFIGURATIONS_MAX}: evidence of those epochs is still judged. */
	readonly history: readonly Configuration[];
	/** Digest chain over all decisions so far. */
	readonly chain: Digest;
	/** The choice of the last batch. */
	readonly choice: Uint8Array;
	/** Executed timestamps by client, both ascending. */
	readonly clients: readonly { readonly client: NodeId; readonly timestamps: readonly number[] }[];
	/** Root of the tree over the parts of the application's snapshot (RFC 9162 §2.1.1). */
	readonly root: Digest;
	readonly sizeBytes: number;
	/** Size of each part but the last. */
	readonly partBytes: number;
}

/** Past configurations in the replicated state. */
export const PAST_CONFIGURATIONS_MAX = 16;

/** A {@link CheckpointState} with its clients by their digest: what its own digest is over, and short. */
export interface CheckpointHeader extends Omit<CheckpointState, "clients"> {
	readonly clients: Digest;
}

/**
 * Proof that an epoch has begun: the members of the epoch before have certified the state at its last slot, which names who comes after
 * them. Who knows one configuration learns every later one by a chain of these.
 */
export interface EpochProof {
	readonly certificate: CheckpointCertificate;
	readonly header: CheckpointHeader;
}

/** A slot that a new view proposes again: the digest that was prepared in the highest view, or the null request's. */
export interface Proposal {
	readonly sequence: SequenceNumber;
	readonly digest: Digest;
	/** The new primary's signature under its pre-prepare. */
	readonly signature: Uint8Array;
}

export function sequenceAfter(sequence: SequenceNumber, steps = 1): SequenceNumber {
	return (sequence + steps) as SequenceNumber;
}
export function viewAfter(view: ViewNumber): ViewNumber {
	return (view + 1) as ViewNumber;
}
/** The member that leads a view. */
export function primaryOf({ members }: Configuration, view: ViewNumber): NodeId {
	return members[view % members.length] as NodeId;
}
