/** How far a simulation of many seeds is: a bar that is drawn over in a terminal, now and then a line elsewhere. */
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

export class SeedsProgress {
	readonly #output: Output;
	#shownMs = Number.NEGATIVE_INFINITY;
	#isDrawn = false;

	constructor(output: Output) {
		this.#output = output;
	}

	show(reading: SeedsReading): void {
		const { isTerminal } = this.#output;
		const { elapsedMs } = reading;
		if (elapsedMs - this.#shownMs < (isTerminal ? TERMINAL_INTERVAL_MS : LINE_INTERVAL_MS)) return;
		// The first line elsewhere comes after an interval: a short run needs none.
		const isFirst = this.#shownMs === Number.NEGATIVE_INFINITY;
		this.#shownMs = elapsedMs;
		if (!isTerminal) {
			if (!isFirst) this.#output.write(`${figures(reading)}\n`);
			return;
		}
		this.clear();
		this.#output.write(this.#cut(`${this.#bar(reading)}  ${figures(reading)}`));
		this.#isDrawn = true;
	}

	/** Takes the bar away. */
	clear(): void {
		if (this.#isDrawn) this.#output.write("\r\u001b[0J");
		this.#isDrawn = false;
	}

	#bar({ done, total }: SeedsReading): string {
		const paint = painter(this.#output.hasColours);
		const full = Math.floor((BAR_COLUMNS * done) / Math.max(1, total));
		return `${paint("green", "█".repeat(full))}${paint("dim", "░".repeat(BAR_COLUMNS - full))}`;
	}

	/** A line that wraps could not be written over. */
	#cut(line: string): string {
		const columns = this.#output.columns - 1;
		return visibleLength(line) <= columns ? line : stripColour(line).slice(0, columns);
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
