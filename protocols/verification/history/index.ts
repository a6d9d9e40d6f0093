/**
 * Histories: what the clients of a system asked and were answered, as data, and the judges of it.
 *
 * - {@link HistoryParser} reads JSON lines, {@link HistoryRecorder} takes events from a program; both refuse holes.
 * - {@link checkLinearizability} holds a history against a {@link Model}: Wing and Gong's search with Lowe's memo, by
 *   partition, with the longest linearizable prefix for what it refuses.
 * - {@link checkSet}, {@link checkSessions} and {@link checkListAppend} look for what goes wrong in sets, in sessions and
 *   between transactions, in linear time.
 *
 * What it does not do: it has no clock (a budget of time is the caller's, see {@link Budget}), and it proves nothing about
 * a system, only about what one run has shown.
 */

export { HistoryParser, parseHistory } from "./history-parser.ts";
export { type Answer, type History, HistoryRecorder, type Invocation } from "./history-recorder.ts";
export type { Json } from "./json-value.ts";
export {
	type Budget,
	checkLinearizability,
	LinearizabilityCheck,
	type LinearizabilityReport,
	type PartitionReport,
} from "./linearizability.ts";
export { checkListAppend } from "./list-append-check.ts";
export type { FieldRule, Foresight, Model, OperationRule, Refusal } from "./model.ts";
export { refuseByRules } from "./model.ts";
export { counterModel } from "./models/counter.ts";
export { casRegisterModel, keyValueModel, registerModel } from "./models/key-value.ts";
export { type LockState, lockModel } from "./models/lock.ts";
export { type QueueState, queueModel } from "./models/queue.ts";
export type { StoreState } from "./models/store-state.ts";
export {
	describeCallAndAnswer,
	describeOperation,
	keysOf,
	type Operation,
	type Outcome,
	type TransactionStep,
} from "./operation.ts";
export type { Offending, PartitionVerdict, UnknownReason } from "./partition-check.ts";
export { checkSessions } from "./session-check.ts";
export { checkSet } from "./set-check.ts";
export type { Anomaly, AnomalyReport, Verdict } from "./verdict.ts";
