/** One run for readers: its transcript, and a space-time diagram of how it ended. */
import type { Journal, TargetEvent } from "../../supervisors/index.ts";
import { formatMs } from "./table.ts";
import { type Output, painter } from "./terminal.ts";

/** Messages of the diagram: the last ones, up to a violation if there is one. */
const DIAGRAM_ROWS_MAX = 40;
const COLUMN_WIDTH = 12;

export function printTrace(journal: Journal, events: readonly TargetEvent[], output: Output): void {
	const paint = painter(output.hasColours);
	for (const line of transcript(journal, events)) output.write(`${line}\n`);
	output.write(`\n${paint("bold", "The end, member by member (o: began a life, x: ended one, *: see the text)")}\n\n`);
	for (const line of spaceTimeDiagram(journal.nodes, journal.events.kept)) output.write(`${line}\n`);
	output.write(`\n${journal.reasons.map((reason) => `${reason}\n`).join("")}`);
	const isGood = journal.verdict === "pass";
	const { targetMs } = journal.time;
	const end = `${journal.verdict}: seed ${journal.experiment.seed}, ${formatMs(targetMs)} of virtual time, ${journal.steps} events, trace ${journal.traceHash}`;
	output.write(`${paint(isGood ? "green" : "red", end)}\n`);
}

/** Everything but single messages, in order of time, with the faults between. */
export function transcript({ faults }: Journal, events: readonly TargetEvent[]): readonly string[] {
	const lines: { readonly atMs: number; readonly text: string }[] = [];
	for (const { fault, appliedAtMs, removedAtMs, description } of faults) {
		if (appliedAtMs === null) continue;
		lines.push({ atMs: appliedAtMs, text: line(appliedAtMs, "fault", `${fault.kind}: ${description}`) });
		if (removedAtMs !== null) {
			lines.push({ atMs: removedAtMs, text: line(removedAtMs, "fault", `${fault.kind} is over: ${description}`) });
		}
	}
	for (const { atMs, origin, type, text } of events) {
		if (type !== "delivered" && type !== "lost") lines.push({ atMs, text: line(atMs, origin ?? "", text) });
	}
	return lines.sort((a, b) => a.atMs - b.atMs).map(({ text }) => text);
}

function line(atMs: number, origin: string, text: string): string {
	return `${atMs.toFixed(1).padStart(10)} ms  ${origin.padEnd(COLUMN_WIDTH)}${text}`;
}

/**
 * A column for each member, time downwards. A message is drawn where it arrives: from its sender's column to its receiver's,
 * with the time it took; one that is lost ends in the middle.
 */
export function spaceTimeDiagram(nodes: readonly string[], events: readonly TargetEvent[]): readonly string[] {
	const rows = events.slice(-DIAGRAM_ROWS_MAX);
	const header = `${" ".repeat(14)}${nodes.map((node) => centred(node)).join("")}`;
	return [header, ...rows.map((event) => `${event.atMs.toFixed(1).padStart(10)} ms ${row(nodes, event)}`)];
}

function row(nodes: readonly string[], { atMs, origin, type, text, values }: TargetEvent): string {
	const cells = nodes.map(() => centred("|"));
	const at = origin === null ? -1 : nodes.indexOf(origin);
	const other = nodes.indexOf(String(values?.[type === "lost" ? "to" : "from"] ?? ""));
	if ((type === "delivered" || type === "lost") && at >= 0 && other >= 0) {
		const [from, to] = type === "delivered" ? [other, at] : [at, other];
		const took = type === "delivered" ? ` after ${formatMs(atMs - Number(values?.["sentAtMs"] ?? atMs))}` : " lost";
		return `${arrow(cells.join(""), from, to, type === "lost")}  ${String(values?.["message"])}${took}`;
	}
	const sign = type === "started" ? "o" : type === "ended" ? "x" : "*";
	if (at >= 0) cells[at] = centred(sign);
	return `${cells.join("")}  ${at >= 0 ? "" : `${origin ?? ""} `}${text}`;
}

function centred(text: string): string {
	const cut = text.slice(0, COLUMN_WIDTH - 2);
	const before = Math.floor((COLUMN_WIDTH - cut.length) / 2);
	return `${" ".repeat(before)}${cut}`.padEnd(COLUMN_WIDTH);
}

/** Draws from one column to another, over those between. */
function arrow(line: string, from: number, to: number, isLost: boolean): string {
	const middle = (column: number): number => column * COLUMN_WIDTH + Math.floor((COLUMN_WIDTH - 1) / 2);
	const [left, right] = [Math.min(middle(from), middle(to)), Math.max(middle(from), middle(to))];
	const drawn = [...line];
	for (let column = left + 1; column < right; column++) drawn[column] = "-";
	const isRightward = to > from;
	drawn[middle(from)] = "+";
	if (!isLost) {
		drawn[isRightward ? right - 1 : left + 1] = isRightward ? ">" : "<";
		return drawn.join("");
	}
	const half = Math.floor((left + right) / 2);
	for (let column = left + 1; column < right; column++) {
		if (isRightward ? column > half : column < half) drawn[column] = line[column] ?? " ";
	}
	drawn[half] = "x";
	return drawn.join("");
}
