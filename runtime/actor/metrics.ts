/** The instruments that actors and kernels write to; `runtime/telemetry` keeps them in shared memory. */

/** Where measurements go. The same name gives the same instrument; names are `room.what_unit`, as `actor.told`. */
export interface Metrics {
	counter(name: string): { add(count: number): void };
	gauge(name: string): { set(value: number): void };
	histogram(name: string): { record(value: number): void };
}

/** What a histogram of {@link LocalMetrics} keeps. */
export interface HistogramSummary {
	readonly count: number;
	readonly sum: number;
	readonly min: number;
	readonly max: number;
}

/** One instrument as it stands. */
export type MetricReading =
	| { readonly type: "counter" | "gauge"; readonly value: number }
	| ({ readonly type: "histogram" } & HistogramSummary);

/** Metrics in the memory of one thread: what a kernel writes to when its backend offers nothing better. */
export class LocalMetrics implements Metrics {
	readonly #counters = new Map<string, { value: number; add(count: number): void }>();
	readonly #gauges = new Map<string, { value: number; set(value: number): void }>();
	readonly #histograms = new Map<string, LocalHistogram>();

	counter(name: string): { add(count: number): void } {
		return kept(this.#counters, name, () => ({
			value: 0,
			add(count: number): void {
				this.value += count;
			},
		}));
	}

	gauge(name: string): { set(value: number): void } {
		return kept(this.#gauges, name, () => ({
			value: 0,
			set(value: number): void {
				this.value = value;
			},
		}));
	}

	histogram(name: string): { record(value: number): void } {
		return kept(this.#histograms, name, () => new LocalHistogram());
	}

	/** Every instrument by name. */
	read(): ReadonlyMap<string, MetricReading> {
		const readings = new Map<string, MetricReading>();
		for (const [name, { value }] of this.#counters) readings.set(name, { type: "counter", value });
		for (const [name, { value }] of this.#gauges) readings.set(name, { type: "gauge", value });
		for (const [name, histogram] of this.#histograms) {
			readings.set(name, { type: "histogram", ...histogram.summary() });
		}
		return readings;
	}
}

class LocalHistogram {
	#count = 0;
	#sum = 0;
	#min = Number.POSITIVE_INFINITY;
	#max = Number.NEGATIVE_INFINITY;

	record(value: number): void {
		this.#count += 1;
		this.#sum += value;
		this.#min = Math.min(this.#min, value);
		this.#max = Math.max(this.#max, value);
	}

	summary(): HistogramSummary {
		return { count: this.#count, sum: this.#sum, min: this.#min, max: this.#max };
	}
}

function kept<T>(instruments: Map<string, T>, name: string, make: () => T): T {
	const known = instruments.get(name);
	if (known !== undefined) return known;
	const made = make();
	instruments.set(name, made);
	return made;
}
