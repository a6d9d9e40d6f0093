/** Goal: what is shown of a run can be read. Method: one reading on terminals of several widths. */
import { expect, test } from "vitest";
import { Progress, type ProgressReading } from "../../../actors/console/progress.ts";
import { nodeId } from "../../../protocols/core/index.ts";

const reading: ProgressReading = {
	elapsedMs: 4_200,
	done: 41_000,
	total: 200_000,
	leader: { leader: nodeId("node-1"), term: 3 },
	commitsPerSecond: 9_876,
	latency: { p50Ms: 1.2, p99Ms: 8 },
	restarts: 2,
};

function shown(columns: number, values: Partial<ProgressReading> = {}): string[] {
	let text = "";
	const write = (more: string): void => {
		text += more;
	};
	new Progress({ write, isTerminal: true, columns, hasColours: false }).show({ ...reading, ...values });
	return text.trimEnd().split("\n");
}

test("a narrow terminal has whole words and no wrapped line", () => {
	const [, whole = ""] = shown(200);
	expect(whole).toBe("  node-1 leads term 3 · 9,876 commits/s · p50 1.2 ms, p99 8.0 ms · 2 restarts");
	for (let columns = 24; columns < 80; columns++) {
		const [, figures = ""] = shown(columns);
		expect(figures.length).toBeLessThan(columns);
		expect(whole.startsWith(figures)).toBe(true);
		expect(whole.slice(figures.length)).toMatch(/^(?: |$)/);
	}
});

test("a leader leads a view where the protocol calls it so", () => {
	const written: string[] = [];
	const write = (more: string): void => void written.push(more);
	new Progress({ write, isTerminal: false, columns: 80, hasColours: false }, "view").show(reading);
	expect(written.join("")).toContain("node-1 leads view 3");
});

test("a rate that is not known yet is not called 0", () => {
	expect(shown(200, { commitsPerSecond: null })[1]).toContain(" · – commits/s · ");
	expect(shown(200, { commitsPerSecond: 0 })[1]).toContain(" · 0 commits/s · ");
});
