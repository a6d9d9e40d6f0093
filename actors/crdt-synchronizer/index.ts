/**
 * `actors/crdt-synchronizer`: replicated values as one member of a group sees them. `new CRDTSynchronizer("node-1", group)`,
 * `registerCRDT("request_counter", "G_COUNTER")`, `await synchronize()`; the replication is `protocols/crdt`.
 *
 * Members of one group are in one process here, and their values in memory: no threads, no disk, no other machines.
 */
export {
	type CRDTMetrics,
	CRDTSynchronizer,
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
