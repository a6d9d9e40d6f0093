/**
 * `runtime/memory`: what threads share. Lanes (single-producer single-consumer rings of records, after the ring buffers
 * of Agrona and LMAX Disruptor), the control block of each thread with its wake-up handshake, and words for
 * counters, gauges and histograms. Each layout is described in one file: `lane-layout.ts`, `control-layout.ts`,
 * `metric-table.ts`.
 *
 * It moves bytes and knows nothing of what they mean (`runtime/codec`), of actors, or of starting threads.
 */
export { AdaptiveSpin, SPIN_MICROS_MAX, SPIN_MICROS_MIN } from "./adaptive-spin.ts";
export { ControlBlock, type CurrentDispatch, createControl } from "./control-block.ts";
export { CONTROL_BYTES, THREADS_MAX, type ThreadState } from "./control-layout.ts";
export {
	laneCapacityInvalid,
	laneCorrupt,
	laneFingerprintMismatch,
	laneForeign,
	messageTooLarge,
	metricTableInvalid,
} from "./errors.ts";
export {
	ASSEMBLY_BYTES_MAX,
	AssemblyBudget,
	FRAGMENTED_BYTES_MAX,
	FragmentAssembler,
	type FragmentOutcome,
	FragmentSender,
} from "./fragments.ts";
export {
	bucketOf,
	bucketValue,
	HISTOGRAM_BUCKETS,
	HISTOGRAM_ERROR_MAX,
	HISTOGRAM_VALUE_MAX,
	Histogram,
} from "./histogram.ts";
export {
	type DrainLimits,
	type DrainOutcome,
	Inbound,
	InboundLanes,
	type InboundLanesOptions,
	type OnTorn,
	SLICE_BYTES,
	SLICE_RECORDS,
	SYSTEM_RECORDS_MAX,
	TURN_RECORDS,
} from "./inbound-lanes.ts";
export { createLane, type LaneLookup, type LaneOptions, type LaneStatus, laneStatus, type WordsOf } from "./lane.ts";
export {
	deadlineAfter,
	isPastDeadline,
	LANE_CAPACITY_BYTES_MAX,
	LANE_CAPACITY_BYTES_MIN,
	RECORD_HEADER_BYTES,
	RecordHeader,
	type RecordKind,
	recordBytesMax,
	recordFlags,
	recordKinds,
	SYSTEM_LANE_BYTES,
	USER_LANE_BYTES,
} from "./lane-layout.ts";
export {
	DRAIN_COPY_BYTES,
	type DrainVerdict,
	LaneReader,
	type LaneReaderOptions,
	type OnRecord,
} from "./lane-reader.ts";
export { LANE_FULL, LANE_TOO_LARGE, LaneWriter, type LaneWriterOptions } from "./lane-writer.ts";
export { METRICS_MAX, type MetricDescriptor, type MetricKind, MetricTable } from "./metric-table.ts";
export { Counter, createMetrics, Gauge, MetricsReader, SlotMetrics } from "./metrics-segment.ts";
export { FLUSH_BYTES, type LanePair, Outbound, OutboundLanes, type OutboundLanesOptions } from "./outbound-lanes.ts";
export {
	AsyncParking,
	BlockingParking,
	type Parking,
	type ParkOutcome,
} from "./parking.ts";
export { AtomicWords, LINE_WORDS, type SharedWords } from "./shared-words.ts";
