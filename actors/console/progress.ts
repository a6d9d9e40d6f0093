/**
 * Shows a run while it goes: in a terminal two lines that are written over, with lines of events above them; elsewhere
 * one line every two seconds and one per event.
 */
import type { Leadership } from "../swarm/index.ts";
import { formatMs, formatNumber, stripColour, visibleLength } from "./table.ts";
import { type Output, painter } from "./terminal.ts";

/** One reading of a run. */
export interface ProgressReading {
	readonly elapsedMs: number;
	readonly done: number;
	readonly total: number;
	readonly leader: Leadership | null;
	/** Null: not known yet. */
	readonly commitsPerSecond: number | null;
	/** Of the last moments; null if nothing was answered. */
	readonly latency: { readonly p50Ms: number; readonly p99Ms: number } | null;
	readonly restarts: number;
}

/** Between two readings that are shown in a terminal. */
const TERMINAL_INTERVAL_MS = 100;
/** Between two lines elsewhere. */
const LINE_INTERVAL_MS = 2_000;
const BAR_COLUMNS_MAX = 48;

export class Progress {
	readonly #output: Output;
	readonly #paint: ReturnType<typeof painter>;
	/** What the protocol calls the time of one leader. */
	readonly #period: "term" | "view";
	#drawn = false;

	constructor(output: Output, period: "term" | "view" = "term") {
		this.#output = output;
		this.#period = period;
		this.#paint = painter(output.hasColours);
	}

	/** How often {@link show} should be called. */
	get intervalMs(): number {
		return this.#output.isTerminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS;
	}

	show(reading: ProgressReading): void {
		if (!this.#output.isTerminal) {
			this.#output.write(`${this.#time(reading.elapsedMs)}  ${percent(reading)}  ${this.#figures(reading)}\n`);
			return;
		}
		const lines = [this.#bar(reading), `  ${this.#figures(reading)}`];
		this.#output.write(`${this.#rewind()}${lines.map((line) => this.#cut(line)).join("\n")}\n`);
		this.#drawn = true;
	}

	/** A line that stays. */
	event(elapsedMs: number, text: string): void {
		this.#output.write(`${this.#rewind()}${this.#paint("dim", this.#time(elapsedMs))}  ${text}\n`);
	}

	/** A line that stays and belongs to no time of the run. */
	note(text: string): void {
		this.#output.write(`${this.#rewind()}${text}\n`);
	}

	/** Takes the bar away. */
	clear(): void {
		this.#output.write(this.#rewind());
	}

	/** Up to the bar's first line, and everything below is empty. */
	#rewind(): string {
		if (!this.#drawn) return "";
		this.#drawn = false;
		return "\u001b[2A\u001b[0J";
	}

	#bar(reading: ProgressReading): string {
		const counts = `${formatNumber(reading.done)} of ${formatNumber(reading.total)} records`;
		const columns = Math.max(8, Math.min(BAR_COLUMNS_MAX, this.#output.columns - counts.length - 24));
		const full = Math.floor((columns * reading.done) / Math.max(1, reading.total));
		const bar = `${this.#paint("green", "█".repeat(full))}${this.#paint("dim", "░".repeat(columns - full))}`;
		return `${this.#time(reading.elapsedMs)}  ${bar}  ${this.#paint("bold", percent(reading))}  ${counts}`;
	}

	#figures({ leader, commitsPerSecond, latency, restarts, done, total }: ProgressReading): string {
		const parts = [
			leader === null
				? this.#paint("yellow", "no leader")
				: `${this.#paint("cyan", leader.leader)} leads ${this.#period} ${leader.term}`,
			`${commitsPerSecond === null ? "–" : formatNumber(commitsPerSecond)} commits/s`,
			latency === null ? "no answers" : `p50 ${formatMs(latency.p50Ms)}, p99 ${formatMs(latency.p99Ms)}`,
			`${restarts} ${restarts === 1 ? "restart" : "restarts"}`,
		];
		if (!this.#output.isTerminal) parts.unshift(`${formatNumber(done)} of ${formatNumber(total)}`);
		return parts.join(" · ");
	}

	#time(elapsedMs: number): string {
		return `${(elapsedMs / 1_000).toFixed(1).padStart(6)} s`;
	}

	/** A line that wraps could not be written over. It ends with a whole word; colours are dropped with what is cut. */
	#cut(line: string): string {
		const columns = this.#output.columns - 1;
		if (visibleLength(line) <= columns) return line;
		const text = stripColour(line);
		const end = text.lastIndexOf(" ", columns);
		return end > columns / 2 ? text.slice(0, end).replace(/[ ·]+$/, "") : text.slice(0, columns);
	}
}

function percent({ done, total }: ProgressReading): string {
	return `${Math.floor((100 * done) / Math.max(1, total))}%`.padStart(4);
}
