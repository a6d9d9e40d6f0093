/**
 * Goal: a report tells what the journal holds, in every verdict, and nothing that a run brought with it can act in it.
 * Method: journals of scripted runs, with hostile texts in every place that comes from outside; the page is taken apart
 * by a strict reader of tags, so that whatever was not escaped shows as an element that the report has none of.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
	type Experiment,
	formatHtmlReport,
	formatJournal,
	formatJUnit,
	type Journal,
	runExperiment,
} from "../../../../supervisors/index.ts";
import { experimentOf, type Script, ScriptedEngine } from "../scripted-target.ts";

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>&amp;]]>\u0000\uD800`;

async function journalOf(more: Readonly<Record<string, string>> = {}, script: Partial<Script> = {}): Promise<Journal> {
	let wallMs = 0;
	const options = {
		replay: "quorate chaos run a.yaml",
		versions: { quorate: "0.1.0" },
		wallClock: () => (wallMs += 100),
	};
	const { journal } = await runExperiment(experimentOf(more), { engine: new ScriptedEngine(script), ...options });
	return journal;
}

const violated: Partial<Script> = {
	finding: (id, { methodMs }) => (id === "safe" && methodMs >= 2_000 ? { atMs: 2_000, text: hostile } : null),
	onStep: (target) => {
		const { methodMs } = target;
		if (methodMs === 5)
			target.say({ origin: "node-1", type: "leader-elected", text: "node-1 leads", values: { term: 1 } });
		if (methodMs === 1_900)
			target.say({ origin: "node-2", type: "delivered", text: hostile, values: { from: "node-1", sentAtMs: 1_800 } });
		if (methodMs === 1_950) target.say({ origin: hostile, type: hostile, text: hostile, values: { to: hostile } });
		if (methodMs === 1_960)
			target.say({ origin: "node-1", type: "lost", text: "a vote is lost", values: { to: "node-3" } });
		if (methodMs === 1_970) target.say({ origin: "node-3", type: "ended", text: "node-3 ends" });
	},
};

/** The names of all elements, in order; fails on anything that is no well-formed markup. */
function elementsOf(page: string): readonly string[] {
	const names: string[] = [];
	const open: string[] = [];
	const body = page.replace(/<style>[\s\S]*?<\/style>/, "<style></style>").replace("<!DOCTYPE html>", "");
	const tag = /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z][a-zA-Z0-9:-]*="[^"<>]*")*)\s*(\/?)>/y;
	for (let at = body.indexOf("<"); at !== -1; at = body.indexOf("<", at)) {
		tag.lastIndex = at;
		const match = tag.exec(body);
		expect(match, body.slice(at, at + 120)).not.toBeNull();
		const [whole = "", closing, name = "", attributes = "", empty] = match ?? [];
		for (const [, attribute] of attributes.matchAll(/\s([a-zA-Z][^\s=]*)="[^"]*"/g)) {
			expect(attribute).not.toMatch(/^on|^src$|^style$|^href$|^action$/);
		}
		if (closing === "/") expect(open.pop()).toBe(name);
		else {
			names.push(name);
			if (empty === "" && name !== "meta") open.push(name);
		}
		at += whole.length;
	}
	expect(open).toEqual([]);
	return names;
}

describe("formatHtmlReport", () => {
	it("escapes whatever a run brings with it", async () => {
		const more = {
			title: JSON.stringify(hostile),
			description: JSON.stringify(hostile),
			"steady-state": `{title: ${JSON.stringify(hostile)}, probes: [{probe: leaders, arguments: {a: ${JSON.stringify(hostile)}}, tolerance: 1}]}`,
		};
		const journal = await journalOf(more, violated);
		const history = { op: hostile, [hostile]: 1 };
		const page = formatHtmlReport(
			{
				...journal,
				replay: hostile,
				traceHash: hostile,
				nodes: [hostile, ...journal.nodes],
				versions: { [hostile]: hostile },
				notChecked: [hostile],
				faults: journal.faults.map((fault) => ({ ...fault, description: hostile, reason: hostile })),
				workload: {
					...journal.workload,
					judgement: {
						verdict: "violated",
						check: hostile,
						explanation: hostile,
						excerpt: [JSON.stringify(history)],
						chart: {
							title: hostile,
							bars: [{ client: 1, label: hostile, from: 1, to: 2, kind: "offending", place: null }],
							prefixEnd: 2,
							omitted: 0,
						},
					},
				},
			},
			{ shrink: [hostile] },
		);
		const elements = elementsOf(page);
		expect(elements).not.toContain("script");
		expect(elements).not.toContain("img");
		expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
		expect(page).not.toContain("\u0000");
	});

	it("allows its own style sheet and nothing else, and loads nothing", async () => {
		const page = formatHtmlReport(await journalOf({}, violated));
		const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
		const hash = createHash("sha256").update(style).digest("base64");
		expect(page).toContain(
			`<meta http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; style-src &#39;sha256-${hash}&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;">`,
		);
		expect(page).not.toMatch(/https?:|<script|<link|@import|url\((?!#)/);
		expect(style).toContain("prefers-color-scheme: dark");
	});

	it("tells the verdict in words and signs, with its reasons, and how to run it again", async () => {
		const page = formatHtmlReport(await journalOf({}, violated));
		expect(page).toContain("✗&ensp;FAIL");
		expect(page).toContain("safe was violated at 2000 ms");
		expect(page).toContain("<pre>quorate chaos run a.yaml</pre>");
		expect(page).toContain("<dt>Trace hash</dt><dd>00c0ffee</dd>");
		expect(page).toContain("<dt>Target over wall clock</dt>");
	});

	it("draws what led to a violation, and only then", async () => {
		const page = formatHtmlReport(await journalOf({}, violated));
		expect(page).toContain("What led to it");
		expect(page).toMatch(
			/<line class="message" x1="[\d.]+" y1="[\d.]+" x2="[\d.]+" y2="[\d.]+" marker-end="url\(#head\)"/,
		);
		expect(page).toContain("node-3: node-3 ends");
		const { finding: _, ...rest } = violated;
		expect(formatHtmlReport(await journalOf({}, rest))).not.toContain("What led to it");
	});

	it("draws every fault where it was, lasting or not, with its name beside its pattern", async () => {
		const method =
			"[{at: 1s, fault: kill, target: leader}, {at: 1s, fault: loss, for: 1s}, {at: 2s, fault: slow-disk, target: node-2}]";
		const journal = await journalOf({ method });
		const page = formatHtmlReport(journal);
		expect(page).toContain("<title>kill at 1 s: kill of leader</title>");
		expect(page).toContain("<title>loss, 1 s to 2 s: loss of all</title>");
		expect(page).toMatch(/<rect class="bar network" x="([\d.]+)"/);
		expect(page).toContain('<pattern id="storage"');
		const bar = /<rect class="bar network" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/.exec(page);
		// The plot is 962 wide and begins at 138.
		const secondPx = (962 * 1_000) / journal.time.targetMs;
		expect(Number(bar?.[1])).toBeCloseTo(138 + secondPx, 0);
		expect(Number(bar?.[2])).toBeCloseTo(secondPx, 0);
	});

	it("names charts for those who do not see them", async () => {
		const page = formatHtmlReport(await journalOf({}, violated));
		const charts = page.match(/<svg class="chart"[^>]*>/g) ?? [];
		expect(charts).toHaveLength(2);
		for (const chart of charts) {
			const ids = /role="img" aria-labelledby="(\S+) (\S+)"/.exec(chart);
			expect(page).toContain(`<title id="${ids?.[1]}">`);
			expect(page).toContain(`<desc id="${ids?.[2]}">`);
		}
	});

	it("is whole for every verdict, also for a run that never began", async () => {
		const journals: Journal[] = [
			await journalOf(),
			await journalOf({}, violated),
			await journalOf({ method: "[]", "steady-state": "{}" }),
			await journalOf({ method: "[{at: 1s, fault: kill, target: all}]" }),
			await journalOf({}, { probes: { leaders: () => 0 } }),
			await journalOf({}, { latencyMs: () => null }),
			await journalOf(
				{},
				{ judgement: { verdict: "unknown", check: "linearizable", explanation: "late", history: "no json" } },
			),
			await journalOf({ guards: "[{probe: memory, tolerance: {max: 1}}]" }),
			await journalOf({ method: "[{at: 1s, fault: kill, target: nobody}]" }),
		];
		expect(new Set(journals.map(({ verdict }) => verdict)).size).toBeGreaterThanOrEqual(4);
		for (const journal of journals) {
			const page = formatHtmlReport(journal);
			elementsOf(page);
			expect(page).not.toMatch(/NaN|undefined|Infinity/);
			for (const reason of journal.reasons) expect(page).toContain(reason.slice(0, 20));
			for (const line of journal.notChecked) expect(page).toContain(line.slice(0, 20));
		}
	});
});

describe("formatJUnit", () => {
	it("counts what failed and what is not known, and never takes the latter for a success", async () => {
		const passed = await journalOf();
		const failed = await journalOf({ title: JSON.stringify(hostile) }, violated);
		const vacuous = await journalOf({ properties: "{sometimes: [leader-changed]}" });
		const xml = formatJUnit("chaos & more", [passed, failed, vacuous]);
		expect(xml).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/);
		expect(xml).toContain(
			'<testsuite name="chaos &amp; more" tests="3" failures="1" errors="1" skipped="0" time="0.300">',
		);
		expect(xml).toContain('<error type="vacuous" message="leader-changed never happened">');
		expect(xml).toContain('<failure type="fail"');
		expect(xml).toContain("Replay: quorate chaos run a.yaml");
		const elements = elementsOf(xml.replace(/^<\?xml.*\?>\n/, ""));
		expect(elements.filter((name) => name === "testcase")).toHaveLength(3);
		expect(elements.filter((name) => name === "failure" || name === "error")).toEqual(["failure", "error"]);
	});
});

describe("the journal", () => {
	it("is plain data: JSON keeps all of it", async () => {
		const journal = await journalOf({ method: "[{at: 1s, fault: partition, shape: halves, for: 1s}]" }, violated);
		expect(JSON.parse(formatJournal(journal))).toEqual(journal);
		expect(formatJournal(journal).split("\n")).toHaveLength(Object.keys(journal).length + 3);
		const { method }: Experiment = journal.experiment;
		expect(method).toHaveLength(1);
	});
});
