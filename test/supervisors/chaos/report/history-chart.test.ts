/**
 * Goal: a picture of a history shows each client's operations in order, which of them one order explains, and the one that none
 * does; and nothing that a history brought with it can act in it.
 * Method: small charts, whose elements are counted and placed.
 */
import { describe, expect, it } from "vitest";
import { historySvg } from "../../../../supervisors/chaos/report/history-chart.ts";
import { formatHistorySvg, type HistoryBar, type HistoryChart } from "../../../../supervisors/index.ts";

const bar = (client: number, from: number, to: number | null, more: Partial<HistoryBar> = {}): HistoryBar => ({
	client,
	label: `put ${client}`,
	from,
	to,
	kind: "ordered",
	place: null,
	...more,
});
const chart: HistoryChart = {
	title: 'key "a" as register',
	bars: [
		bar(7, 100, 103, { place: 1 }),
		bar(2, 101, 110, { label: 'get "a" → <b>&', kind: "offending" }),
		bar(7, 105, null, { kind: "open" }),
		bar(9, 120, 121, { kind: "later" }),
	],
	prefixEnd: 110,
	omitted: 12,
};

/** The bars as they stand: class, left end, width and height of each. */
function bars(svg: string): readonly (readonly [kind: string, x: number, y: number, width: number])[] {
	return [...svg.matchAll(/<g class="([a-z]+)">.*?<rect class="bar" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"/g)].map(
		([, kind = "", x, y, width]) => [kind, Number(x), Number(y), Number(width)] as const,
	);
}

describe("a picture of a history", () => {
	const svg = formatHistorySvg(chart);

	it("has a bar for each operation, on its client's line, in the order of events", () => {
		const drawn = bars(svg);
		expect(drawn.map(([kind]) => kind)).toEqual(["ordered", "offending", "open", "later"]);
		const [first, offending, open, later] = drawn;
		// Clients 2, 7 and 9 from above; both of client 7's on one line.
		expect(first?.[2]).toBe(open?.[2]);
		expect(offending?.[2]).toBeLessThan(first?.[2] ?? 0);
		expect(later?.[2]).toBeGreaterThan(first?.[2] ?? 0);
		// 100 < 101 < 103 < 105 < 110 < 120 < 121, one step each, whatever lay between them.
		const [x = 0, width = 0] = [first?.[1], first?.[3]];
		const step = (offending?.[1] ?? 0) - x;
		expect(width).toBe(2 * step);
		expect(offending?.[3]).toBe(3 * step);
		expect(later?.[1]).toBe(x + 5 * step);
		// Without a known end it reaches to the end of the picture.
		expect((open?.[1] ?? 0) + (open?.[3] ?? 0)).toBeGreaterThan((later?.[1] ?? 0) + (later?.[3] ?? 0));
	});

	it("marks the end of the prefix at the end of the operation that no order explains", () => {
		const [, offending] = bars(svg);
		const cut = /<line class="cut" x1="([\d.]+)"/.exec(svg)?.[1];
		expect(Number(cut)).toBe((offending?.[1] ?? 0) + (offending?.[3] ?? 0));
		expect(svg).toContain("<title>✗ get &quot;a&quot; → &lt;b&gt;&amp;</title>");
		expect(svg).toContain("<title>1 put 7</title>");
		expect(svg).toContain("(no known end)");
		expect(svg).toContain("the last after 12 that are not shown");
		expect(formatHistorySvg({ ...chart, prefixEnd: null })).not.toContain('class="cut"');
	});

	it("is a file by itself, and a part of a page without a style of its own; nothing is nothing", () => {
		expect(svg).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<svg xmlns="http:\/\/www.w3.org\/2000\/svg"/);
		expect(svg).toContain("<style>");
		expect(svg).not.toContain("<b>");
		expect(historySvg(chart)?.source).not.toContain("<style>");
		expect(historySvg({ ...chart, bars: [] })).toBeNull();
	});
});
