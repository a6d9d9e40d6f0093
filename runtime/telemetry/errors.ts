/** The typed errors of `runtime/telemetry`. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

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
export const metricNameInvalid: ErrorMaker<NameDetails> = errors.metricNameInvalid;
/** The name is taken by a metric of another kind: `{name, kind, registered}`. */
export const metricKindMismatch: ErrorMaker<KindDetails> = errors.metricKindMismatch;
/** No place is left: `{name, kind, limit}`. */
export const tooManyMetrics: ErrorMaker<LimitDetails> = errors.tooManyMetrics;
