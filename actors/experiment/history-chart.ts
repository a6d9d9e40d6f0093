/** A judged history as a chart: which operations are shown, and what each of them is to the judgement. */
import {
	describeCallAndAnswer,
	type History,
	keysOf,
	type Offending,
	type Operation,
	type PartitionReport,
} from "../../protocols/verification/index.ts";
import type { HistoryBar, HistoryChart } from "../../supervisors/index.ts";

/** Operations of one chart, … */
export const CHART_OPERATIONS_MAX = 80;
/** … so many of them begun after the anomaly. */
const LATER_MAX = 8;

/** What is to be seen of a history: the first keys that are not linearizable, or if all are, what was asked last. */
export function historyChart(
	{ operations }: History,
	partitions: readonly PartitionReport[],
	model: string,
): HistoryChart {
	const illegal = partitions.find(({ verdict }) => verdict.type === "illegal");
	const offending = illegal?.verdict.type === "illegal" ? illegal.verdict.offending : null;
	const concerned = operations
		.filter((operation) => illegal === undefined || keysOf(operation).some((key) => illegal.keys.includes(key)))
		.sort((a, b) => a.begin - b.begin);
	const shown = offending === null ? concerned : untilShortlyAfter(concerned, offending.operation.end);
	const kept = shown.slice(-CHART_OPERATIONS_MAX);
	const keys =
		illegal === undefined ? "the last operations" : `key ${illegal.keys.map((key) => JSON.stringify(key)).join(", ")}`;
	return {
		title: `${keys} as ${model}`,
		bars: kept.map((operation) => barOf(operation, offending)),
		prefixEnd: offending?.operation.end ?? null,
		omitted: shown.length - kept.length,
	};
}

function untilShortlyAfter(operations: readonly Operation[], position: number): readonly Operation[] {
	const later = operations.findIndex(({ begin }) => begin > position);
	return later < 0 ? operations : operations.slice(0, later + LATER_MAX);
}

function barOf(operation: Operation, offending: Offending | null): HistoryBar {
	const { client, begin, end } = operation;
	const place = offending?.witness?.order.findIndex(({ id }) => id === operation.id) ?? -1;
	return {
		client,
		label: describeCallAndAnswer(operation),
		from: begin,
		to: Number.isFinite(end) ? end : null,
		kind: kindOf(operation, offending),
		place: place < 0 ? null : place + 1,
	};
}

function kindOf({ id, outcome, begin, end }: Operation, offending: Offending | null): HistoryBar["kind"] {
	if (id === offending?.operation.id) return "offending";
	if (outcome === "fail") return "failed";
	const cut = offending?.operation.end ?? Number.POSITIVE_INFINITY;
	if (begin > cut) return "later";
	return end < cut ? "ordered" : "open";
}
