/** The gate's results: for readers, as a page that is kept beside the lists, and as one object for programs. */
import { formatMs, formatTable } from "../../actors/console/index.ts";
import { commandOf, type Tool } from "./attempt.ts";
import { type GateResult, isPassed, type MutantResult, type MutantState } from "./gate.ts";

/** What a list came to. */
export interface ListResult {
	readonly list: string;
	readonly result: GateResult;
}

const toolNames: Readonly<Record<Tool, string>> = {
	simulate: "simulator",
	check: "model checker",
	chaos: "experiment",
	machines: "bare machines",
	unit: "unit test only",
};

/** From what the product offers to everybody down to what only its own tests see. */
const toolsByRank: readonly Tool[] = ["simulate", "check", "chaos", "machines", "unit"];

const stateTexts: Readonly<Record<MutantState, string>> = {
	killed: "",
	survived: "SURVIVED",
	"no-attempt": "NO ATTEMPT STORED",
	broken: "BROKEN: it can not be run at all",
};

const REASON_WIDTH_MAX = 60;

/** Bug, tool, what tells, seeds or states, time. */
export function tableLines({ result }: ListResult): readonly string[] {
	const rows = result.mutants.map((mutant) => {
		const { mutation, trial } = mutant;
		return [
			mutation.name,
			toolOf(mutant),
			short(whatTells(mutant)),
			trial?.outcome.effort ?? "",
			trial === null ? "" : formatMs(trial.elapsedMs),
			trial?.attempt[0] === "unit" || trial === null ? "" : short(commandOf(trial.attempt)),
		];
	});
	const head = ["bug", "tool", "what tells", "it took", "time", "again"];
	return formatTable([head, ...rows], ["left", "left", "left", "right", "right", "left"]);
}

/** How many are killed, and by what. */
export function summaryLine({ list, result }: ListResult): string {
	const { baseline, mutants } = result;
	if (baseline.length > 0) return `${list}: not run, since the unmutated tree does not pass: ${baseline.join("; ")}`;
	const killed = mutants.filter(({ state }) => state === "killed");
	const parts = toolsByRank.flatMap((tool) => {
		const count = killed.filter(({ trial }) => trial?.attempt[0] === tool).length;
		return count === 0 ? [] : [`${count} ${toolNames[tool]}`];
	});
	return `${list}: ${killed.length} of ${mutants.length} planted bugs killed: ${parts.join(", ")}`;
}

export function gateObject(results: readonly ListResult[]): Readonly<Record<string, unknown>> {
	return {
		passed: results.length > 0 && results.every(({ result }) => isPassed(result)),
		lists: results.map(({ list, result }) => ({
			list,
			baseline: result.baseline,
			mutants: result.mutants.map(({ mutation, state, trial }) => ({
				name: mutation.name,
				bug: mutation.bug,
				file: mutation.file,
				state,
				attempt: trial?.attempt ?? null,
				by: trial?.outcome.by ?? null,
				reason: trial?.outcome.reason ?? null,
				effort: trial?.outcome.effort ?? null,
				elapsedMs: trial === null ? null : Math.round(trial.elapsedMs),
			})),
		})),
	};
}

export interface PageFacts {
	/** As `2026-01-31`. */
	readonly date: string;
	readonly machine: string;
	readonly elapsedMs: number;
}

/** The page that is kept. */
export function resultsPage(results: readonly ListResult[], { date, machine, elapsedMs }: PageFacts): string {
	const sections = results.map((listed) => {
		const rows = listed.result.mutants.map((mutant) => {
			const { mutation, trial } = mutant;
			const cells = [
				`\`${mutation.name}\`: ${mutation.bug}`,
				toolOf(mutant),
				whatTells(mutant),
				trial?.outcome.effort ?? "",
				trial === null ? "" : formatMs(trial.elapsedMs),
				trial === null ? "" : `\`${commandOf(trial.attempt)}\``,
			];
			return `| ${cells.map(cellText).join(" | ")} |`;
		});
		return [
			`## ${listed.list}`,
			"",
			`${summaryLine(listed)}.`,
			"",
			"| bug | tool | what tells | it took | time | in a tree with the bug |",
			"|---|---|---|---:|---:|---|",
			...rows,
		].join("\n");
	});
	return `# Planted bugs and what kills them

Printed by \`npm run mutation -- --record\` on ${date}, in ${formatMs(elapsedMs)}; ${machine}. Each bug is planted alone, in a
copy of the tree; the tree without it passes the same. "Unit test only" is said openly: neither the simulator nor the
model checker nor the runs of bare machines have seen that bug within the bounds of the search, most often since it breaks
no property of the group, but a bound, a pace or an answer that only its own test knows.

${sections.join("\n\n")}
`;
}

function toolOf({ state, trial }: MutantResult): string {
	if (state !== "killed" || trial === null) return stateTexts[state];
	return toolNames[trial.attempt[0]];
}

function whatTells({ trial }: MutantResult): string {
	return trial === null ? "" : trial.outcome.by || trial.outcome.reason;
}

function short(text: string): string {
	return text.length > REASON_WIDTH_MAX ? `${text.slice(0, REASON_WIDTH_MAX - 1)}…` : text;
}

/** A text as a cell of the page. */
export function cellText(text: string): string {
	return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
