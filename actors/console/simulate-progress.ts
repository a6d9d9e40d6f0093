/** How far a simulation is, by its seeds or its virtual time: a bar that is drawn over in a terminal, now and then a line elsewhere. */
import { span } from "./simulate-report.ts";
import { formatNumber, stripColour, visibleLength } from "./table.ts";
import { type Output, painter } from "./terminal.ts";

const TERMINAL_INTERVAL_MS = 100;
const LINE_INTERVAL_MS = 5_000;
const BAR_COLUMNS = 32;

export interface SeedsReading {
	readonly done: number;
	readonly total: number;
	readonly failed: number;
	readonly virtualMs: number;
	readonly elapsedMs: number;
}

/** One line about a share of the work. */
class BarProgress {
	readonly #output: Output;
	#shownMs = Number.NEGATIVE_INFINITY;
	#isDrawn = false;

	constructor(output: Output) {
		this.#output = output;
	}

	protected showShare(share: number, figures: string, elapsedMs: number): void {
		const { isTerminal } = this.#output;
		if (elapsedMs - this.#shownMs < (isTerminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS)) return;
		// The first line elsewhere comes after an interval: a short run needs none.
		const isFirst = this.#shownMs === Number.NEGATIVE_INFINITY;
		this.#shownMs = elapsedMs;
		if (!isTerminal) {
			if (!isFirst) this.#output.write(`${figures}\n`);
			return;
		}
		this.clear();
		this.#output.write(this.#cut(`${this.#bar(share)}  ${figures}`));
		this.#isDrawn = true;
	}

	/** Takes the bar away. */
	clear(): void {
		if (this.#isDrawn) this.#output.write("\r\u001b[0J");
		this.#isDrawn = false;
	}

	#bar(share: number): string {
		const paint = painter(this.#output.hasColours);
		const full = Math.floor(BAR_COLUMNS * share);
		return `${paint("green", "█".repeat(full))}${paint("dim", "░".repeat(BAR_COLUMNS - full))}`;
	}

	/** A line that wraps could not be written over. */
	#cut(line: string): string {
		const columns = this.#output.columns - 1;
		return visibleLength(line) <= columns ? line : stripColour(line).slice(0, columns);
	}
}

export class SeedsProgress extends BarProgress {
	show(reading: SeedsReading): void {
		const { done, total, elapsedMs } = reading;
		this.showShare(done / Math.max(1, total), figures(reading), elapsedMs);
	}
}

/** One long run: first its members join, then virtual time passes. */
export class TimeProgress extends BarProgress {
	join(joined: number, members: number, elapsedMs: number): void {
		this.showShare(
			joined / members,
			`${formatNumber(joined)} of ${formatNumber(members)} members have joined`,
			elapsedMs,
		);
	}

	/** @param joiningMs how much of the elapsed time the joins took */
	run(virtualMs: number, totalMs: number, elapsedMs: number, joiningMs: number): void {
		const leftMs = ((elapsedMs - joiningMs) / Math.max(1, virtualMs)) * (totalMs - virtualMs);
		const parts = [`${span(virtualMs)} of ${span(totalMs)} of virtual time`, `${span(leftMs)} left`];
		this.showShare(virtualMs / totalMs, parts.join(" · "), elapsedMs);
	}
}

function figures({ done, total, failed, virtualMs, elapsedMs }: SeedsReading): string {
	const parts = [
		`${formatNumber(done)} of ${formatNumber(total)} seeds`,
		`${formatNumber(failed)} not passed`,
		`${formatNumber(virtualMs / Math.max(1, elapsedMs))}x`,
	];
	if (done > 0) parts.push(`${span((elapsedMs / done) * (total - done))} left`);
	return parts.join(" · ");
}
