/**
 * What a benchmark reports. Each module in this folder (save `row`, `run` and `peers`) has a default export of type
 * {@link Bench}; `run.ts` finds it by its file, runs it alone in a process of its own and prints its rows.
 */

/** One figure, with what it is measured against. */
export interface BenchRow {
	/** What is measured, with its size: `cross-thread tell of a vote, against postMessage`. */
	readonly name: string;
	/** Our figure: the median over the rounds. */
	readonly ours: number;
	/** The same work done by the peer in the same run, interleaved with ours. */
	readonly theirs?: number;
	/** The unit of both: `msg/s`, `ms`, `MiB`. */
	readonly unit: string;
	/** `ours / theirs`. Where it is given, target and stretch are about it; else about `ours`. */
	readonly ratio?: number;
	/** Null where a figure has no target and only explains another one. */
	readonly target: number | null;
	readonly stretch: number | null;
	/** Whether more or less is better. Default `higher`. */
	readonly better?: "higher" | "lower";
	/** What one must know to read the figure: sync rate, file system, rounds. */
	readonly note?: string;
}

/** A benchmark: measures over several rounds, checks that what was sent was handled, and reports medians. */
export type Bench = () => Promise<readonly BenchRow[]> | readonly BenchRow[];

/** How a figure stands to its aims. */
export type Reached = "stretch" | "target" | "missed" | "no-target";

export function reached(row: BenchRow): Reached {
	const figure = row.ratio ?? row.ours;
	const meets = (aim: number | null): boolean =>
		aim !== null && (row.better === "lower" ? figure <= aim : figure >= aim);
	if (row.target === null && row.stretch === null) return "no-target";
	if (meets(row.stretch)) return "stretch";
	return meets(row.target) ? "target" : "missed";
}
