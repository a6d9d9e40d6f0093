/**
 * What clients saw around an anomaly, as a picture: a line for each client, a bar for each operation from its invocation to its
 * end, in the order of events and not to scale. Bars that one order explains carry their place in it.
 */
import { Markup, type MarkupValue, markup } from "./markup.ts";

export interface HistoryBar {
	readonly client: number;
	/** One line: what was called, and what was answered. */
	readonly label: string;
	/** Positions of its invocation and its end among the events; null: no known end. */
	readonly from: number;
	readonly to: number | null;
	/**
	 * `ordered`: answered within the longest linearizable prefix; `offending`: with its answer no order is left; `open`: under way
	 * when that came; `later`: invoked after it; `failed`: without effect.
	 */
	readonly kind: "ordered" | "offending" | "open" | "later" | "failed";
	/** Its place in one order that explains the prefix, from 1; null: none is known. */
	readonly place: number | null;
}

export interface HistoryChart {
	/** What was judged, such as `key "a" as key-value`. */
	readonly title: string;
	readonly bars: readonly HistoryBar[];
	/** Where the longest linearizable prefix ends; null: all that is shown has an order. */
	readonly prefixEnd: number | null;
	/** Earlier operations that are not shown. */
	readonly omitted: number;
}

const LEFT_PX = 84;
const TOP_PX = 34;
const ROW_PX = 30;
const BAR_PX = 20;
/** From one event to the next. */
const STEP_PX = 30;
/** Of one character of a label. */
const CHARACTER_PX = 6.2;

/** For pages and pictures; variables that a page does not define have values of their own. */
export const HISTORY_STYLE: string = `
.history text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink, #1a1a1a); }
.history .bar { fill: var(--area, #cfe0f5); stroke: var(--accent, #2f6db3); stroke-width: 1; }
.history .open .bar, .history .later .bar { fill: none; stroke-dasharray: 4 3; }
.history .failed .bar { fill: none; stroke: var(--soft, #777); stroke-dasharray: 1 3; }
.history .offending .bar { fill: none; stroke: var(--bad, #b3261e); stroke-width: 2.6; }
.history .offending text { fill: var(--bad, #b3261e); font-weight: 600; }
.history .client, .history .cut { stroke: var(--line, #ccc); stroke-width: 1; }
.history .cut { stroke: var(--bad, #b3261e); stroke-dasharray: 6 3; }
`;

/** For a page that has {@link HISTORY_STYLE}; null if there is nothing to draw. */
export function historySvg(chart: HistoryChart): Markup | null {
	return chart.bars.length === 0 ? null : drawing(chart, null);
}

/** A file of its own. */
export function formatHistorySvg(chart: HistoryChart): string {
	return `<?xml version="1.0" encoding="UTF-8"?>\n${drawing(chart, markup`<style>${new Markup(HISTORY_STYLE)}</style>`).source}\n`;
}

function drawing({ title, bars, prefixEnd, omitted }: HistoryChart, style: Markup | null): Markup {
	const clients = [...new Set(bars.map(({ client }) => client))].sort((a, b) => a - b);
	const events = [...new Set(bars.flatMap(({ from, to }) => (to === null ? [from] : [from, to])))].sort(
		(a, b) => a - b,
	);
	const ranks = new Map(events.map((position, rank) => [position, rank]));
	const x = (position: number): number => LEFT_PX + (ranks.get(position) ?? 0) * STEP_PX;
	const right = LEFT_PX + events.length * STEP_PX;
	const bottom = TOP_PX + clients.length * ROW_PX + 8;
	const rows = clients.map((client, row): MarkupValue => {
		const y = TOP_PX + row * ROW_PX + ROW_PX / 2;
		return markup`<line class="client" x1="${LEFT_PX}" y1="${y}" x2="${right}" y2="${y}"/><text x="${LEFT_PX - 10}" y="${y + 4}" text-anchor="end">client ${client}</text>`;
	});
	const drawn = bars.map((bar) => {
		const y = TOP_PX + clients.indexOf(bar.client) * ROW_PX + (ROW_PX - BAR_PX) / 2;
		return barMark(bar, x(bar.from), bar.to === null ? right : x(bar.to), y);
	});
	const cut =
		prefixEnd === null
			? null
			: markup`<line class="cut" x1="${x(prefixEnd)}" y1="${TOP_PX - 8}" x2="${x(prefixEnd)}" y2="${bottom}"/><text x="${x(prefixEnd)}" y="${TOP_PX - 14}" text-anchor="middle">the longest linearizable prefix ends here</text>`;
	const before = omitted === 0 ? "" : `, the last after ${omitted} that are not shown`;
	return markup`<svg xmlns="http://www.w3.org/2000/svg" class="history" viewBox="0 0 ${right + 130} ${bottom + 8}" width="${right + 130}" height="${bottom + 8}" role="img">
<title>${title}: ${bars.length} operations${before}</title>
<desc>A line for each client, a bar for each operation in the order of events. A number is the operation's place in one order that explains what was answered; a cross marks the operation whose answer no order explains.</desc>
${style}${rows}${drawn}${cut}
</svg>`;
}

function barMark({ label, kind, place, to }: HistoryBar, from: number, end: number, y: number): Markup {
	const width = Math.max(4, end - from);
	const sign = kind === "offending" ? "✗ " : place === null ? "" : `${place} `;
	const text = `${sign}${label}`;
	const room = Math.floor((width - 6) / CHARACTER_PX);
	const shown =
		text.length <= room ? text : room < 2 ? text.slice(0, Math.max(0, room)) : `${text.slice(0, room - 1)}…`;
	return markup`<g class="${kind}"><title>${text}${to === null ? " (no known end)" : ""}</title><rect class="bar" x="${from}" y="${y}" width="${width}" height="${BAR_PX}" rx="3"/><text x="${from + 4}" y="${y + 14}">${shown}</text></g>`;
}
