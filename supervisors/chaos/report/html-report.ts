/**
 * The journal as one self-contained page: no script, nothing loaded from anywhere, readable without colours, with a
 * content-security policy that allows its own style sheet and nothing else.
 */
import { createHash } from "node:crypto";
import { describeProbe, describeTolerance } from "../hypothesis.ts";
import {
	type FaultRecord,
	type GuardRecord,
	type Journal,
	type ProbeOutcome,
	type PropertyRecord,
	VIOLATION_IDS,
} from "../journal.ts";
import { formatExperiment } from "../parse.ts";
import { historySvg } from "./history-chart.ts";
import { Markup, markup } from "./markup.ts";
import { showCount, showDuration } from "./scale.ts";
import { DIAGRAM_EVENTS_MAX, spaceTimeSvg } from "./space-time.ts";
import { STYLE } from "./style.ts";
import { timelineSvg } from "./timeline.ts";

/** What else a page can tell, beyond the journal. */
export interface ReportExtras {
	/** Of the shrinking that made this experiment, one line each. */
	readonly shrink?: readonly string[];
}

/** Signs beside the colours of verdicts. */
const SIGNS: Readonly<Record<Journal["verdict"], string>> = {
	pass: "✓",
	fail: "✗",
	inconclusive: "?",
	vacuous: "∅",
	aborted: "!",
};

/** One HTML page. */
export function formatHtmlReport(journal: Journal, extras: ReportExtras = {}): string {
	const styleHash = createHash("sha256").update(STYLE).digest("base64");
	const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
	const { verdict, experiment } = journal;
	const page = markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${SIGNS[verdict]} ${verdict}: ${experiment.title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
<main>
${heading(journal)}
${facts(journal)}
${replay(journal)}
${timeline(journal)}
${hypothesis(journal)}
${properties(journal)}
${diagram(journal)}
${history(journal)}
${faults(journal)}
${guards(journal)}
${shrinking(extras)}
${notChecked(journal)}
${source(journal)}
</main>
</body>
</html>
`;
	return page.source;
}

function heading({ verdict, experiment, reasons, beyondBudget, error }: Journal): Markup {
	const expected =
		experiment.expect === "pass"
			? null
			: markup` <span class="soft">expected: ${experiment.expect.violated} is violated</span>`;
	return markup`<header>
<div><span class="verdict ${verdict}">${SIGNS[verdict]}&ensp;${verdict.toUpperCase()}</span>${expected}</div>
<h1>${experiment.title}</h1>
${experiment.description === "" ? null : markup`<p class="soft">${experiment.description}</p>`}
<ul class="reasons">${reasons.map((reason) => markup`<li>${reason}</li>`)}</ul>
${beyondBudget === null ? null : markup`<p class="warning"><strong>! Beyond the fault budget:</strong> ${beyondBudget}. Containment is judged, availability is not.</p>`}
${error === null ? null : markup`<p class="warning"><strong>! ${error.code}:</strong> ${error.message}</p>`}
</header>`;
}

function facts(journal: Journal): Markup {
	const { experiment, engine, time, versions } = journal;
	const { topology, workload, budget } = experiment;
	const ratio =
		time.wallMs > 0 ? `${showCount(Number((time.targetMs / time.wallMs).toPrecision(3)))}×` : "not measured";
	const counts = journal.workload.counts;
	const rows: readonly (readonly [string, string])[] = [
		["Seed", String(experiment.seed)],
		["Engine", engine],
		["Group", `${topology.protocol}, ${topology.nodes} nodes, ${topology.storage} storage`],
		["Fault budget", `${budget.crash} crash, ${budget.byzantine} Byzantine, ${budget.damage} damaged`],
		["Target clock", showDuration(time.targetMs)],
		["Wall clock", time.wallMs > 0 ? showDuration(time.wallMs) : "not measured"],
		["Target over wall clock", ratio],
		["Engine steps", showCount(journal.steps)],
		["Workload", `${workload.kind}, ${workload.clients} clients, ${showCount(workload.ratePerSecond)}/s`],
		[
			"Operations",
			`${showCount(counts.ok)} ok, ${showCount(counts.failed)} failed, ${showCount(counts.unknown)} unknown`,
		],
		[
			"Agreed again",
			time.convergedAtMs === null ? "no, or not reached" : showDuration(time.convergedAtMs - (time.methodToMs ?? 0)),
		],
		["Trace hash", journal.traceHash ?? "none: not repeatable"],
		...Object.entries(versions).map(([name, version]): [string, string] => [`Version of ${name}`, version]),
	];
	return markup`<dl class="facts">${rows.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function replay({ replay: command }: Journal): Markup {
	return command === null ? markup`` : markup`<p class="soft">Run this again:</p><pre>${command}</pre>`;
}

function timeline(journal: Journal): Markup {
	const swatch = (category: string): Markup =>
		markup`<span><svg viewBox="0 0 22 12" aria-hidden="true"><rect class="bar ${category}" x="1" y="1" width="20" height="10" rx="2"/></svg>${category}</span>`;
	return markup`<h2>Timeline</h2>
<div class="scroll">${timelineSvg(journal)}</div>
<div class="legend">${["process", "network", "storage", "clock", "membership"].map(swatch)}<span>◆ over at once</span><span>▁ answered</span><span>┅ failed or unknown</span><span>latency: dot median, line to slowest</span></div>`;
}

function hypothesis({ hypothesis: { title, before, after } }: Journal): Markup {
	if (before.length === 0) return markup``;
	const rows = before.map((outcome, index) => {
		const later = after?.[index];
		return markup`<tr><td>${describeProbe(outcome.spec)}</td><td>${describeTolerance(outcome.spec.tolerance)}</td>${probeCell(outcome)}${later === undefined ? markup`<td class="soft">not reached</td>` : probeCell(later)}</tr>`;
	});
	return markup`<h2>Steady state${title === "" ? "" : `: ${title}`}</h2>
<div class="scroll"><table><thead><tr><th>Probe</th><th>Expected</th><th>Before the method</th><th>After the liveness phase</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function probeCell({ met, value, failure, atMs }: ProbeOutcome): Markup {
	if (failure !== null) return markup`<td class="doubt">? ${failure}</td>`;
	return markup`<td class="${met ? "good" : "bad"}">${met ? "✓" : "✗"} ${JSON.stringify(value)} <span class="soft">at ${showDuration(atMs)}</span></td>`;
}

function properties({ properties: all }: Journal): Markup {
	const judged = all.filter(({ kind, required }) => kind !== "sometimes" && required);
	const witnesses = all.filter(({ kind }) => kind === "sometimes");
	const judgedTable = markup`<div class="scroll"><table><thead><tr><th>Property</th><th>Kind</th><th class="number">Evaluations</th><th>Outcome</th></tr></thead><tbody>${judged.map(
		(property) =>
			markup`<tr><td>${property.id}</td><td>${property.kind}</td><td class="number">${showCount(property.evaluations)}</td>${judgedCell(property)}</tr>`,
	)}</tbody></table></div>`;
	const witnessTable = markup`<h2>Coverage: what happened at least once</h2>
<div class="scroll"><table><thead><tr><th>Sometimes</th><th>Required</th><th>First seen</th></tr></thead><tbody>${witnesses.map(
		({ id, required, first }) =>
			markup`<tr><td>${id}</td><td>${required ? "yes" : "no"}</td><td class="${first !== null ? "good" : required ? "bad" : "soft"}">${first === null ? (required ? "✗ never" : "– never") : `✓ ${showDuration(first.atMs)}: ${first.text}`}</td></tr>`,
	)}</tbody></table></div>`;
	return markup`${judged.length === 0 ? null : markup`<h2>Properties</h2>${judgedTable}`}${witnesses.length === 0 ? null : witnessTable}`;
}

function judgedCell({ first, evaluations }: PropertyRecord): Markup {
	if (first !== null) return markup`<td class="bad">✗ violated at ${showDuration(first.atMs)}: ${first.text}</td>`;
	if (evaluations === 0) return markup`<td class="doubt">? never evaluated</td>`;
	return markup`<td class="good">✓ held</td>`;
}

function diagram(journal: Journal): Markup {
	// A history is judged afterwards: the last events are not those that spoilt it.
	if (journal.violations.every((id) => id === VIOLATION_IDS.history)) return markup``;
	const svg = spaceTimeSvg(journal);
	if (svg === null) return markup``;
	const shown = Math.min(DIAGRAM_EVENTS_MAX, journal.events.kept.length);
	return markup`<h2>What led to it</h2>
<p class="soft">The last ${shown} of ${showCount(journal.events.seen)} events, oldest first. Arrows are messages; ○ a member starts, × it ends, ■ it is elected, ● anything else.</p>
<div class="scroll">${svg}</div>`;
}

function history({ workload: { judgement } }: Journal): Markup {
	if (judgement === null) return markup``;
	const { verdict, check, explanation, excerpt, chart } = judgement;
	const picture = chart === undefined ? null : historySvg(chart);
	const outcome = {
		ok: "✓ the history is",
		violated: "✗ the history is not",
		unknown: "? not known whether the history is",
	}[verdict];
	const className = { ok: "good", violated: "bad", unknown: "doubt" }[verdict];
	const lines =
		verdict === "ok" || excerpt.length === 0
			? null
			: markup`<p class="soft">${verdict === "violated" ? "Operations around the anomaly" : "The last operations"}:</p>${historyLines(excerpt)}`;
	return markup`<h2>Client history</h2>
<p class="${className}">${outcome} ${check}</p>
${explanation === null ? null : markup`<pre>${explanation}</pre>`}
${picture === null ? null : markup`<div class="scroll">${picture}</div>`}
${lines}`;
}

/** A table where every line is a flat object of few keys; else the lines themselves. */
function historyLines(excerpt: readonly string[]): Markup {
	const rows = excerpt.map(parseObject);
	const keys = [...new Set(rows.flatMap((row) => Object.keys(row ?? {})))];
	if (rows.includes(null) || keys.length > 10) return markup`<pre>${excerpt.join("\n")}</pre>`;
	return markup`<div class="scroll"><table><thead><tr>${keys.map((key) => markup`<th>${key}</th>`)}</tr></thead><tbody>${rows.map(
		(row) => markup`<tr>${keys.map((key) => markup`<td><code>${show(row?.[key])}</code></td>`)}</tr>`,
	)}</tbody></table></div>`;
}

function parseObject(line: string): Record<string, unknown> | null {
	try {
		const parsed: unknown = JSON.parse(line);
		return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
	} catch {
		// A line that is no JSON is shown as it is.
		return null;
	}
}

function show(value: unknown): string {
	if (value === undefined) return "";
	return typeof value === "string" ? value : JSON.stringify(value);
}

function faults({ faults: all }: Journal): Markup {
	if (all.length === 0) return markup``;
	const rows = all.map(
		(record) =>
			markup`<tr><td>${record.fault.kind}</td><td>${record.description ?? showArguments(record)}</td><td class="number">${showDuration(record.plannedAtMs)}</td><td class="number">${record.appliedAtMs === null ? "–" : showDuration(record.appliedAtMs)}</td><td class="number">${record.removedAtMs === null ? "–" : showDuration(record.removedAtMs)}</td>${faultCell(record)}</tr>`,
	);
	return markup`<h2>Faults</h2>
<div class="scroll"><table><thead><tr><th>Fault</th><th>What it hit</th><th class="number">Planned</th><th class="number">Applied</th><th class="number">Removed</th><th>Outcome</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function faultCell({ outcome, reason }: FaultRecord): Markup {
	const text = reason === null ? "" : `: ${reason}`;
	if (outcome === "applied")
		return markup`<td class="${reason === null ? "good" : "bad"}">${reason === null ? "✓" : "✗"} applied${text}</td>`;
	if (outcome === "failed") return markup`<td class="bad">✗ failed${text}</td>`;
	return markup`<td class="doubt">– ${outcome === "skipped" ? "left out" : "not reached"}${text}</td>`;
}

function showArguments({ resolved }: FaultRecord): string {
	return Object.entries(resolved.arguments)
		.map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(" ") : value}`)
		.join(", ");
}

function guards({ guards: all }: Journal): Markup {
	if (all.length === 0) return markup``;
	const row = ({ spec, evaluations, tripped }: GuardRecord): Markup =>
		markup`<tr><td>${describeProbe(spec)}</td><td>${describeTolerance(spec.tolerance)}</td><td class="number">${showCount(evaluations)}</td>${tripped === null ? markup`<td class="good">✓ never tripped</td>` : probeCell(tripped)}</tr>`;
	return markup`<h2>Guards</h2>
<div class="scroll"><table><thead><tr><th>Guard</th><th>Allowed</th><th class="number">Looked at</th><th>Outcome</th></tr></thead><tbody>${all.map(row)}</tbody></table></div>`;
}

function shrinking({ shrink = [] }: ReportExtras): Markup {
	return shrink.length === 0
		? markup``
		: markup`<h2>Shrinking</h2><ul>${shrink.map((line) => markup`<li>${line}</li>`)}</ul>`;
}

function notChecked({ notChecked: all }: Journal): Markup {
	if (all.length === 0) return markup``;
	return markup`<h2>What was not checked</h2><ul>${all.map((line) => markup`<li>${line}</li>`)}</ul>`;
}

function source({ experiment }: Journal): Markup {
	return markup`<details><summary>The experiment</summary><pre>${formatExperiment(experiment)}</pre></details>`;
}
