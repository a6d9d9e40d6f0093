/**
 * `runtime/telemetry`: what the process measures and what happens in it. Metrics are words in shared memory, written by
 * each thread in its slot and read by whoever watches ({@link SharedMetrics}, {@link MetricsObserver}); a restarted thread goes
 * on in the words of its predecessor, so no counter goes down. Events are a stream with a bounded replay ({@link EventLog}).
 *
 * It stores nothing, sends nothing anywhere and opens no port; what metrics mean is told by the rooms that measure, in
 * lists that a {@link Catalogue} composes.
 */
export { actorMetrics, Catalogue, type DescribedMetric, type MetricDescription } from "./catalogue.ts";
export { metricKindMismatch, metricNameInvalid, tooManyMetrics } from "./errors.ts";
export {
	EventLog,
	type EventLogOptions,
	JSON_LINES_PENDING_BYTES_MAX,
	jsonLine,
	type LoggedEvent,
	writeJsonLines,
} from "./event-log.ts";
export { METRIC_NAME_BYTES_MAX, METRIC_PLACES } from "./metric-names.ts";
export {
	type CounterReading,
	type HistogramReading,
	MetricsObserver,
	type MetricsSnapshot,
	metricsEvery,
} from "./metrics-snapshot.ts";
export { PROMETHEUS_CONTENT_TYPE, renderPrometheus } from "./prometheus.ts";
export { createMetricsMemory, type MetricsMemory, SharedMetrics } from "./shared-metrics.ts";
