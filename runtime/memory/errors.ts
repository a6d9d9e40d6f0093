/** What can go wrong with shared memory that is not a bug of the caller's code. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const made = defineErrors({
	laneCapacityInvalid: [
		"lane-capacity-invalid",
		(d: { capacityBytes: number; minBytes: number; maxBytes: number }) =>
			`a lane holds a power of two from ${d.minBytes} to ${d.maxBytes} bytes, not ${d.capacityBytes}`,
	],
	laneForeign: [
		"lane-foreign",
		(d: { found: number; expected: number }) =>
			`shared memory with mark ${d.found} is no lane of this version (mark ${d.expected})`,
	],
	laneFingerprintMismatch: [
		"lane-fingerprint-mismatch",
		(d: { found: number; expected: number }) =>
			`the lane was made for the codec ${d.found}, this thread has ${d.expected}: both must register the same layouts and records`,
	],
	laneCorrupt: [
		"lane-corrupt",
		(d: { position: number; lengthBytes: number; availableBytes: number }) =>
			`no record at position ${d.position}: length ${d.lengthBytes} of ${d.availableBytes} bytes available`,
	],
	messageTooLarge: [
		"message-too-large",
		(d: { sizeBytes: number; limitBytes: number }) =>
			`a message of ${d.sizeBytes} bytes is over the limit of ${d.limitBytes}`,
	],
	metricTableInvalid: [
		"metric-table-invalid",
		(d: { metric: string; reason: string }) => `metric ${d.metric}: ${d.reason}`,
	],
});

/** The capacity is no power of two, or outside its bounds. */
export const laneCapacityInvalid: ErrorMaker<{ capacityBytes: number; minBytes: number; maxBytes: number }> =
	made.laneCapacityInvalid;
/** The shared memory was not made by {@link createLane} of this version. */
export const laneForeign: ErrorMaker<{ found: number; expected: number }> = made.laneForeign;
/** Two threads with different codecs were to share a lane. */
export const laneFingerprintMismatch: ErrorMaker<{ found: number; expected: number }> = made.laneFingerprintMismatch;
/** What stands at a position can not be a record: something else wrote into the lane. */
export const laneCorrupt: ErrorMaker<{ position: number; lengthBytes: number; availableBytes: number }> =
	made.laneCorrupt;
/** The message is over the hard limit, even in fragments. */
export const messageTooLarge: ErrorMaker<{ sizeBytes: number; limitBytes: number }> = made.messageTooLarge;
/** A table of metrics that can not be laid out: a name twice, or no metric at all. */
export const metricTableInvalid: ErrorMaker<{ metric: string; reason: string }> = made.metricTableInvalid;
