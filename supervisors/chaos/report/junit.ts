/** JUnit XML of one or more runs, for build servers. */
import type { Journal } from "../journal.ts";
import { escapeText } from "./markup.ts";

/**
 * One suite, one case a run. `fail` is a failure; what is neither a pass nor a failure is an error, so that no build
 * server takes it for a success.
 */
export function formatJUnit(suite: string, journals: readonly Journal[]): string {
	const failures = journals.filter(({ verdict }) => verdict === "fail").length;
	const errors = journals.filter(({ verdict }) => verdict !== "fail" && verdict !== "pass").length;
	const seconds = journals.reduce((sum, { time }) => sum + time.wallMs, 0) / 1_000;
	const head =
		`<testsuite name="${escapeText(suite)}" tests="${journals.length}" failures="${failures}" errors="${errors}" ` +
		`skipped="0" time="${seconds.toFixed(3)}">`;
	return ['<?xml version="1.0" encoding="UTF-8"?>', head, ...journals.map(testCase), "</testsuite>", ""].join("\n");
}

function testCase(journal: Journal): string {
	const { experiment, engine, verdict, reasons, time, replay } = journal;
	const name = `${experiment.title} (seed ${experiment.seed})`;
	const open = `\t<testcase classname="${escapeText(engine)}" name="${escapeText(name)}" time="${(time.wallMs / 1_000).toFixed(3)}"`;
	const properties = `\t\t<properties>\n${[
		["verdict", verdict],
		["seed", String(experiment.seed)],
		["trace-hash", journal.traceHash ?? "none"],
	]
		.map(([key, value]) => `\t\t\t<property name="${key}" value="${escapeText(value as string)}"/>`)
		.join("\n")}\n\t\t</properties>`;
	if (verdict === "pass") return `${open}>\n${properties}\n\t</testcase>`;
	const element = verdict === "fail" ? "failure" : "error";
	const body = [...reasons, ...(replay === null ? [] : [`Replay: ${replay}`])].join("\n");
	const message = escapeText(reasons[0] ?? verdict);
	return `${open}>\n${properties}\n\t\t<${element} type="${verdict}" message="${message}">${escapeText(body)}</${element}>\n\t</testcase>`;
}
