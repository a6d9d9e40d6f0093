/**
 * `protocols/verification`: judges of protocols, generic over any state machine. {@link Property} is what they judge.
 *
 * Place: beside the protocols, below every host. It runs nothing by itself and knows no protocol; a protocol's own
 * properties and models stand in the protocol's room.
 */

export {
	type Anomaly,
	type AnomalyReport,
	type Answer,
	type Budget,
	casRegisterModel,
	checkLinearizability,
	checkListAppend,
	checkSessions,
	checkSet,
	counterModel,
	describeOperation,
	type FieldRule,
	type Foresight,
	type History,
	HistoryParser,
	HistoryRecorder,
	type Invocation,
	type Json,
	keyValueModel,
	LinearizabilityCheck,
	type LinearizabilityReport,
	type LockState,
	lockModel,
	type Model,
	type Offending,
	type Operation,
	type OperationRule,
	type Outcome,
	type PartitionReport,
	type PartitionVerdict,
	parseHistory,
	type QueueState,
	queueModel,
	type Refusal,
	refuseByRules,
	registerModel,
	type StoreState,
	type TransactionStep,
	type UnknownReason,
	type Verdict,
} from "./history/index.ts";
export type { GroupObservation } from "./observation.ts";
export type { Finding, FindingDetails, ObservationDepth, Property, PropertyKind, Watcher } from "./property.ts";
