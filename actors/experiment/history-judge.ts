/** The history of a key-value workload: judged within a budget, and as JSON lines for whoever wants to judge it again. */
import {
	checkLinearizability,
	describeOperation,
	type History,
	keyValueModel,
	type Operation,
} from "../../protocols/verification/index.ts";
import type { WorkloadJudgement } from "../../supervisors/index.ts";
import { historyChart } from "./history-chart.ts";

/**
 * Steps of the model that one judgement may take: some tens of seconds. A number of steps and not a time, so that the
 * verdict on a seed is the same on any machine.
 */
const STEPS_MAX = 50_000_000;
/** Lines before and after an anomaly that a report shows. */
const LINES_AROUND = 12;
const CHECK = "linearizable (key-value)";

export function judgeKeyValueHistory(history: History): WorkloadJudgement {
	const lines = historyLines(history);
	const report = checkLinearizability(history, keyValueModel, { stepsMax: STEPS_MAX });
	const judged = { check: CHECK, history: lines.map((line) => `${line}\n`).join("") };
	if (report.verdict === "ok") return { ...judged, verdict: "ok", explanation: null };
	const illegal = report.partitions.find(({ verdict }) => verdict.type === "illegal");
	if (illegal === undefined || illegal.verdict.type !== "illegal") {
		return { ...judged, verdict: "unknown", explanation: `not decided within ${STEPS_MAX} steps` };
	}
	const { offending } = illegal.verdict;
	if (offending === null) {
		return { ...judged, verdict: "violated", explanation: `no order explains ${illegal.keys.join(", ")}` };
	}
	const { operation, prefixLength, witness } = offending;
	const before = witness === null ? "" : `, when ${witness.state}`;
	const explanation = `after ${prefixLength} operations that have an order${before}, no order explains ${describeOperation(operation)}`;
	const chart = historyChart(history, report.partitions, "key-value");
	return { ...judged, verdict: "violated", explanation, around: linesAround(lines, operation), chart };
}

/** One line an event, in the order of events. */
function historyLines({ operations, events }: History): readonly string[] {
	const lines: string[] = new Array(events).fill("");
	for (const operation of operations) {
		const { id, client, op, key, value, from, line, endLine, beginNs, endNs } = operation;
		lines[line - 1] = JSON.stringify({ t: "invoke", id, client, op, key, from, value, ns: beginNs });
		if (endLine === null) continue;
		lines[endLine - 1] = JSON.stringify({ ...endOf(operation), ns: endNs });
	}
	return lines;
}

function endOf({ id, outcome, answer, accepted }: Operation): Readonly<Record<string, unknown>> {
	if (outcome === "ok") return { t: "ok", id, value: answer, ok: accepted };
	return { t: outcome === "fail" ? "fail" : "info", id };
}

/** Lines about the same key, up to the end of the operation and a little further. */
function linesAround(lines: readonly string[], { line, endLine }: Operation): readonly string[] {
	const end = endLine ?? line;
	return lines.slice(Math.max(0, end - LINES_AROUND), end + LINES_AROUND);
}
