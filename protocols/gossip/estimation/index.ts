/**
 * What a member can tell about the whole from what it sees itself: whether another lives (φ accrual), how far others are
 * (Vivaldi), averages and numbers over all (push-sum), whether
 * replicas agree, which ways are fast, how wide to gossip. Pure values and small machines without clocks.
 */
export {
	chooseFanout,
	type FanoutChoice,
	type FanoutConfig,
	type FanoutSignal,
	fanoutConfig,
} from "./adaptive-fanout.ts";
export {
	type AggregateKind,
	aggregateKinds,
	aggregationLayouts,
	aggregationRounds,
	initialMass,
	type MassMessage,
} from "./aggregation.ts";
export { ConvergenceMonitor, type ConvergenceReading } from "./convergence-monitor.ts";
export { type PhiConfig, PhiDetector } from "./phi-accrual.ts";
export { type Mass, PushSum } from "./push-sum.ts";
export {
	type MeasuredLink,
	type NetworkPath,
	type PathSuggestion,
	type TopologyLimits,
	TopologyMap,
} from "./topology-map.ts";
export {
	COORDINATE_BYTES,
	COORDINATE_DIMENSIONS,
	type Coordinate,
	decodeCoordinate,
	encodeCoordinate,
	estimateRoundTripMs,
	isSoundCoordinate,
	originCoordinate,
	ROUND_TRIP_MS_MAX,
	updateCoordinate,
} from "./vivaldi.ts";
