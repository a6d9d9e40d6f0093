/** What a reproduced table is: a run of the shipped machines on virtual time, next to what is published, with bounds that it must keep. */
import { formatTable } from "../../../actors/console/index.ts";

/** One figure of a run that is judged. */
export interface Bound {
	/** What is bounded: `residue at k = 1`. */
	readonly what: string;
	readonly figure: number;
	/** Inclusive; null where there is none. */
	readonly min: number | null;
	readonly max: number | null;
	/** Where the bound comes from. */
	readonly source: string;
}

export interface Reproduction {
	readonly title: string;
	/** The first row is the head. */
	readonly rows: readonly (readonly string[])[];
	readonly bounds: readonly Bound[];
	/** What one must know to read the table. */
	readonly note?: string;
}

/** A table by its name on the command line. */
export interface ReproducedTable {
	readonly name: string;
	readonly run: (report: (step: string) => void) => Reproduction;
}

/** Whether a figure is within its bound; a figure that is no number is not. */
export function isKept({ figure, min, max }: Bound): boolean {
	return Number.isFinite(figure) && (min === null || figure >= min) && (max === null || figure <= max);
}

/** The table as lines of text, with a line for each bound. */
export function reproductionLines({ title, rows, bounds, note }: Reproduction): string[] {
	const columns = Math.max(...rows.map(({ length }) => length));
	const table = formatTable(rows, ["left", ...new Array<"right">(columns - 1).fill("right")]);
	const judged = bounds.map((bound) => [
		isKept(bound) ? "  kept" : "  BROKEN",
		bound.what,
		figureText(bound.figure),
		rangeText(bound),
		bound.source,
	]);
	const lines = [title, "", ...table];
	if (note !== undefined) lines.push("", note);
	return [...lines, "", ...formatTable(judged, ["left", "left", "right", "left", "left"])];
}

function rangeText({ min, max }: Bound): string {
	if (min !== null && max !== null) return `in [${figureText(min)}, ${figureText(max)}]`;
	return max === null ? `≥ ${figureText(min ?? 0)}` : `≤ ${figureText(max)}`;
}

/** Four digits that count. */
export function figureText(value: number): string {
	return Number.isInteger(value) ? value.toLocaleString("en-GB") : Number(value.toPrecision(4)).toString();
}

export function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The standard error of the mean of independent values. */
export function standardError(values: readonly number[]): number {
	const centre = mean(values);
	const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
	return Math.sqrt(variance / values.length);
}
