/** The last events before a violation as a space-time diagram (Lamport 1978): a line for each member, time downwards. */
import type { Journal } from "../journal.ts";
import type { TargetEvent } from "../target.ts";
import { type Markup, markup } from "./markup.ts";
import { round, showDuration } from "./scale.ts";

/** So many events are drawn. */
export const DIAGRAM_EVENTS_MAX = 50;
const TOP = 40;
const ROW_PX = 20;
const TIME_PX = 84;
const COLUMN_PX = 92;
const TEXT_PX = 520;
const TEXT_LENGTH_MAX = 84;

/** Null if there is nothing to draw. */
export function spaceTimeSvg({ nodes, events }: Journal): Markup | null {
	const rows = events.kept.slice(-DIAGRAM_EVENTS_MAX);
	if (rows.length === 0) return null;
	const origins = columnsOf(nodes, rows);
	const x = (name: string): number => TIME_PX + (origins.indexOf(name) + 0.5) * COLUMN_PX;
	const textX = TIME_PX + origins.length * COLUMN_PX + 16;
	const bottom = TOP + rows.length * ROW_PX + 6;
	const lines = origins.map(
		(name) =>
			markup`<line class="member" x1="${x(name)}" y1="${TOP - 12}" x2="${x(name)}" y2="${bottom}"/><text class="heading" x="${x(name)}" y="${TOP - 20}" text-anchor="middle">${name.slice(0, 13)}</text>`,
	);
	const drawn = rows.map((event, row) => eventMark(event, row, rows, x, textX));
	return markup`<svg class="chart" viewBox="0 0 ${textX + TEXT_PX} ${bottom + 8}" role="img" aria-labelledby="space-title space-text">
<title id="space-title">Space-time diagram</title>
<desc id="space-text">The last ${rows.length} events, oldest first; an arrow is a message from its sender to its receiver.</desc>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="arrowhead" d="M0 0l8 4-8 4z"/></marker></defs>
${lines}${drawn}
</svg>`;
}

/** The members, and whatever else events come from, if it is little. */
function columnsOf(nodes: readonly string[], events: readonly TargetEvent[]): readonly string[] {
	const others = new Set<string>();
	for (const { origin, values } of events) {
		for (const name of [origin, values?.["from"], values?.["to"]]) {
			if (typeof name === "string" && !nodes.includes(name)) others.add(name);
		}
	}
	return [...nodes, ...[...others].sort().slice(0, 6)];
}

function eventMark(
	event: TargetEvent,
	row: number,
	rows: readonly TargetEvent[],
	x: (name: string) => number,
	textX: number,
): Markup {
	const { type, origin, values, atMs, text } = event;
	const y = TOP + row * ROW_PX + ROW_PX / 2;
	const from = values?.["from"];
	const sentAtMs = values?.["sentAtMs"];
	const line = origin === null ? text : `${origin}: ${text}`;
	const shown = line.length <= TEXT_LENGTH_MAX ? line : `${line.slice(0, TEXT_LENGTH_MAX - 1)}…`;
	const common = markup`<text class="time" x="${TIME_PX - 12}" y="${y + 4}" text-anchor="end">${showTime(atMs)}</text><text class="${type === "violated" ? "violated" : "event"}" x="${textX}" y="${y + 4}">${type === "violated" ? "✗ " : ""}${shown}</text>`;
	if (origin === null || x(origin) < TIME_PX) return common;
	const at = x(origin);
	const leader = markup`<line class="lead" x1="${at + 8}" y1="${y}" x2="${textX - 8}" y2="${y}"/>`;
	if (type === "delivered" && typeof from === "string" && typeof sentAtMs === "number" && x(from) >= TIME_PX) {
		const sentY = heightOf(sentAtMs, row, rows);
		return markup`${leader}<line class="message" x1="${x(from)}" y1="${sentY}" x2="${at}" y2="${y}" marker-end="url(#head)"/>${common}`;
	}
	const to = values?.["to"];
	if (type === "lost" && typeof to === "string" && x(to) >= TIME_PX) {
		const end = round(at + (x(to) - at) * 0.4);
		return markup`${leader}<line class="message lost" x1="${at}" y1="${y}" x2="${end}" y2="${y + 7}"/><text class="violated" x="${end}" y="${y + 11}" text-anchor="middle">✗</text>${common}`;
	}
	return markup`${leader}${point(type, at, y)}${common}`;
}

/** Lives begin as a ring and end as a cross; leaders are squares; all else is a dot. */
function point(type: string, x: number, y: number): Markup {
	if (type === "started") return markup`<circle class="ring" cx="${x}" cy="${y}" r="5"/>`;
	if (type === "ended") return markup`<path class="cross" d="M${x - 5} ${y - 5}l10 10m0-10l-10 10"/>`;
	if (type === "leader-elected") return markup`<rect class="square" x="${x - 5}" y="${y - 5}" width="10" height="10"/>`;
	if (type === "violated") return markup`<circle class="alarm" cx="${x}" cy="${y}" r="6"/>`;
	return markup`<circle class="dot" cx="${x}" cy="${y}" r="3.5"/>`;
}

/** Where a moment lies between the rows, which stand for events and not for equal times. */
function heightOf(ms: number, before: number, rows: readonly TargetEvent[]): number {
	const center = (row: number): number => TOP + row * ROW_PX + ROW_PX / 2;
	let row = before;
	while (row > 0 && (rows[row - 1]?.atMs ?? 0) > ms) row--;
	const later = rows[row]?.atMs ?? ms;
	const earlier = rows[row - 1]?.atMs;
	if (earlier === undefined) return TOP - 12;
	const part = later === earlier ? 0.5 : (ms - earlier) / (later - earlier);
	return round(center(row - 1) + part * ROW_PX);
}

function showTime(ms: number): string {
	return ms < 1_000 ? showDuration(ms) : `${(ms / 1_000).toFixed(4)} s`;
}
