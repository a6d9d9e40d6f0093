/**
 * `actors/crdt-synchronizer`: replicated values as one member of a group sees them. `new CRDTSynchronizer("node-1", group)`,
 * `registerCRDT("request_counter", "G_COUNTER")`, `await synchronize()`; the replication is `protocols/crdt`.
 *
 * Synchronizers of one group are in one process; what they have is kept in memory, or with `CRDTSynchronizer.open` in a directory.
 * {@link CRDTConsensusIntegrator} adds strong reads, and commands in the order of a consensus group, to values that wait for nobody.
 * {@link ReplicaGroup} is the same with each replica in a thread of its own, under supervision.
 */
export {
	CRDTConsensusIntegrator,
	type CRDTConsensusIntegratorOptions,
	type HybridUpdated,
	type OrderedClient,
	type OrderedUpdated,
	orderedDocumentModule,
} from "./consensus-integrator.ts";
export {
	type CRDTMetrics,
	type CRDTStorageOptions,
	CRDTSynchronizer,
	type CRDTSynchronizerEvent,
	type CRDTSynchronizerOptions,
	type Synchronized,
	type Timing,
} from "./crdt-synchronizer.ts";
export type {
	CRDTOf,
	CRDTType,
	GCounterHandle,
	LWWRegisterHandle,
	ORMapHandle,
	ORSetHandle,
	PNCounterHandle,
	RGAHandle,
} from "./handles.ts";
export { type Exchange, type JoinExchange, joinLocally } from "./local-exchange.ts";
export {
	ReplicaGroup,
	type ReplicaGroupEvent,
	type ReplicaGroupOptions,
	type ReplicaTraffic,
} from "./replica-group.ts";
