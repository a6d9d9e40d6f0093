/** What the storage actor measures. */
import type { Metrics } from "../actor/metrics.ts";
import type { MetricDescription } from "../telemetry/index.ts";

export const storageMetrics: readonly MetricDescription[] = [
	{ name: "storage.commits", kind: "counter", unit: "1", help: "Groups flushed to the disk." },
	{ name: "storage.writes", kind: "counter", unit: "1", help: "Writes of all stores in those groups." },
	{ name: "storage.written_bytes", kind: "counter", unit: "bytes", help: "Content of those writes." },
	{
		name: "storage.commit_us",
		kind: "histogram",
		unit: "microseconds",
		help: "Time of a group from the engine's start to the end of its flush.",
	},
	{ name: "storage.group_writes", kind: "histogram", unit: "1", help: "Writes in a group." },
	{ name: "storage.queue_bytes", kind: "gauge", unit: "bytes", help: "Content of the writes that wait for a group." },
];

export interface StorageInstruments {
	readonly commits: { add(count: number): void };
	readonly writes: { add(count: number): void };
	readonly writtenBytes: { add(count: number): void };
	readonly commitMicros: { record(value: number): void };
	readonly groupWrites: { record(value: number): void };
	readonly queueBytes: { set(value: number): void };
}

export function storageInstruments(metrics: Metrics): StorageInstruments {
	return {
		commits: metrics.counter("storage.commits"),
		writes: metrics.counter("storage.writes"),
		writtenBytes: metrics.counter("storage.written_bytes"),
		commitMicros: metrics.histogram("storage.commit_us"),
		groupWrites: metrics.histogram("storage.group_writes"),
		queueBytes: metrics.gauge("storage.queue_bytes"),
	};
}
