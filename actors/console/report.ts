/** The result of a run, as text for a person and as one JSON object for a program. */
import type { VotingModes } from "../byzantine-coordinator/index.ts";
import { HOURS } from "./flight-ledger.ts";
import type { RunReport } from "./run.ts";
import { formatMs, formatNumber, formatTable } from "./table.ts";
import { type Output, painter } from "./terminal.ts";
import type { Latency } from "./workload.ts";

/** Digits of a hash in a table; the last line has all of them. */
const HASH_DIGITS = 16;
const levels = "▁▂▃▄▅▆▇█";

/** The summary; its last line is the verdict's. */
export function printReport(report: RunReport, output: Output): void {
	const paint = painter(output.hasColours);
	const section = (title: string, lines: readonly string[]): void => {
		output.write(`\n${paint("bold", title)}\n${lines.map((line) => `  ${line}\n`).join("")}`);
	};
	if (report.kills.length > 0) section("Leaders killed", killLines(report));
	section("Replicas", replicaLines(report));
	section("Load", loadLines(report));
	if (report.findings !== null) section(report.findings.title, report.findings.lines);
	const hours = hourLines(report);
	if (hours.length > 0) section("Flights by hour of day", hours);
	const { name, faults, line } = report.verdict;
	output.write("\n");
	for (const fault of faults) output.write(`${paint("red", "✗")} ${fault}\n`);
	const [word, ...rest] = line.split(":");
	output.write(`${paint(name === "agreed" ? "green" : "red", word ?? "")}:${rest.join(":")}\n`);
}

function killLines({ kills, verdict }: RunReport): string[] {
	const rows = kills.map((kill) => [
		`${(kill.atMs / 1_000).toFixed(1)} s`,
		kill.node,
		String(kill.term),
		kill.newLeader ?? "none",
		kill.newTerm === null ? "" : String(kill.newTerm),
		kill.electionMs === null ? "" : formatMs(kill.electionMs),
		kill.restartMs === null ? "" : formatMs(kill.restartMs),
	]);
	const table = formatTable(
		[["at", "killed", "term", "new leader", "term", "election", "back after"], ...rows],
		["right", "left", "right", "left", "right", "right", "right"],
	);
	const survived = kills.filter(({ electionMs }) => electionMs !== null).length;
	return [...table, `${survived} killed while leading and replaced, at least ${verdict.killsRequired} required`];
}

function replicaLines({ replicas, replicasThroughSnapshot }: RunReport): string[] {
	const rows = replicas.map(({ node, summary }) =>
		summary === null
			? [node, "no answer"]
			: [
					node,
					formatNumber(summary.applied),
					`${summary.orderHash.slice(0, HASH_DIGITS)}…`,
					`${summary.setHash.slice(0, HASH_DIGITS)}…`,
					summary.restoredFromSnapshot ? "yes" : "no",
				],
	);
	return [
		...formatTable(
			[["node", "records", "order hash", "set hash", "through a snapshot"], ...rows],
			["left", "right", "left", "left", "left"],
		),
		`${replicasThroughSnapshot} of ${replicas.length} hashes passed through a snapshot`,
	];
}

function loadLines(report: RunReport): string[] {
	const seconds = (report.loadMs / 1_000).toFixed(1);
	const lines = [
		`${formatNumber(report.acknowledged)} records in ${seconds} s: ${formatNumber(report.recordsPerSecond)} records/s; ` +
			`${report.restarts} ${report.restarts === 1 ? "restart" : "restarts"}`,
	];
	if (report.earlier > 0) lines.push(`${formatNumber(report.earlier)} records were applied by an earlier process`);
	const rows = [
		["", "count", "p50", "p99", "p99.9", "max"],
		["appends", ...latencyCells(report.appendLatency)],
		["linearizable reads", ...latencyCells(report.readLatency)],
	];
	return [...lines, ...formatTable(rows, ["left", "right", "right", "right", "right", "right"])];
}

function latencyCells({ count, p50Ms, p99Ms, p999Ms, maxMs }: Latency): string[] {
	return [formatNumber(count), ...[p50Ms, p99Ms, p999Ms, maxMs].map((ms) => (count === 0 ? "" : formatMs(ms)))];
}

/** One character an hour: how many flights, and how late they left on average. */
function hourLines({ replicas }: RunReport): string[] {
	const summary = replicas.find((replica) => replica.summary !== null)?.summary;
	if (summary == null || summary.applied === 0) return [];
	const delays = summary.hours.map(({ count, delaySum }) => (count === 0 ? 0 : Math.max(0, delaySum / count)));
	const busiest = summary.hours.reduce(
		(best, { count }, hour) => (count > summary.hours[best]!.count ? hour : best),
		0,
	);
	const latest = delays.reduce((best, delay, hour) => (delay > delays[best]! ? hour : best), 0);
	const scale = Array.from({ length: HOURS / 6 }, (_, quarter) => String(quarter * 6).padEnd(6)).join("");
	return formatTable(
		[
			[
				"flights",
				bars(summary.hours.map(({ count }) => count)),
				`most at ${busiest} h: ${formatNumber(summary.hours[busiest]!.count)}`,
			],
			["mean delay", bars(delays), `most at ${latest} h: ${delays[latest]!.toFixed(0)} min`],
			["", scale],
		],
		["left", "left", "left"],
	);
}

function bars(values: readonly number[]): string {
	const highest = Math.max(...values, Number.MIN_VALUE);
	return values
		.map((value) => levels[Math.min(levels.length - 1, Math.floor((value / highest) * levels.length))])
		.join("");
}

/** Facts about a run that its report does not know. */
export interface RunSetting {
	readonly version: string;
	readonly protocol: string;
	readonly nodes: number;
	readonly byzantine: number;
	readonly attacks: readonly string[];
	/** How members of a Byzantine group vote and certify, where it was said. */
	readonly modes: VotingModes;
	readonly storage: string;
	/** Null when it was removed. */
	readonly dataDirectory: string | null;
	readonly input: string;
	readonly rate: number | "max";
	readonly clients: number;
	readonly killLeaderMs: number | null;
	readonly seed: number;
	readonly history: string | null;
}

/** The result as plain data: what `--json` prints. */
export function reportObject(report: RunReport, setting: RunSetting): Readonly<Record<string, unknown>> {
	const { verdict, replicas, findings, ...figures } = report;
	return {
		verdict: verdict.name,
		exitCode: verdict.exitCode,
		line: verdict.line,
		faults: verdict.faults,
		setting,
		...figures,
		...findings?.data,
		killsRequired: verdict.killsRequired,
		replicas: replicas.map(({ node, summary }) => ({ node, ...(summary ?? { applied: null }) })),
	};
}
