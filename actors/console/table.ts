/** Plain-text tables: columns as wide as their widest cell, numbers to the right. */

/** How wide a text stands in a terminal: colour sequences take no room. */
export function visibleLength(text: string): number {
	return stripColour(text).length;
}

/** The text without its colour sequences. */
export function stripColour(text: string): string {
	return text.replaceAll(colourSequence, "");
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what a colour sequence begins with
const colourSequence = /\x1b\[[0-9;]*m/g;

/** The alignment of a column. */
export type Alignment = "left" | "right";

/**
 * Rows as aligned lines, two spaces between columns, no trailing blanks. A row may be shorter than the others.
 * @example formatTable([["node-1", "12"], ["node-2", "7"]], ["left", "right"])
 */
export function formatTable(rows: readonly (readonly string[])[], alignments: readonly Alignment[]): string[] {
	const widths: number[] = [];
	for (const row of rows) {
		for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, visibleLength(cell));
	}
	return rows.map((row) =>
		row
			.map((cell, column) => {
				const blanks = " ".repeat((widths[column] ?? 0) - visibleLength(cell));
				return alignments[column] === "right" ? blanks + cell : cell + blanks;
			})
			.join("  ")
			.trimEnd(),
	);
}

/** `200000` as `200,000`; at most `digits` decimals. */
export function formatNumber(value: number, digits = 0): string {
	return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** `1 fault`, `2 faults`. */
export function formatCount(count: number, one: string, several = `${one}s`): string {
	return `${formatNumber(count)} ${count === 1 ? one : several}`;
}

/** Milliseconds as a person reads them: `0.42 ms`, `38 ms`, `1.25 s`. */
export function formatMs(ms: number): string {
	if (ms < 1) return `${ms.toFixed(2)} ms`;
	if (ms < 10) return `${ms.toFixed(1)} ms`;
	if (ms < 1_000) return `${Math.round(ms)} ms`;
	return `${(ms / 1_000).toFixed(2)} s`;
}
