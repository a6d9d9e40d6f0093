/** The instruments of one thread slot, on shared memory: what actors and kernels write to. */
import type { Metrics } from "../actor/metrics.ts";
import { createMetrics, type Histogram, type MetricKind, SlotMetrics } from "../memory/index.ts";
import { createNames, MetricNames, placesTable } from "./metric-names.ts";

/** The shared memory of all metrics of a process; structured cloning hands it to other threads. */
export interface MetricsMemory {
	readonly values: SharedArrayBuffer;
	readonly names: SharedArrayBuffer;
}

/** @param slots thread slots, 1 to 64 */
export function createMetricsMemory(slots: number): MetricsMemory {
	return { values: createMetrics(placesTable, slots), names: createNames() };
}

/**
 * Names are `room.what_unit`, such as `storage.commit_us`; labels may stand between dots: `raft.node-1.commits`. A name gets
 * its place in the shared memory when it is first asked for; ask once and keep the instrument where it is hot.
 */
export class SharedMetrics implements Metrics {
	readonly #names: MetricNames;
	readonly #slot: SlotMetrics;
	readonly #counters: Map<string, { add(count: number): void }> = new Map();
	readonly #gauges: Map<string, { set(value: number): void }> = new Map();
	readonly #histograms: Map<string, Histogram> = new Map();

	/** For the thread of this slot, which alone may write there. */
	constructor(memory: MetricsMemory, slot: number) {
		this.#names = new MetricNames(memory.names);
		this.#slot = new SlotMetrics(memory.values, placesTable, slot);
	}

	/** @throws QuorateError `metric-name-invalid`, `metric-kind-mismatch`, `too-many-metrics` */
	counter(name: string): { add(count: number): void } {
		return this.#instrument(this.#counters, name, "counter", (place) => this.#slot.counter(place));
	}

	/** @throws QuorateError as {@link counter} */
	gauge(name: string): { set(value: number): void } {
		return this.#instrument(this.#gauges, name, "gauge", (place) => this.#slot.gauge(place));
	}

	/** Values are whole numbers in [0, 2^32). @throws QuorateError as {@link counter} */
	histogram(name: string): { record(value: number): void } {
		return this.#instrument(this.#histograms, name, "histogram", (place) => this.#slot.histogram(place));
	}

	/** At the start of a replacement thread: its gauges spoke of a life that has ended. Counters and histograms go on. */
	resetGauges(): void {
		this.#slot.resetGauges();
	}

	#instrument<T>(known: Map<string, T>, name: string, kind: MetricKind, make: (place: string) => T): T {
		const instrument = known.get(name) ?? make(this.#names.placeOf(name, kind));
		known.set(name, instrument);
		return instrument;
	}
}
