/** The result of `quorate check`, as text for a person and as one JSON object for a program. */
import type { PbftModelOptions } from "../../protocols/pbft/model/index.ts";
import type { RaftModelOptions } from "../../protocols/raft/model/index.ts";
import type {
	Counterexample,
	PropertyOutcome,
	SearchProgress,
	SearchResult,
} from "../../protocols/verification/model-checker/index.ts";
import type { CheckOptions } from "./check-options.ts";
import { formatNumber, formatTable } from "./table.ts";
import { type Output, painter, type Style } from "./terminal.ts";

/** What the search does not know of itself. */
export interface CheckFacts {
	readonly elapsedMs: number;
	readonly cpuMs: number;
	/** The most memory that the process had, in bytes. */
	readonly residentBytes: number;
	/** Members, messages and transitions that the shipped code worked out. */
	readonly sizes: { readonly members: number; readonly messages: number; readonly transitions: number };
}

const MIB = 1024 * 1024;
const outcomeStyles: Readonly<Record<PropertyOutcome, Style>> = {
	holds: "green",
	witnessed: "green",
	violated: "red",
	"not-witnessed": "yellow",
	"not-evaluated": "yellow",
	undecided: "yellow",
};

/** One line about the bounds. */
export function describeBounds(options: CheckOptions): string {
	return (options.model === "raft" ? raftBounds(options.raft) : pbftBounds(options.pbft)).join("; ");
}

function raftBounds(raft: RaftModelOptions): string[] {
	const { terms, log, requests } = raft;
	return [
		`raft with ${nodesOf(raft.nodes)}`,
		`terms <= ${terms}, log <= ${log}, in flight ${atMost(raft.inFlight)}`,
		worldOf(raft),
		`requests <= ${requests}`,
		`pre-vote ${raft.preVote ? "on" : "off"}, disk ${raft.disk}, network ${raft.network}`,
		`symmetry ${raft.isSymmetric ? "on" : "off"}, reduction ${raft.isReduced ? "on" : "off"}`,
		...(raft.isEventual === true ? ["judged by what must be true in the end"] : []),
	];
}

function pbftBounds(pbft: PbftModelOptions): string[] {
	const { liars, shown, views, slots, requests, votes = "signed" } = pbft;
	const lies = `${liars.join(" and ")} ${liars.length === 1 ? "lies" : "lie"}, ${shown === "one" ? "one batch to each" : "anything to anyone"}`;
	return [
		`pbft with ${nodesOf(pbft.nodes)}, votes ${votes}`,
		liars.length === 0 ? "nobody lies" : `${lies}, forgeries ${atMost(pbft.forgeries)}`,
		`views <= ${views}, slots <= ${slots}, in flight ${atMost(pbft.inFlight)}`,
		worldOf(pbft),
		`requests <= ${requests}`,
		`disk ${pbft.disk}, network ${pbft.network}`,
		`reduction ${pbft.isReduced ? "on" : "off"}`,
	];
}

function nodesOf(nodes: number): string {
	return `${nodes} ${nodes === 1 ? "node" : "nodes"}`;
}

function worldOf({ crashes, losses, duplicates }: Pick<RaftModelOptions, "crashes" | "losses" | "duplicates">): string {
	return `crashes <= ${crashes}, losses ${atMost(losses)}, duplicates ${atMost(duplicates)}`;
}

function atMost(bound: number | "any"): string {
	return bound === "any" ? "any" : `<= ${bound}`;
}

/** One line of progress. */
export function describeProgress(progress: SearchProgress, cpuMs: number): string {
	return (
		`${formatNumber(progress.distinct)} distinct states at depth ${progress.depth}, ` +
		`${formatNumber(progress.frontier)} waiting, ${formatNumber(perSecond(progress.distinct, cpuMs))} states/s`
	);
}

export function printCheck(result: SearchResult, facts: CheckFacts, output: Output): void {
	const paint = painter(output.hasColours);
	const section = (title: string, lines: readonly string[]): void => {
		output.write(`\n${paint("bold", title)}\n${lines.map((line) => `  ${line}\n`).join("")}`);
	};
	section("Search", searchLines(result, facts));
	const rows = result.properties.map(({ id, kind, outcome, statement }) => [
		paint(outcomeStyles[outcome], outcome),
		kind,
		id,
		statement,
	]);
	section("Properties", formatTable(rows, ["left", "left", "left", "left"]));
	if (result.counterexample !== null) section("Counterexample", traceLines(result.counterexample));
	const isGood = result.verdict === "proved" || result.verdict === "bounded";
	output.write(`\n${paint(isGood ? "green" : "red", result.verdict)}: ${verdictOf(result)}\n`);
}

function searchLines(result: SearchResult, { elapsedMs, cpuMs, residentBytes, sizes }: CheckFacts): string[] {
	const { distinct, generated, depth, frontier, boundaryHits, exhausted, memoryBytes } = result;
	return formatTable(
		[
			["exhausted", exhausted ? "yes" : "no"],
			["distinct states", formatNumber(distinct)],
			["bytes of tables a state", formatNumber(distinct === 0 ? 0 : memoryBytes / distinct)],
			["generated", formatNumber(generated)],
			["depth", formatNumber(depth)],
			["waiting", formatNumber(frontier)],
			["beyond the bounds", formatNumber(boundaryHits)],
			["computed by the protocol's code", `${formatNumber(sizes.transitions)} transitions`],
			["distinct parts", `${formatNumber(sizes.members)} members, ${formatNumber(sizes.messages)} messages`],
			["time", `${(cpuMs / 1_000).toFixed(1)} s of CPU, ${(elapsedMs / 1_000).toFixed(1)} s elapsed`],
			["states per second of CPU", formatNumber(perSecond(distinct, cpuMs))],
			[
				"memory",
				`${formatNumber(memoryBytes / MIB)} MiB of tables, at most ${formatNumber(residentBytes / MIB)} MiB in all`,
			],
			["two states taken for one", `with probability ${result.collisionProbability.toExponential(1)} at most`],
		],
		["left", "left"],
	);
}

/** Numbered steps; of each state what it changes. */
function traceLines({ initial, steps, cycleFrom, details }: Counterexample): string[] {
	const lines = initial.map((line) => `     ${line}`);
	let before = initial;
	for (const [number, { action, state }] of steps.entries()) {
		if (number === cycleFrom) lines.push("     from here on for ever:");
		lines.push(`${String(number + 1).padStart(3)}. ${action}`);
		for (const line of state) if (!before.includes(line)) lines.push(`     ${line}`);
		before = state;
	}
	const values = Object.entries(details).map(([name, value]) => `${name} ${value}`);
	if (values.length > 0) lines.push(`     ${values.join(", ")}`);
	return lines;
}

/** What a verdict means, in one sentence. */
export function verdictOf({ verdict, distinct, frontier, properties, counterexample }: SearchResult): string {
	switch (verdict) {
		case "violated":
			return `${counterexample?.property ?? ""} after ${counterexample?.steps.length ?? 0} steps`;
		case "vacuous": {
			const missing = properties.filter(({ outcome }) => outcome === "not-witnessed" || outcome === "not-evaluated");
			return `${missing.map(({ id }) => id).join(", ")} never happened in ${formatNumber(distinct)} states`;
		}
		case "proved":
			return `every one of ${formatNumber(distinct)} states within the bounds was explored, no property is violated`;
		case "bounded":
			return `no violation in ${formatNumber(distinct)} states, ${formatNumber(frontier)} of them not expanded: a bounded search, no proof`;
	}
}

export function checkObject(
	result: SearchResult,
	facts: CheckFacts,
	options: CheckOptions,
	version: string,
): Readonly<Record<string, unknown>> {
	const { model, statesMax } = options;
	return {
		version,
		model,
		bounds: { ...(options.model === "raft" ? options.raft : options.pbft), statesMax },
		...result,
		elapsedMs: Math.round(facts.elapsedMs),
		cpuMs: Math.round(facts.cpuMs),
		residentBytes: facts.residentBytes,
		sizes: facts.sizes,
		statesPerSecond: Math.round(perSecond(result.distinct, facts.cpuMs)),
	};
}

function perSecond(count: number, ms: number): number {
	return ms === 0 ? 0 : (count * 1_000) / ms;
}
