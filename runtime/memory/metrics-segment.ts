/** Counters, gauges and histograms as words in shared memory: writing one costs no message, reading one no thread. */
import { assert } from "../../protocols/core/index.ts";
import { laneForeign, metricTableInvalid } from "./errors.ts";
import { Histogram } from "./histogram.ts";
import { METRICS_MARK, type MetricKind, type MetricTable } from "./metric-table.ts";
import { LINE_BYTES } from "./shared-words.ts";

/** Memory for the metrics of `slots` threads, all zero. */
export function createMetrics(table: MetricTable, slots: number): SharedArrayBuffer {
	assert(Number.isInteger(slots) && slots >= 1, "metrics of at least one slot", { slots });
	const memory = new SharedArrayBuffer(LINE_BYTES + slots * table.wordsPerSlot * 8);
	new Int32Array(memory).set([METRICS_MARK, slots, table.hash]);
	return memory;
}

/** Checks that the memory was made for this table, and returns its number of slots. */
function openMetrics(memory: SharedArrayBuffer, table: MetricTable): number {
	const [mark, slots, hash] = new Int32Array(memory, 0, 3) as unknown as [number, number, number];
	if (mark !== METRICS_MARK) throw laneForeign({ found: mark, expected: METRICS_MARK });
	if (hash !== table.hash) throw metricTableInvalid({ metric: "all", reason: "the memory was made for another table" });
	return slots;
}

/** Only grows. */
export class Counter {
	readonly #words: Float64Array;
	readonly #at: number;

	constructor(words: Float64Array, at: number) {
		this.#words = words;
		this.#at = at;
	}

	/** @param amount not negative */
	add(amount = 1): void {
		assert(amount >= 0, "a counter only grows", { amount });
		this.#words[this.#at]! += amount;
	}

	get value(): number {
		return this.#words[this.#at] as number;
	}
}

/** Is set. */
export class Gauge {
	readonly #words: Float64Array;
	readonly #at: number;

	constructor(words: Float64Array, at: number) {
		this.#words = words;
		this.#at = at;
	}

	set(value: number): void {
		this.#words[this.#at] = value;
	}

	get value(): number {
		return this.#words[this.#at] as number;
	}
}

/** The metrics of one slot, for its thread: it alone writes them. Ask for each metric once and keep it. */
export class SlotMetrics {
	readonly #table: MetricTable;
	readonly #words: Float64Array;

	/** @throws QuorateError `metric-table-invalid`, `lane-foreign` if the memory is not for this table */
	constructor(memory: SharedArrayBuffer, table: MetricTable, slot: number) {
		const slots = openMetrics(memory, table);
		assert(Number.isInteger(slot) && slot >= 0 && slot < slots, "a slot of the metrics", { slot, slots });
		this.#table = table;
		this.#words = slotWords(memory, table, slot);
	}

	/** @throws QuorateError `metric-table-invalid` if there is no such counter */
	counter(name: string): Counter {
		return new Counter(this.#words, this.#table.offsetOf(name, "counter"));
	}

	/** @throws QuorateError `metric-table-invalid` if there is no such gauge */
	gauge(name: string): Gauge {
		return new Gauge(this.#words, this.#table.offsetOf(name, "gauge"));
	}

	/** @throws QuorateError `metric-table-invalid` if there is no such histogram */
	histogram(name: string): Histogram {
		return new Histogram(this.#words, this.#table.offsetOf(name, "histogram"));
	}

	/** Sets all gauges to 0: they spoke of a life that has ended. Counters and histograms go on. */
	resetGauges(): void {
		for (const { name, kind } of this.#table.descriptors) if (kind === "gauge") this.gauge(name).set(0);
	}
}

/** Reads the metrics of all slots, from any thread, without disturbing one. */
export class MetricsReader {
	readonly table: MetricTable;
	readonly #slots: readonly Float64Array[];

	/** @throws QuorateError `metric-table-invalid`, `lane-foreign` if the memory is not for this table */
	constructor(memory: SharedArrayBuffer, table: MetricTable) {
		const slots = openMetrics(memory, table);
		this.table = table;
		this.#slots = Array.from({ length: slots }, (_, slot) => slotWords(memory, table, slot));
	}

	/** The sum of a counter or gauge over all slots. @throws QuorateError `metric-table-invalid` */
	total(name: string, kind: Exclude<MetricKind, "histogram">): number {
		return this.bySlot(name, kind).reduce((sum, value) => sum + value, 0);
	}

	/** A counter or gauge of each slot. @throws QuorateError `metric-table-invalid` */
	bySlot(name: string, kind: Exclude<MetricKind, "histogram">): readonly number[] {
		const offset = this.table.offsetOf(name, kind);
		return this.#slots.map((words) => words[offset] as number);
	}

	/** A private copy of a histogram: merged over all slots, or of one. @throws QuorateError `metric-table-invalid` */
	histogram(name: string, slot?: number): Histogram {
		const offset = this.table.offsetOf(name, "histogram");
		const merged = new Histogram();
		this.#slots.forEach((words, i) => {
			if (slot === undefined || slot === i) merged.merge(new Histogram(words, offset));
		});
		return merged;
	}
}

function slotWords(memory: SharedArrayBuffer, table: MetricTable, slot: number): Float64Array {
	return new Float64Array(memory, LINE_BYTES + slot * table.wordsPerSlot * 8, table.wordsPerSlot);
}
