/**
 * `protocols/verification`: judges of protocols, generic over any state machine. {@link Property} is what they judge;
 * a {@link WatchList} watches many of them over one stream of observations, an {@link ObservedMachine} makes that stream.
 *
 * `history/` judges what clients saw: histories as data, {@link checkLinearizability} and the checkers of sets, sessions
 * and transactions.
 *
 * Place: beside the protocols, below every host. It runs nothing by itself and knows no protocol; a protocol's own
 * properties and models stand in the protocol's room.
 */
export { Crowd, type CrowdCounts, type CrowdNetwork, type CrowdOptions } from "./crowd.ts";
export { propertyRepeated, propertyThrew } from "./errors.ts";
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
	describeCallAndAnswer,
	describeOperation,
	type FieldRule,
	type Foresight,
	type History,
	HistoryParser,
	HistoryRecorder,
	type Invocation,
	type Json,
	keysOf,
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
export { IdealAuthority } from "./ideal-crypto.ts";
export type { GroupObservation } from "./observation.ts";
export { ObservedMachine, type ViewableMachine } from "./observed-machine.ts";
export {
	type Finding,
	type FindingDetails,
	holds,
	type ObservationDepth,
	type Property,
	type PropertyKind,
	violated,
	type Watcher,
} from "./property.ts";
export { type PropertyResult, type PropertyVerdict, type Violation, WatchList } from "./watch-list.ts";
