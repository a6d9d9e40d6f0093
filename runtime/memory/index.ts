/**
 * `runtime/memory`: what threads share. Lanes (single-producer single-consumer rings of records, after the ring buffers
 * of Agrona and LMAX Disruptor), the control block of each thread with its wake-up handshake, and words for
 * counters, gauges and histograms. Each layout is described in one file: `lane-layout.ts`, `control-layout.ts`,
 * `metric-table.ts`.
 *
 * It moves bytes and knows nothing of what they mean (`runtime/codec`), of actors, or of starting threads.
 */
export {
	laneCapacityInvalid,
	laneCorrupt,
	laneFingerprintMismatch,
	laneForeign,
	messageTooLarge,
	metricTableInvalid,
} from "./errors.ts";
export { createLane, type LaneOptions, type LaneStatus, laneStatus, type WordsOf } from "./lane.ts";
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
export { AtomicWords, type SharedWords } from "./shared-words.ts";
