/** The result of `quorate simulate`: for readers, and as one object for programs. */
import type { SeedResult } from "../experiment/index.ts";
import { type SimulationSummary, verdictNames } from "./simulate-summary.ts";
import { formatNumber, formatTable } from "./table.ts";
import { type Output, painter } from "./terminal.ts";

/** Failures that are told one by one. */
const FAILURES_SHOWN_MAX = 20;

export interface SimulationCost {
	readonly wallMs: number;
	/** Of all threads together. */
	readonly cpuMs: number;
}

/** What was asked for, as the last line and the commands for replay need it. */
export interface SimulationSetting {
	readonly version: string;
	readonly seeds: number;
	/** The command that runs one seed again. */
	readonly replay: (seed: number) => string;
}

export function printSimulation(
	summary: SimulationSummary,
	cost: SimulationCost,
	setting: SimulationSetting,
	output: Output,
): void {
	const sections = [
		verdictTable(summary),
		faultTable(summary),
		propertyTable(summary),
		gapLines(summary),
		failureLines(summary, setting),
		costLines(summary, cost),
	];
	for (const lines of sections) if (lines.length > 0) output.write(`${lines.join("\n")}\n\n`);
	const isGood = exitCodeOf(summary, setting) === 0;
	output.write(`${painter(output.hasColours)(isGood ? "green" : "red", lastLine(summary, setting))}\n`);
}

/** 0 only if every seed that was asked for has passed. */
export function exitCodeOf({ verdicts }: SimulationSummary, { seeds }: SimulationSetting): 0 | 1 {
	return verdicts.pass === seeds ? 0 : 1;
}

export function simulationObject(
	summary: SimulationSummary,
	cost: SimulationCost,
	setting: SimulationSetting,
): Readonly<Record<string, unknown>> {
	const { seeds, verdicts, classes, faults, properties, neverWitnessed } = summary;
	const { failures, traces, answered, virtualMs, steps } = summary;
	return {
		version: setting.version,
		seeds: { asked: setting.seeds, run: seeds },
		verdicts,
		classes,
		faults,
		properties,
		neverWitnessed,
		failures: failures.map((failure) => ({ ...reasonsOf(failure), replay: setting.replay(failure.seed) })),
		traces,
		operationsAnswered: answered,
		time: { virtualMs, ...cost },
		events: steps,
	};
}

function reasonsOf({ seed, verdict, reasons, violations }: SeedResult): Readonly<Record<string, unknown>> {
	return { seed, verdict, reasons, violations };
}

function verdictTable({ classes }: SimulationSummary): readonly string[] {
	const rows = classes.map(({ name, seeds, verdicts }) => {
		return [name, String(seeds), ...verdictNames.map((verdict) => String(verdicts[verdict]))];
	});
	return formatTable([["", "seeds", ...verdictNames], ...rows], ["left", ...verdictNames.map(() => right), right]);
}

const right = "right" as const;

function faultTable({ faults }: SimulationSummary): readonly string[] {
	if (faults.length === 0) return [];
	const rows = faults.map(({ kind, seeds, applied }) => [kind, formatNumber(seeds), formatNumber(applied)]);
	return formatTable([["fault", "seeds", "applied"], ...rows], ["left", right, right]);
}

function propertyTable({ properties }: SimulationSummary): readonly string[] {
	const rows = properties.map(({ id, kind, seeds, evaluations }) => {
		return [id, kind, formatNumber(seeds), formatNumber(evaluations)];
	});
	return formatTable([["property", "", "seeds", "evaluated"], ...rows], ["left", "left", right, right]);
}

/** Coverage is no verdict: a few seeds need not show everything. But nobody shall take it for shown. */
function gapLines({ neverWitnessed }: SimulationSummary): readonly string[] {
	if (neverWitnessed.length === 0) return [];
	return [`never happened, so that these seeds say nothing about it: ${neverWitnessed.join(", ")}`];
}

function failureLines({ failures }: SimulationSummary, { replay }: SimulationSetting): readonly string[] {
	const shown = failures.slice(0, FAILURES_SHOWN_MAX);
	const lines = shown.flatMap(({ seed, verdict, reasons }) => [
		`seed ${seed}: ${verdict}: ${reasons[0] ?? "no reason"}`,
		`  ${replay(seed)}`,
	]);
	const more = failures.length - shown.length;
	return more > 0 ? [...lines, `and ${formatNumber(more)} more`] : lines;
}

function costLines({ virtualMs, steps }: SimulationSummary, { wallMs, cpuMs }: SimulationCost): readonly string[] {
	const ratio = (ms: number): string => `${formatNumber(virtualMs / Math.max(1, ms))}x`;
	return [
		`${span(virtualMs)} of virtual time in ${span(wallMs)}: ${ratio(wallMs)}; in ${span(cpuMs)} of processor time: ${ratio(cpuMs)}`,
		`${formatNumber(steps)} events, ${formatNumber((steps * 1_000) / Math.max(1, cpuMs))} a second of processor time`,
	];
}

function lastLine(summary: SimulationSummary, { seeds }: SimulationSetting): string {
	const { verdicts, answered } = summary;
	const parts = verdictNames
		.filter((name) => verdicts[name] > 0)
		.map((name) => `${formatNumber(verdicts[name])} ${name}`);
	if (summary.seeds < seeds) parts.push(`${formatNumber(seeds - summary.seeds)} not run`);
	const verdict = verdictNames.filter((name) => name !== "pass").find((name) => verdicts[name] > 0);
	const word = verdict ?? (summary.seeds < seeds ? "interrupted" : "pass");
	return `${word}: ${formatNumber(seeds)} ${seeds === 1 ? "seed" : "seeds"}: ${parts.join(", ")}; ${formatNumber(answered)} operations answered`;
}

const spanUnits: readonly (readonly [name: string, ms: number])[] = [
	["h", 3_600_000],
	["min", 60_000],
	["s", 1_000],
];

/** A long time as a person reads it: `2.4 h`, `38 s`. */
export function span(ms: number): string {
	const [name, unitMs] = spanUnits.find(([, unit]) => ms >= unit) ?? ["ms", 1];
	return `${formatNumber(ms / unitMs, name === "ms" || ms / unitMs >= 100 ? 0 : 1)} ${name}`;
}
