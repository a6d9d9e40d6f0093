/** The timeline of a run: faults over throughput, latency, leader and term, on one time axis, as inline SVG. */
import { findFaultKind } from "../catalogue.ts";
import type { FaultRecord, Journal } from "../journal.ts";
import { type Markup, markup } from "./markup.ts";
import { place, round, type Scale, showCount, showDuration, ticks } from "./scale.ts";

const WIDTH = 1_120;
const LEFT = 138;
const RIGHT = 1_100;
const TOP = 34;
const ROW_PX = 18;
const CHART_PX = 84;
const TERM_PX = 46;
const GAP_PX = 26;
/** Time is drawn in so many parts. */
const BUCKETS = 160;
/** Bars narrower than this carry no text. */
const LABEL_PX_MIN = 46;
const LETTER_PX = 6.3;
const MARK_PX = 15;
/** Moments that are marked, at most. */
const MARKS_MAX = 4;

/** What is drawn below what came before. */
interface Lane {
	readonly drawn: Markup;
	readonly heightPx: number;
}

export function timelineSvg(journal: Journal): Markup {
	const time: Scale = { from: 0, to: Math.max(journal.time.targetMs, 1), fromPx: LEFT, toPx: RIGHT };
	const lanes: Markup[] = [];
	let top = TOP;
	for (const lane of [faultLane, throughputLane, latencyLane, leaderLane, termLane]) {
		const { drawn, heightPx } = lane(journal, time, top);
		lanes.push(drawn);
		top += heightPx + GAP_PX;
	}
	const bottom = top - GAP_PX + 6;
	const height = bottom + 26 + Math.max(moments(journal).length, 1) * MARK_PX;
	return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="timeline-title timeline-text">
<title id="timeline-title">Timeline of the run</title>
<desc id="timeline-text">${summary(journal)}</desc>
<defs>${patterns()}</defs>
${phases(journal, time, bottom)}
${faultBands(journal, time, bottom)}
${axis(time, bottom)}
${lanes}
${marks(journal, time, bottom)}
</svg>`;
}

function summary({ faults, leaders, workload, time }: Journal): string {
	const applied = faults.filter(({ outcome }) => outcome === "applied").length;
	return (
		`${applied} faults in ${showDuration(time.targetMs)}, ${workload.counts.ok} operations answered, ` +
		`${leaders.length} leaderships. The tables below hold the same data.`
	);
}

function axis(time: Scale, bottom: number): Markup {
	const at = ticks(time.from, time.to, 10);
	return markup`<g class="axis">${at.map((ms) => {
		const x = place(time, ms);
		return markup`<line x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${bottom}"/><text x="${x}" y="${bottom + 16}" text-anchor="middle">${showDuration(ms)}</text>`;
	})}</g>`;
}

/** Names and limits of the phases, above everything. */
function phases({ time: { methodFromMs, methodToMs, targetMs } }: Journal, time: Scale, bottom: number): Markup {
	if (methodFromMs === null) return markup``;
	const method = markup`<text x="${place(time, methodFromMs) + 4}" y="${TOP - 14}">method</text>`;
	const line = (ms: number): Markup =>
		markup`<line x1="${place(time, ms)}" y1="${TOP - 26}" x2="${place(time, ms)}" y2="${bottom}"/>`;
	if (methodToMs === null) return markup`<g class="phases">${line(methodFromMs)}${method}</g>`;
	const liveness =
		targetMs > methodToMs
			? markup`<text x="${place(time, methodToMs) + 4}" y="${TOP - 14}">${RIGHT - place(time, methodToMs) > 60 ? "liveness" : ""}</text>`
			: null;
	return markup`<g class="phases">${line(methodFromMs)}${line(methodToMs)}${method}${liveness}</g>`;
}

/** A shade over all lanes while any lasting fault is in force. */
function faultBands({ faults, time: { targetMs } }: Journal, time: Scale, bottom: number): Markup {
	const spans = faults
		.filter((fault) => fault.appliedAtMs !== null && isLasting(fault))
		.map(({ appliedAtMs, removedAtMs }) => ({ fromMs: appliedAtMs ?? 0, toMs: removedAtMs ?? targetMs }));
	return markup`<g class="bands">${union(spans).map(({ fromMs, toMs }) => {
		const from = place(time, fromMs);
		const width = round(Math.max(place(time, toMs) - from, 1));
		return markup`<rect x="${from}" y="${TOP - 6}" width="${width}" height="${bottom - TOP + 6}"/>`;
	})}</g>`;
}

interface Span {
	readonly fromMs: number;
	readonly toMs: number;
}

/** The same time without overlaps, in order. */
function union(spans: readonly Span[]): readonly Span[] {
	const merged: Span[] = [];
	for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
		const last = merged.at(-1);
		if (last === undefined || span.fromMs > last.toMs) merged.push(span);
		else merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, span.toMs) };
	}
	return merged;
}

/** A row for each kind; a bar for what lasted, a diamond for what was over at once. */
function faultLane(journal: Journal, time: Scale, top: number): Lane {
	const applied = journal.faults.filter(({ appliedAtMs }) => appliedAtMs !== null);
	const kinds = [...new Set(applied.map(({ fault }) => fault.kind))];
	if (kinds.length === 0) {
		return { drawn: markup`<text class="none" x="${LEFT + 6}" y="${top + 13}">no faults</text>`, heightPx: ROW_PX };
	}
	const rows = kinds.map((kind, row) => {
		const y = top + row * ROW_PX;
		const ofKind = applied.filter(({ fault }) => fault.kind === kind);
		return markup`<text class="label" x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${kind}</text>${ofKind.map((fault, index) => faultMark(fault, ofKind[index + 1], journal, time, y))}`;
	});
	return { drawn: markup`<g class="faults">${rows}</g>`, heightPx: kinds.length * ROW_PX };
}

function faultMark(
	record: FaultRecord,
	next: FaultRecord | undefined,
	{ time: { targetMs } }: Journal,
	time: Scale,
	y: number,
): Markup {
	const category = findFaultKind(record.fault.kind)?.category ?? "process";
	const fromMs = record.appliedAtMs ?? 0;
	const x = place(time, fromMs);
	const what = record.description ?? record.fault.kind;
	if (!isLasting(record)) {
		const title = markup`<title>${record.fault.kind} at ${showDuration(fromMs)}: ${what}</title>`;
		return markup`<path class="instant ${category}" d="M${x} ${y + 2}l7 7-7 7-7-7z">${title}</path>`;
	}
	const toMs = record.removedAtMs ?? targetMs;
	const width = round(Math.max(place(time, toMs) - x, 3));
	const title = markup`<title>${record.fault.kind}, ${showDuration(fromMs)} to ${showDuration(toMs)}: ${what}</title>`;
	// Where the next of its kind begins before this one is over, the text would run into it.
	const roomPx = Math.min(width, next === undefined ? width : place(time, next.appliedAtMs ?? 0) - x);
	const letters = Math.floor((roomPx - 8) / LETTER_PX);
	const text = what.length <= letters ? what : `${what.slice(0, Math.max(letters - 1, 0))}…`;
	const label = roomPx < LABEL_PX_MIN ? null : markup`<text x="${round(x + 5)}" y="${y + 13}">${text}</text>`;
	return markup`<g><rect class="bar ${category}" x="${x}" y="${y + 2}" width="${width}" height="${ROW_PX - 4}" rx="2">${title}</rect>${label}</g>`;
}

function throughputLane({ workload, time: { targetMs } }: Journal, time: Scale, top: number): Lane {
	const bucketMs = Math.max(targetMs, 1) / BUCKETS;
	const perSecond = new Array<number>(BUCKETS).fill(0);
	for (const { atMs } of workload.latencies) {
		const bucket = Math.min(BUCKETS - 1, Math.floor(atMs / bucketMs));
		perSecond[bucket] = (perSecond[bucket] ?? 0) + 1_000 / bucketMs;
	}
	const notOk = workload.samples.map(({ atMs, notOk: count }, index) => {
		const before = workload.samples[index - 1];
		const seconds = (atMs - (before?.atMs ?? atMs)) / 1_000;
		return { atMs, value: seconds > 0 ? (count - (before?.notOk ?? 0)) / seconds : 0 };
	});
	const max = Math.max(1, ...perSecond, ...notOk.map(({ value }) => value));
	const y: Scale = { from: 0, to: max, fromPx: top + CHART_PX, toPx: top };
	const steps = perSecond
		.map((value, bucket) => `V${place(y, value)}H${place(time, (bucket + 1) * bucketMs)}`)
		.join("");
	const area = `M${LEFT} ${top + CHART_PX}${steps}V${top + CHART_PX}Z`;
	const failures = notOk.some(({ value }) => value > 0)
		? markup`<path class="failures" d="M${notOk.map(({ atMs, value }) => `${place(time, atMs)} ${place(y, value)}`).join("L")}"><title>failed or unknown operations per second</title></path>`
		: null;
	const drawn = markup`<g>${frame("throughput", "operations / s", top, CHART_PX)}${valueTicks(y, [max / 2, max])}<path class="area" d="${area}"><title>operations answered per second</title></path>${failures}</g>`;
	return { drawn, heightPx: CHART_PX };
}

function latencyLane({ workload, time: { targetMs } }: Journal, time: Scale, top: number): Lane {
	const bucketMs = Math.max(targetMs, 1) / BUCKETS;
	const buckets = new Map<number, number[]>();
	for (const { atMs, latencyMs } of workload.latencies) {
		const bucket = Math.min(BUCKETS - 1, Math.floor(atMs / bucketMs));
		const values = buckets.get(bucket);
		if (values === undefined) buckets.set(bucket, [latencyMs]);
		else values.push(latencyMs);
	}
	const rows = [...buckets].map(([bucket, values]) => {
		values.sort((a, b) => a - b);
		const median = values[Math.floor((values.length - 1) / 2)] ?? 0;
		return { x: place(time, (bucket + 0.5) * bucketMs), median, max: values.at(-1) ?? 0 };
	});
	const heading = frame("latency", "ms, log", top, CHART_PX);
	if (rows.length === 0) return { drawn: markup`<g>${heading}</g>`, heightPx: CHART_PX };
	const log = (ms: number): number => Math.log10(Math.max(ms, 0.1));
	const from = Math.floor(Math.min(...rows.map(({ median }) => log(median))));
	const to = Math.max(Math.ceil(Math.max(...rows.map(({ max }) => log(max)))), from + 1);
	const y: Scale = { from, to, fromPx: top + CHART_PX, toPx: top };
	const decades = Array.from({ length: to - from + 1 }, (_, index) => from + index);
	// From the median to the slowest of each part of the time: a stall stands out as a spike.
	const spans = rows.map(
		({ x, median, max }) =>
			markup`<line class="span" x1="${x}" y1="${place(y, log(median))}" x2="${x}" y2="${place(y, log(max))}"/><circle class="median" cx="${x}" cy="${place(y, log(median))}" r="1.8"/>`,
	);
	const lines = decades.map(
		(power) =>
			markup`<line class="grid" x1="${LEFT}" y1="${place(y, power)}" x2="${RIGHT}" y2="${place(y, power)}"/><text x="${LEFT - 8}" y="${place(y, power) + 4}" text-anchor="end">${showDuration(10 ** power)}</text>`,
	);
	return { drawn: markup`<g>${heading}${lines}${spans}</g>`, heightPx: CHART_PX };
}

/** A row for each member; a bar while it led, with its term. */
function leaderLane({ leaders, nodes, time: { targetMs } }: Journal, time: Scale, top: number): Lane {
	const rows = nodes.map((node, row) => {
		const y = top + row * ROW_PX;
		const spans = leaders.filter((span) => span.node === node);
		const bars = spans.map(({ fromMs, toMs, term }) => {
			const x = place(time, fromMs);
			const width = round(Math.max(place(time, toMs ?? targetMs) - x, 2));
			const name = term === null ? "leader" : `term ${term}`;
			const label =
				width < name.length * LETTER_PX + 8 ? null : markup`<text x="${round(x + 5)}" y="${y + 13}">${name}</text>`;
			return markup`<rect class="leader" x="${x}" y="${y + 2}" width="${width}" height="${ROW_PX - 4}" rx="2"><title>${node} led${term === null ? "" : ` term ${term}`} from ${showDuration(fromMs)} to ${toMs === null ? "the end" : showDuration(toMs)}</title></rect>${label}`;
		});
		return markup`<line class="grid" x1="${LEFT}" y1="${y + ROW_PX / 2}" x2="${RIGHT}" y2="${y + ROW_PX / 2}"/><text class="label" x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${node}</text>${bars}`;
	});
	const heading = markup`<text class="heading" x="${LEFT}" y="${top - 6}">leader</text>`;
	return { drawn: markup`<g>${heading}${rows}</g>`, heightPx: nodes.length * ROW_PX };
}

function termLane({ terms, time: { targetMs } }: Journal, time: Scale, top: number): Lane {
	const heading = frame("term", "", top, TERM_PX);
	const first = terms[0];
	const last = terms.at(-1);
	if (first === undefined || last === undefined) return { drawn: markup`<g>${heading}</g>`, heightPx: TERM_PX };
	const y: Scale = {
		from: Math.min(first.term, last.term - 1),
		to: last.term,
		fromPx: top + TERM_PX - 4,
		toPx: top + 6,
	};
	const steps = terms.slice(1).map(({ atMs, term }) => `H${place(time, atMs)}V${place(y, term)}`);
	const path = `M${place(time, first.atMs)} ${place(y, first.term)}${steps.join("")}H${place(time, targetMs)}`;
	const drawn = markup`<g>${heading}${valueTicks(y, [...new Set([y.from, last.term])])}<path class="term" d="${path}"><title>term ${first.term} to ${last.term}</title></path></g>`;
	return { drawn, heightPx: TERM_PX };
}

/** The moments that decide: agreement after the faults, and the first violations. */
function marks(journal: Journal, time: Scale, bottom: number): Markup {
	return markup`<g class="marks">${moments(journal).map(({ className, text, atMs }, row) => {
		const x = place(time, atMs);
		const left = x > WIDTH - 300;
		const y = bottom + 34 + row * MARK_PX;
		return markup`<line class="${className}" x1="${x}" y1="${TOP - 6}" x2="${x}" y2="${y - 8}"/><text class="${className}" x="${round(x + (left ? -5 : 5))}" y="${y}" text-anchor="${left ? "end" : "start"}">${text}</text>`;
	})}</g>`;
}

interface Moment {
	readonly className: "agreed" | "violated";
	readonly text: string;
	readonly atMs: number;
}

function moments({ properties, time: { convergedAtMs } }: Journal): readonly Moment[] {
	const found = properties.flatMap(({ id, kind, first, required }): Moment[] =>
		kind !== "sometimes" && required && first !== null
			? [{ className: "violated", text: `✗ ${id}, ${showDuration(first.atMs)}`, atMs: first.atMs }]
			: [],
	);
	const agreed: Moment[] =
		convergedAtMs === null
			? []
			: [{ className: "agreed", text: `✓ agreed, ${showDuration(convergedAtMs)}`, atMs: convergedAtMs }];
	return [...found.sort((a, b) => a.atMs - b.atMs), ...agreed].slice(0, MARKS_MAX);
}

function frame(name: string, unit: string, top: number, heightPx: number): Markup {
	return markup`<text class="heading" x="${LEFT}" y="${top - 6}">${name}${unit === "" ? null : markup` <tspan class="unit">${unit}</tspan>`}</text><rect class="frame" x="${LEFT}" y="${top}" width="${RIGHT - LEFT}" height="${heightPx}"/>`;
}

function valueTicks(y: Scale, values: readonly number[]): Markup {
	return markup`${values.map((value) => markup`<line class="grid" x1="${LEFT}" y1="${place(y, value)}" x2="${RIGHT}" y2="${place(y, value)}"/><text x="${LEFT - 8}" y="${place(y, value) + 4}" text-anchor="end">${showCount(Number(value.toPrecision(3)))}</text>`)}`;
}

/** Colour is never the only signal: each category has a pattern of its own. */
function patterns(): Markup {
	return markup`<pattern id="network" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="ground" width="6" height="6"/><rect class="ink" width="2" height="6"/></pattern>
<pattern id="storage" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="ground" width="6" height="6"/><circle class="ink" cx="3" cy="3" r="1.4"/></pattern>
<pattern id="clock" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="ground" width="6" height="6"/><path class="ink" d="M0 2h6v1h-6zM2 0h1v6h-1z"/></pattern>
<pattern id="membership" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="ground" width="6" height="6"/><rect class="ink" width="6" height="2"/></pattern>`;
}

function isLasting({ fault }: FaultRecord): boolean {
	return findFaultKind(fault.kind)?.lasts === true;
}
