/** The typed errors of `runtime/telemetry`. */
import { defineErrors, type QuorateError } from "../../protocols/core/index.ts";

type ErrorOf<Details> = (details: Details, options?: { cause?: unknown }) => QuorateError;

interface NameDetails {
	readonly name: string;
	readonly reason: string;
}
interface KindDetails {
	readonly name: string;
	readonly kind: string;
	readonly registered: string;
}
interface LimitDetails {
	readonly name: string;
	readonly kind: string;
	readonly limit: number;
}

const errors = defineErrors({
	metricNameInvalid: ["metric-name-invalid", (d: NameDetails) => `metric ${d.name}: ${d.reason}`],
	metricKindMismatch: [
		"metric-kind-mismatch",
		(d: KindDetails) => `metric ${d.name} is a ${d.registered}, not a ${d.kind}`,
	],
	tooManyMetrics: [
		"too-many-metrics",
		(d: LimitDetails) => `no room for ${d.kind} ${d.name}: a process has at most ${d.limit} of that kind`,
	],
});

/** A name breaks the rules of {@link MetricNames}: `{name, reason}`. */
export const metricNameInvalid: ErrorOf<NameDetails> = errors.metricNameInvalid;
/** The name is taken by a metric of another kind: `{name, kind, registered}`. */
export const metricKindMismatch: ErrorOf<KindDetails> = errors.metricKindMismatch;
/** No place is left: `{name, kind, limit}`. */
export const tooManyMetrics: ErrorOf<LimitDetails> = errors.tooManyMetrics;
