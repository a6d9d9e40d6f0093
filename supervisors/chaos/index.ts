/**
 * `supervisors/chaos`: breaks things on purpose, and says what came of it. Experiments as data ({@link Experiment}), read
 * from files ({@link parseExperiment}), run on any engine ({@link runExperiment}) and told in a {@link Journal}.
 *
 * Sources: Chaos Toolkit (hypothesis, method, journal), Jepsen (names of partitions), TigerBeetle's VOPR (fault budget,
 * liveness phase), Antithesis (`always`, `sometimes`), Zeller and Hildebrandt 2002 (delta debugging).
 * Place: above the runtime, below the actors. What is broken, measured and judged reaches it as ports
 * ({@link ExperimentEngine}, {@link ExperimentTarget}): it applies no fault itself and knows no protocol.
 */
export { beyondBudget, fitsBudget, methodLengthMs, RECOVERY_MS, requireDamageWithin } from "./budget.ts";
export { FAULT_KINDS, findFaultKind } from "./catalogue.ts";
export {
	experimentBeyondBudget,
	experimentInvalid,
	experimentMalformed,
	experimentUnknownKey,
	experimentUnsupported,
	type FilePlace,
	faultNotApplicable,
	notReproduced,
	probeFailed,
	probeThrew,
	targetFailed,
} from "./errors.ts";
export {
	ASK_FIRST,
	EXPERIMENT_VERSION,
	type Experiment,
	type ExperimentVerdict,
	type FaultArgument,
	type FaultBudget,
	type FaultSpec,
	GUARD_EVERY_MS,
	type ProbeSpec,
	type ProbeValue,
	type PropertySelection,
	type SteadyState,
	type TimedFault,
	type Tolerance,
	type Topology,
	type WorkloadSpec,
} from "./experiment.ts";
export { FAULT_PATIENCE_MS, FAULT_RETRY_MS } from "./fault-agenda.ts";
export type { FaultCategory, FaultKind } from "./fault-kind.ts";
export { describeProbe, describeTolerance, isTolerated } from "./hypothesis.ts";
export {
	type FaultRecord,
	formatJournal,
	type GuardRecord,
	JOURNAL_VERSION,
	type Journal,
	type JournalTime,
	type LeaderSpan,
	type ProbeOutcome,
	type PropertyRecord,
	VIOLATION_IDS,
	type WorkloadRecord,
	withDrawsWrittenOut,
} from "./journal.ts";
export { experimentSchema, experimentSchemaText, type JsonSchema } from "./json-schema.ts";
export { nearestName } from "./nearest.ts";
export { checkExperiment, formatExperiment, parseExperiment } from "./parse.ts";
export { PLANNED_FAULTS_MAX, type PlanOrder, planExperiment, selectFaults } from "./plan.ts";
export { formatHistorySvg, type HistoryBar, type HistoryChart } from "./report/history-chart.ts";
export { formatHtmlReport, type ReportExtras } from "./report/html-report.ts";
export { formatJUnit } from "./report/junit.ts";
export {
	type ExperimentRun,
	type RunOptions,
	type RunProgress,
	runExperiment,
	SETTLE_EVERY_MS,
	SETTLE_MS,
} from "./runner.ts";
export type { Field, Shape } from "./shape.ts";
export {
	type ExperimentSize,
	type ShrinkOptions,
	type ShrinkResult,
	type ShrinkStatistics,
	shrinkExperiment,
	sizeOf,
} from "./shrink.ts";
export type {
	AppliedFault,
	ExperimentEngine,
	ExperimentTarget,
	PropertyFinding,
	TargetEvent,
	TargetEventType,
	TargetOrder,
	Workload,
	WorkloadJudgement,
} from "./target.ts";
