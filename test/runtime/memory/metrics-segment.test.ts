/**
 * Goal: what any slot writes, a reader sums up; a replaced thread goes on where its predecessor stopped.
 * Method: writers and reader on one memory, the sums by hand.
 */
import { describe, expect, it } from "vitest";
import {
	createMetrics,
	METRICS_MAX,
	type MetricDescriptor,
	MetricsReader,
	MetricTable,
	SlotMetrics,
} from "../../../runtime/memory/index.ts";

const descriptors: readonly MetricDescriptor[] = [
	{ name: "handled_total", kind: "counter", unit: "1", help: "Messages handled." },
	{ name: "latency", kind: "histogram", unit: "microseconds", help: "From tell to handler." },
	{ name: "backlog", kind: "gauge", unit: "1", help: "Messages waiting." },
	{ name: "refused_total", kind: "counter", unit: "1", help: "Messages refused." },
];

describe("metrics in shared memory", () => {
	it("sum over slots, and keep metrics and slots apart", () => {
		const table = new MetricTable(descriptors);
		const memory = createMetrics(table, 3);
		const reader = new MetricsReader(memory, new MetricTable(structuredClone(descriptors)));
		for (let slot = 0; slot < 3; slot++) {
			const metrics = new SlotMetrics(memory, table, slot);
			metrics.counter("handled_total").add(10 ** slot);
			metrics.gauge("backlog").set(slot + 1);
			for (let i = 0; i <= slot; i++) metrics.histogram("latency").record(100 * (slot + 1));
		}
		new SlotMetrics(memory, table, 1).counter("refused_total").add();
		expect(reader.total("handled_total", "counter")).toBe(111);
		expect(reader.bySlot("handled_total", "counter")).toEqual([1, 10, 100]);
		expect(reader.bySlot("refused_total", "counter")).toEqual([0, 1, 0]);
		expect(reader.total("backlog", "gauge")).toBe(6);
		expect(reader.histogram("latency")).toMatchObject({ count: 6, sum: 1400, max: 300 });
		expect(reader.histogram("latency", 1)).toMatchObject({ count: 2, sum: 400, max: 200 });
	});

	it("go on with a replaced thread, but for its gauges", () => {
		const table = new MetricTable(descriptors);
		const memory = createMetrics(table, 1);
		const reader = new MetricsReader(memory, table);
		const first = new SlotMetrics(memory, table, 0);
		first.counter("handled_total").add(5);
		first.gauge("backlog").set(9);
		first.histogram("latency").record(7);
		const second = new SlotMetrics(memory, table, 0);
		second.resetGauges();
		second.counter("handled_total").add(1);
		second.histogram("latency").record(7);
		expect(reader.total("handled_total", "counter")).toBe(6);
		expect(reader.total("backlog", "gauge")).toBe(0);
		expect(reader.histogram("latency").count).toBe(2);
	});

	it("count exactly beyond 32 bits", () => {
		const table = new MetricTable(descriptors);
		const counter = new SlotMetrics(createMetrics(table, 1), table, 0).counter("handled_total");
		counter.add(2 ** 52);
		counter.add();
		expect(counter.value).toBe(2 ** 52 + 1);
	});

	it("refuse another table, foreign memory, unknown names and wrong kinds", () => {
		const table = new MetricTable(descriptors);
		const memory = createMetrics(table, 1);
		const invalid = expect.objectContaining({ code: "metric-table-invalid" });
		expect(() => new MetricsReader(memory, new MetricTable(descriptors.slice(1)))).toThrow(invalid);
		expect(() => new MetricsReader(new SharedArrayBuffer(64), table)).toThrow(
			expect.objectContaining({ code: "lane-foreign" }),
		);
		const metrics = new SlotMetrics(memory, table, 0);
		expect(() => metrics.counter("backlog")).toThrow(invalid);
		expect(() => metrics.gauge("no_such_gauge")).toThrow(invalid);
		const twice = [descriptors[0], descriptors[0]] as MetricDescriptor[];
		expect(() => new MetricTable(twice)).toThrow(invalid);
		expect(() => new MetricTable([{ ...descriptors[0], name: "Not Snake" } as MetricDescriptor])).toThrow(invalid);
		const many = Array.from({ length: METRICS_MAX + 1 }, (_, i) => ({ ...descriptors[0], name: `m${i}` }));
		expect(() => new MetricTable(many as MetricDescriptor[])).toThrow(invalid);
	});
});
