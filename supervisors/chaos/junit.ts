/** JUnit XML of one or more runs, for build servers. */
import type { Journal } from "./journal.ts";

/**
 * One suite, one case a run. `fail` is a failure; what is neither a pass nor a failure is an error, so that no build
 * server takes it for a success.
 */
export function formatJUnit(suite: string, journals: readonly Journal[]): string {
	const failures = journals.filter(({ verdict }) => verdict === "fail").length;
	const errors = journals.filter(({ verdict }) => verdict !== "fail" && verdict !== "pass").length;
	const seconds = journals.reduce((sum, { time }) => sum + time.wallMs, 0) / 1_000;
	const head =
		`<testsuite name="${escapeXml(suite)}" tests="${journals.length}" failures="${failures}" errors="${errors}" ` +
		`skipped="0" time="${seconds.toFixed(3)}">`;
	return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...journals.map(testCase), "</testsuite>", ""].join("\n");
}

function testCase(journal: Journal): string {
	const { experiment, engine, verdict, reasons, time, replay } = journal;
	const name = `${experiment.title} (seed ${experiment.seed})`;
	const open = `\t<testcase classname="${escapeXml(engine)}" name="${escapeXml(name)}" time="${(time.wallMs / 1_000).toFixed(3)}"`;
	const properties = `\t\t<properties>\n${[
		["verdict", verdict],
		["seed", String(experiment.seed)],
		["trace-hash", journal.traceHash ?? "none"],
	]
		.map(([key, value]) => `\t\t\t<property name="${key}" value="${escapeXml(value as string)}"/>`)
		.join("\n")}\n\t\t</properties>`;
	if (verdict === "pass") return `${open}>\n${properties}\n\t</testcase>`;
	const element = verdict === "fail" ? "failure" : "error";
	const body = [...reasons, ...(replay === null ? [] : [`Replay: ${replay}`])].join("\n");
	const message = escapeXml(reasons[0] ?? verdict);
	return `${open}>\n${properties}\n\t\t<${element} type="${verdict}" message="${message}">${escapeXml(body)}</${element}>\n\t</testcase>`;
}

/** Characters that XML 1.0 can not hold, not even escaped: most controls, lone surrogates and two non-characters. */
const UNPRINTABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text for XML and HTML, in elements and in quoted attributes. */
export function escapeXml(text: string): string {
	return text
		.replace(UNPRINTABLE, "\uFFFD")
		.replace(/&/g, "&amp;")
		.replace(/</g, "&lt;")
		.replace(/>/g, "&gt;")
		.replace(/"/g, "&quot;")
		.replace(/'/g, "&#39;");
}
