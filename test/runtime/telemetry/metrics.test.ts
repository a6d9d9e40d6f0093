/**
 * Goal: what threads count under a name is what a reader finds, over all slots and lives, with true rates; and names are
 * refused where they must be. Method: several slots on one memory, a virtual-time scheduler for the stream, and every way of
 * registering the same name at once that one thread can play.
 */
import { VirtualTimeScheduler } from "rxjs";
import { describe, expect, it } from "vitest";
import {
	createMetricsMemory,
	METRIC_NAME_BYTES_MAX,
	METRIC_PLACES,
	MetricsObserver,
	type MetricsSnapshot,
	metricsEvery,
	SharedMetrics,
} from "../../../runtime/telemetry/index.ts";
import { createNames, MetricNames } from "../../../runtime/telemetry/metric-names.ts";

describe("metrics", () => {
	it("are summed over slots, and over the lives of a slot", () => {
		const memory = createMetricsMemory(3);
		const main = new SharedMetrics(memory, 0);
		const firstLife = new SharedMetrics(memory, 2);
		main.counter("actor.told").add(2);
		firstLife.counter("actor.told").add(3);
		firstLife.gauge("raft.node-1.term").set(7);
		firstLife.histogram("storage.commit_us").record(10);
		const secondLife = new SharedMetrics(memory, 2);
		secondLife.resetGauges();
		secondLife.counter("actor.told").add(5);
		secondLife.histogram("storage.commit_us").record(30);
		main.histogram("storage.commit_us").record(20);
		const { counters, gauges, histograms } = new MetricsObserver(memory).read(0);
		expect(counters.get("actor.told")).toEqual({ total: 10, perSecond: 0 });
		expect(gauges.get("raft.node-1.term")).toBe(0);
		expect(histograms.get("storage.commit_us")).toEqual({
			count: 3,
			sum: 60,
			max: 30,
			p50: 20,
			p90: 30,
			p99: 30,
			p999: 30,
		});
	});

	it("give the same instrument for the same name, and refuse it under another kind", () => {
		const memory = createMetricsMemory(2);
		const metrics = new SharedMetrics(memory, 0);
		expect(metrics.counter("a.b")).toBe(metrics.counter("a.b"));
		expect(() => metrics.gauge("a.b")).toThrowError(
			expect.objectContaining({
				code: "metric-kind-mismatch",
				details: { name: "a.b", kind: "gauge", registered: "counter" },
			}),
		);
		expect(() => new SharedMetrics(memory, 1).histogram("a.b")).toThrowError(
			expect.objectContaining({ code: "metric-kind-mismatch" }),
		);
	});

	it("refuse names that are none", () => {
		const metrics = new SharedMetrics(createMetricsMemory(1), 0);
		for (const name of ["", "told", "Actor.told", "actor.", "actor.to ld", `a.${"x".repeat(METRIC_NAME_BYTES_MAX)}`]) {
			expect(() => metrics.counter(name)).toThrowError(expect.objectContaining({ code: "metric-name-invalid" }));
		}
		metrics.counter(`a.${"x".repeat(METRIC_NAME_BYTES_MAX - 2)}`);
	});

	it("refuse one more than there are places, and keep serving those that are known", () => {
		const memory = createMetricsMemory(1);
		const metrics = new SharedMetrics(memory, 0);
		for (let i = 0; i < METRIC_PLACES.histogram; i++) metrics.histogram(`test.h${i}`).record(i);
		for (let i = 0; i < 3; i++) {
			expect(() => metrics.histogram("test.more")).toThrowError(
				expect.objectContaining({ code: "too-many-metrics", details: expect.objectContaining({ limit: 16 }) }),
			);
		}
		metrics.histogram("test.h3").record(9);
		const { histograms } = new MetricsObserver(memory).read(0);
		expect([histograms.size, histograms.get("test.h3")?.count]).toEqual([METRIC_PLACES.histogram, 2]);
	});

	it("are added up where two threads have entered the same name at the same moment", () => {
		const memory = createMetricsMemory(2);
		// Both look before either has entered it: the reads of one are from before the other's entry.
		const a = new MetricNames(memory.names);
		const b = new MetricNames(memory.names);
		b.list = () => [];
		a.placeOf("x.y", "counter");
		b.placeOf("x.y", "counter");
		expect(new MetricNames(memory.names).list().map(({ name }) => name)).toEqual(["x.y", "x.y"]);
		new SharedMetrics(memory, 0).counter("x.y").add(1);
		new SharedMetrics(memory, 1).counter("x.y").add(1);
		expect(new MetricsObserver(memory).read(0).counters.get("x.y")?.total).toBe(2);
	});

	it("do not show an entry that its thread never finished", () => {
		const memory = createNames();
		// A thread has claimed the first counter and died before it published it.
		Atomics.add(new Int32Array(memory), 1, 1);
		const names = new MetricNames(memory);
		expect(names.list()).toEqual([]);
		names.placeOf("a.b", "counter");
		expect(names.list()).toEqual([{ name: "a.b", kind: "counter", place: "counter_1" }]);
	});

	it("come as a stream on the given clock, with rates from differences", () => {
		const memory = createMetricsMemory(1);
		const counter = new SharedMetrics(memory, 0).counter("a.b");
		counter.add(100);
		const scheduler = new VirtualTimeScheduler();
		const seen: MetricsSnapshot[] = [];
		const subscription = metricsEvery(memory, 500, scheduler).subscribe((snapshot) => {
			seen.push(snapshot);
			counter.add(50);
			if (seen.length === 3) subscription.unsubscribe();
		});
		scheduler.flush();
		expect(seen.map(({ atMs, counters }) => [atMs, counters.get("a.b")])).toEqual([
			[0, { total: 100, perSecond: 0 }],
			[500, { total: 150, perSecond: 100 }],
			[1000, { total: 200, perSecond: 100 }],
		]);
	});
});
