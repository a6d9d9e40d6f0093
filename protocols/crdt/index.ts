/**
 * Conflict-free replicated data types: replicas that are updated without asking anybody, and that have the same value once
 * they have applied the same operations, in whatever order, however often.
 *
 * A {@link CrdtDocument} holds named parts (counters, flags, registers, sets, texts, lists, maps, records) under one causal context.
 * It gives deltas, differences to a context, and whole states, all in one canonical encoding.
 *
 * {@link ReplicaMachine} is a replica of a group as a state machine: its host gives it messages, timers and requests, and performs
 * what it asks for.
 *
 * Sources stand where they are used: delta states and causal contexts (Almeida et al., JPDC 2018), join decomposition (Enes et al., ICDE
 * 2019), observed-remove without tombstones (Bieniusa et al., RR-8083), FugueMax (Weidner and Kleppmann, TPDS 2025), escrow
 * (Balegas et al., SRDS 2015), hybrid logical clocks (Kulkarni et al., OPODIS 2014).
 *
 * {@link SignedReplica} is a replica among members that may lie. Without it nothing protects against them: a replica that gives one dot to
 * two operations makes others differ for good.
 *
 * Delivered is not decided: two replicas may each hold what the other one has not heard of.
 */
export { CausalContext, type CausalOrder, type Dot } from "./causality/causal-context.ts";
export { compareStamps, HybridClock, type Stamp } from "./causality/hybrid-clock.ts";
export { compareReplicas, incarnationOf, nodeOf, type ReplicaId, replicaId } from "./causality/replica.ts";
export type { ApplyOutcome } from "./document/apply.ts";
export type { ChangeSource, CrdtChange } from "./document/changes.ts";
export type { Collected } from "./document/collection.ts";
export type { Path } from "./document/container.ts";
export type { Difference } from "./document/difference.ts";
export { CrdtDocument, type DocumentOptions, type DocumentSize } from "./document/document.ts";
export { type PendingLimits, pendingLimitsDefault } from "./document/pending.ts";
export { ReconciledDocument } from "./document/reconciled-document.ts";
export { UNDO_GROUPS_MAX_DEFAULT, type UndoHistory } from "./document/undo.ts";
export type { Value } from "./encoding/value.ts";
export { HybridReplica, type Reconciled } from "./hybrid/hybrid-replica.ts";
export {
	type OrderedAnswer,
	type OrderedCommand,
	OrderedDocument,
	type OrderedQuery,
	type OrderedResult,
	type Requirement,
} from "./hybrid/ordered-document.ts";
export type {
	CollectionEvent,
	CollectionMessage,
	CollectionRecord,
	CollectionStep,
} from "./replica/collection-agreement.ts";
export { type CrdtCommand, performCommand } from "./replica/commands.ts";
export { type ReplicaConfig, replicaConfig, validateReplicaConfig } from "./replica/config.ts";
export { ReplicaMachine } from "./replica/machine.ts";
export {
	type CrdtDurable,
	type CrdtEvent,
	type CrdtMessage,
	type CrdtReply,
	type CrdtRequest,
	type CrdtTypes,
	type CrdtWrite,
	crdtLayouts,
} from "./replica/vocabulary.ts";
export type { Equivocation } from "./signed/graph.ts";
export { decodeOperation, type OperationId, type SignedOperation } from "./signed/operation.ts";
export {
	type SignedEvent,
	type SignedOutcome,
	SignedReplica,
	type SignedReplicaOptions,
} from "./signed/signed-replica.ts";
export type { BoundedCounter } from "./types/bounded-counter.ts";
export type { Counter } from "./types/counter.ts";
export type { Flag } from "./types/flag.ts";
export type { CrdtList } from "./types/list.ts";
export type { CrdtMap } from "./types/map.ts";
export type { LwwRegister, MvRegister } from "./types/register.ts";
export { type DocumentSchema, type LeafType, leafTypes, type Schema, validateSchema } from "./types/schema.ts";
export type { CrdtSet } from "./types/set.ts";
export type { CrdtText } from "./types/text.ts";
