/** Reading the metrics: what all threads and all their lives have counted, at one moment or as a stream. */
import type { Observable, SchedulerLike } from "rxjs";
import { defer } from "rxjs/internal/observable/defer";
import { timer } from "rxjs/internal/observable/timer";
import { map } from "rxjs/internal/operators/map";
import { Histogram, MetricsReader } from "../memory/index.ts";
import { MetricNames, placesTable } from "./metric-names.ts";
import type { MetricsMemory } from "./shared-metrics.ts";

export interface CounterReading {
	/** Over all threads and all their lives. */
	readonly total: number;
	/** Since the reading before; 0 in the first one. */
	readonly perSecond: number;
}

/** Quantiles since the start of the process, off by at most 1/64 of the value. All 0 while `count` is 0. */
export interface HistogramReading {
	readonly count: number;
	readonly sum: number;
	readonly max: number;
	readonly p50: number;
	readonly p90: number;
	readonly p99: number;
	readonly p999: number;
}

/** All metrics that have been asked for so far, by name; each map in order of its names. */
export interface MetricsSnapshot {
	/** On the clock of whoever reads. */
	readonly atMs: number;
	readonly counters: ReadonlyMap<string, CounterReading>;
	/** Summed over the threads. */
	readonly gauges: ReadonlyMap<string, number>;
	readonly histograms: ReadonlyMap<string, HistogramReading>;
}

/** Takes readings, one after the other; disturbs no thread. Readers are independent of each other. */
export class MetricsObserver {
	readonly #names: MetricNames;
	readonly #reader: MetricsReader;
	#before: { readonly atMs: number; readonly totals: ReadonlyMap<string, number> } | null = null;

	constructor(memory: MetricsMemory) {
		this.#names = new MetricNames(memory.names);
		this.#reader = new MetricsReader(memory.values, placesTable);
	}

	/** @param nowMs on any one monotonic clock; rates refer to the call before */
	read(nowMs: number): MetricsSnapshot {
		const totals = new Map<string, number>();
		const gauges = new Map<string, number>();
		const histograms = new Map<string, Histogram>();
		const places = [...this.#names.list()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
		for (const { name, kind, place } of places) {
			// A name may have two places, see MetricNames.
			if (kind === "counter") totals.set(name, (totals.get(name) ?? 0) + this.#reader.total(place, kind));
			else if (kind === "gauge") gauges.set(name, (gauges.get(name) ?? 0) + this.#reader.total(place, kind));
			else histograms.set(name, merged(histograms.get(name), this.#reader.histogram(place)));
		}
		const counters = this.#rated(totals, nowMs);
		this.#before = { atMs: nowMs, totals };
		return { atMs: nowMs, counters, gauges, histograms: new Map([...histograms].map(([k, v]) => [k, reading(v)])) };
	}

	#rated(totals: ReadonlyMap<string, number>, nowMs: number): Map<string, CounterReading> {
		const before = this.#before;
		const seconds = before === null ? 0 : (nowMs - before.atMs) / 1000;
		return new Map(
			[...totals].map(([name, total]) => {
				const grown = total - (before?.totals.get(name) ?? 0);
				return [name, { total, perSecond: seconds > 0 ? grown / seconds : 0 }];
			}),
		);
	}
}

/**
 * A reading at once and then one in each interval, for each subscriber from its own subscription on.
 * @param scheduler the clock: an actor's `context.scheduler`, or `asyncScheduler` outside of actors
 */
export function metricsEvery(
	memory: MetricsMemory,
	intervalMs: number,
	scheduler: SchedulerLike,
): Observable<MetricsSnapshot> {
	return defer(() => {
		const observer = new MetricsObserver(memory);
		return timer(0, intervalMs, scheduler).pipe(map(() => observer.read(scheduler.now())));
	});
}

function merged(into: Histogram | undefined, more: Histogram): Histogram {
	const histogram = into ?? new Histogram();
	histogram.merge(more);
	return histogram;
}

function reading(histogram: Histogram): HistogramReading {
	return {
		count: histogram.count,
		sum: histogram.sum,
		max: histogram.max,
		p50: histogram.quantile(0.5),
		p90: histogram.quantile(0.9),
		p99: histogram.quantile(0.99),
		p999: histogram.quantile(0.999),
	};
}
