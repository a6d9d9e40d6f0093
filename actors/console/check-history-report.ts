/** The result of `quorate check-history`, as text for a person and as one JSON object for a program. */
import {
	type Anomaly,
	type AnomalyReport,
	describeOperation,
	type History,
	type LinearizabilityReport,
	type Offending,
	type PartitionReport,
	type Verdict,
} from "../../protocols/verification/index.ts";
import type { CheckHistoryOptions } from "./check-history-options.ts";
import { formatMs, formatNumber, formatTable } from "./table.ts";
import { type Output, painter } from "./terminal.ts";

/** What was found, whoever judged. */
export interface HistoryResult {
	readonly verdict: Verdict;
	/** The last line. */
	readonly line: string;
	readonly partitions: readonly PartitionReport[];
	readonly counts: ReadonlyMap<string, number>;
	readonly anomalies: readonly Anomaly[];
}

/** So many rows a table has; what is not as it must be comes first. */
const ROWS_MAX = 24;
/** So many operations of a linearization and of those open at its end are shown. */
const OPERATIONS_SHOWN_MAX = 8;
/** So many keys are named. */
const KEYS_SHOWN_MAX = 3;
/** So many partitions that are not linearizable are explained. */
const EXPLAINED_MAX = 3;

export function linearizabilityResult(
	{ verdict, partitions }: LinearizabilityReport,
	model: string,
	elapsedMs: number,
	budgetMs: number,
): HistoryResult {
	const of = (type: string): PartitionReport[] => partitions.filter((partition) => partition.verdict.type === type);
	const operations = formatNumber(partitions.reduce((sum, partition) => sum + partition.operations, 0));
	const keys = `${formatNumber(partitions.length)} ${partitions.length === 1 ? "key" : "keys"}`;
	const result = (line: string): HistoryResult => ({
		verdict,
		line: `${verdict}: ${line}`,
		partitions,
		counts: new Map(),
		anomalies: [],
	});
	const [illegal] = of("illegal");
	const undecided = of("unknown");
	if (illegal !== undefined) {
		const offending = illegal.verdict.type === "illegal" ? illegal.verdict.offending : null;
		const what =
			offending === null
				? "budget or memory ended before the operation was found"
				: describeOperation(offending.operation);
		return result(`${describeKeys(illegal.keys)} is not linearizable as ${model}: ${what}`);
	}
	if (undecided.length > 0) {
		const reasons = undecided.map((partition) =>
			partition.verdict.type === "unknown" ? partition.verdict.reason : "",
		);
		const reason = reasons.includes("budget")
			? `the budget of ${formatMs(budgetMs)} ended`
			: "the search would have needed too much memory";
		return result(
			`${reason} with ${formatNumber(undecided.length)} of ${keys} undecided; this is no proof of anything`,
		);
	}
	if (verdict === "unknown") return result("no operation was answered, so nothing could have been wrong");
	return result(`${operations} operations on ${keys} are linearizable as ${model} (${formatMs(elapsedMs)})`);
}

export function anomalyResult(report: AnomalyReport, good: string, empty: string): HistoryResult {
	const { verdict, counts, anomalies, answered } = report;
	const found = [...counts].map(([name, count]) => `${name} ${formatNumber(count)}`).join(", ");
	const lines: Readonly<Record<Verdict, string>> = {
		ok: `${formatNumber(answered)} answered operations, and ${good}`,
		illegal: found,
		unknown: `${empty}, so nothing could have been wrong`,
	};
	return { verdict, line: `${verdict}: ${lines[verdict]}`, partitions: [], counts, anomalies };
}

/** How keys that are judged together are named. */
export function describeKeys(keys: readonly string[]): string {
	const named = keys
		.slice(0, KEYS_SHOWN_MAX)
		.map((key) => (key === "" ? "the only object" : `key ${JSON.stringify(key)}`));
	const more = keys.length - named.length;
	return `${named.join(", ")}${more > 0 ? ` and ${formatNumber(more)} more` : ""}`;
}

export function printHistoryResult(
	{ verdict, line, partitions, counts, anomalies }: HistoryResult,
	output: Output,
): void {
	const paint = painter(output.hasColours);
	const section = (title: string, lines: readonly string[]): void => {
		if (lines.length > 0) output.write(`\n${paint("bold", title)}\n${lines.map((text) => `  ${text}\n`).join("")}`);
	};
	section("By key", partitionLines(partitions));
	for (const partition of partitions.filter((own) => own.verdict.type === "illegal").slice(0, EXPLAINED_MAX)) {
		section(`Why ${describeKeys(partition.keys)} is not linearizable`, explanationLines(partition));
	}
	section(
		"Anomalies",
		formatTable(
			[...counts].map(([name, count]) => [name, formatNumber(count)]),
			["left", "right"],
		),
	);
	for (const { name, description, evidence } of anomalies) section(`${name}: ${description}`, evidence);
	const [word, ...rest] = line.split(":");
	output.write(`\n${paint(verdict === "ok" ? "green" : "red", word ?? "")}:${rest.join(":")}\n`);
}

const ranks: Readonly<Record<Verdict, number>> = { illegal: 0, unknown: 1, ok: 2 };

function partitionLines(partitions: readonly PartitionReport[]): string[] {
	if (partitions.length === 0) return [];
	const sorted = [...partitions].sort((a, b) => ranks[a.verdict.type] - ranks[b.verdict.type]);
	const rows = sorted
		.slice(0, ROWS_MAX)
		.map(({ keys, operations, unknown, verdict, steps, configurations }) => [
			describeKeys(keys),
			formatNumber(operations),
			formatNumber(unknown),
			verdict.type,
			formatNumber(steps),
			formatNumber(configurations),
		]);
	const table = formatTable(
		[["", "operations", "unknown", "verdict", "steps", "configurations"], ...rows],
		["left", "right", "right", "left", "right", "right"],
	);
	const left = sorted.slice(ROWS_MAX);
	if (left.length === 0) return table;
	const counts = (Object.keys(ranks) as Verdict[])
		.map((type) => [type, left.filter((partition) => partition.verdict.type === type).length] as const)
		.filter(([, count]) => count > 0);
	return [...table, `and ${counts.map(([type, count]) => `${formatNumber(count)} ${type}`).join(", ")}`];
}

function explanationLines({ verdict, operations }: PartitionReport): string[] {
	if (verdict.type !== "illegal") return [];
	if (verdict.offending === null) return ["budget or memory ended before the place was found"];
	const { operation, prefixLength, concurrent, witness } = verdict.offending;
	const lines = [
		`longest linearizable prefix: ${formatNumber(prefixLength)} answered operations of ${formatNumber(operations)}, for example in this order:`,
	];
	if (witness === null) {
		lines.push("  (budget or memory ended before an order was found)");
	} else {
		const shown = witness.order.slice(-OPERATIONS_SHOWN_MAX);
		if (witness.order.length > shown.length)
			lines.push(`  … ${formatNumber(witness.order.length - shown.length)} before`);
		lines.push(...shown.map((own) => `  ${describeOperation(own)}`), `then there is: ${witness.state}`);
	}
	lines.push(`offending operation: ${describeOperation(operation)}`);
	if (concurrent.length > 0) {
		lines.push(`open when it ended, in any order or not at all:`);
		lines.push(...concurrent.slice(0, OPERATIONS_SHOWN_MAX).map((own) => `  ${describeOperation(own)}`));
		const more = concurrent.length - OPERATIONS_SHOWN_MAX;
		if (more > 0) lines.push(`  and ${formatNumber(more)} more`);
	}
	return lines;
}

/** The result as plain data: what `--json` prints. */
export function resultObject(
	{ verdict, line, partitions, counts, anomalies }: HistoryResult,
	{ model, budgetMs }: CheckHistoryOptions,
	{ operations, clients, events }: History,
	version: string,
): Readonly<Record<string, unknown>> {
	return {
		verdict,
		exitCode: verdict === "ok" ? 0 : 1,
		line,
		version,
		model,
		budgetMs,
		operations: operations.length,
		clients,
		events,
		partitions: partitions.map(({ verdict: own, ...figures }) => ({
			...figures,
			verdict: own.type,
			...(own.type === "unknown" ? { reason: own.reason } : {}),
			...(own.type === "illegal" && own.offending !== null ? { offending: offendingObject(own.offending) } : {}),
		})),
		anomalyCounts: Object.fromEntries(counts),
		anomalies,
	};
}

function offendingObject({
	operation,
	prefixLength,
	concurrent,
	witness,
}: Offending): Readonly<Record<string, unknown>> {
	return {
		operation: describeOperation(operation),
		id: operation.id,
		line: operation.line,
		endLine: operation.endLine,
		prefixLength,
		concurrent: concurrent.map(({ id }) => id),
		state: witness?.state ?? null,
		lastOfOrder: witness?.order.slice(-OPERATIONS_SHOWN_MAX).map(({ id }) => id) ?? null,
	};
}
