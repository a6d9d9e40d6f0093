/**
 * `runtime/simulation`: the deterministic backend. Virtual threads, each with a kernel of its own, run in one real
 * thread on virtual time; one seed decides latencies, the order of what happens at the same time, and every draw of
 * the actors. Everything above the backend ports (mailboxes, asks, supervision, participants) is the code that runs on
 * worker threads, unchanged. After FoundationDB's and TigerBeetle's simulators.
 *
 * - Choices: every draw passes through one seam, where a {@link DecisionOracle} records, replays or overrides it. Threads are
 *   scheduled at random or by priorities with change points ({@link Scheduling}).
 * - Repeatability: each run has a trace and its hash; {@link findDivergence} runs twice and names the first event that
 *   differs; `guardGlobals` names actors that ask the real world for time or chance.
 * - Faults: of the network ({@link FaultyNetwork}), of threads and their clocks ({@link ProcessFaults}); those of disks
 *   are `SimulatedDisk`'s in `runtime/storage`. Each is added and removed, and counts what it really did.
 *
 * Threads die between events, or at a point that is chosen ({@link KillRule}); lanes keep what real lanes keep.
 *
 * It does not simulate parallel access to memory (the lanes have tests of their own for that), nor how long a handler
 * takes: a turn is instantaneous. There is no wall clock: nothing that is simulated reads one.
 */
export {
	DECISION_LOG_FORMAT,
	DECISIONS_MAX,
	type DecisionLog,
	formatDecisionLog,
	parseDecisionLog,
} from "./decision-log.ts";
export { type DecisionOptions, DecisionOracle, type DrawOverride } from "./decision-oracle.ts";
export { DELAY_MS_MAX, type DelayDistribution } from "./delay-distribution.ts";
export { COMPARED_EVENTS_MAX, type Divergence, findDivergence, type TraceObserver } from "./divergence.ts";
export {
	damagedOnTheWay,
	decisionLogFormat,
	decisionLogInvalid,
	decisionLogTooLong,
	faultInvalid,
	faultNotApplicable,
	hiddenNondeterminism,
	injectedFailure,
} from "./errors.ts";
export { type AddedFault, FaultyNetwork, type FaultyNetworkOptions } from "./faulty-network.ts";
export type { Corruption, NetworkDelivery, NetworkPolicy } from "./network.ts";
export {
	CLOG_MESSAGES_MAX,
	CORRUPT_BITS_MAX,
	type LinkFilter,
	type NetworkFault,
	type NetworkFaultKind,
	networkFaultKinds,
} from "./network-fault.ts";
export { type ProcessFault, type ProcessFaultKind, ProcessFaults, processFaultKinds } from "./process-faults.ts";
export { type RunEnd, type RunLimits, Simulation, type SimulationOptions } from "./simulation.ts";
export { drawFeatures, drawSubrange } from "./swarm-draw.ts";
export { PAUSED_EVENTS_MAX } from "./thread-clock.ts";
export { type KillPoint, type KillRule, REDELIVERIES_MAX } from "./threads.ts";
export type { DurationRange } from "./timeline.ts";
export { type TraceEvent, traceText } from "./trace.ts";
export type { Scheduling } from "./turn-schedule.ts";
