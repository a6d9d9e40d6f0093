/**
 * The layout of the metrics memory: one SharedArrayBuffer, a line of identity and then one stretch of Float64 words
 * for each thread slot, each stretch starting on a line of its own. Which words belong to which metric the
 * table says, which is frozen when the process starts; both ends compute it alike from the descriptors.
 *
 * ```
 * identity  Int32: mark, slots, table hash
 * slot      counter: 1 word | gauge: 1 word | histogram: HISTOGRAM_WORDS
 * ```
 *
 * Each word has one writer, the thread of its slot, and any number of readers. Plain accesses are enough: an aligned
 * 8-byte load or store is single-copy atomic on x86-64 and AArch64, V8 compiles a Float64Array access to exactly one, and
 * with one writer no increment can be lost. (The language itself would allow a float access to tear; Node 20 runs on no
 * 32-bit machine that we support.) A double counts exactly up to 2^53. A replaced thread goes on in the
 * words of its slot, so no counter ever goes down.
 */
import { hashText } from "../../protocols/core/index.ts";
import { metricTableInvalid } from "./errors.ts";
import { HISTOGRAM_WORDS } from "./histogram.ts";
import { LINE_BYTES } from "./shared-words.ts";

/** "QMT" and the version of this layout. */
export const METRICS_MARK = 0x514d_5401;
/** Metrics of one process: a slot of a table with as many histograms takes 1.8 MiB. */
export const METRICS_MAX = 256;

/**
 * `counter`: only grows; the sum over the threads is meant. `gauge`: goes up and down, and belongs to a life of its
 * thread. `histogram`: how values are distributed.
 */
export type MetricKind = "counter" | "gauge" | "histogram";

/** One metric, as data. */
export interface MetricDescriptor {
	/** Lower-case words with underscores, after the conventions of Prometheus: `lane_refusals_total`. */
	readonly name: string;
	readonly kind: MetricKind;
	/** `1` for plain numbers, else `microseconds`, `bytes`, … */
	readonly unit: string;
	/** One sentence for whoever reads it on a dashboard. */
	readonly help: string;
}

const namePattern = /^[a-z][a-z0-9_]*$/;
const wordsOfKind = { counter: 1, gauge: 1, histogram: HISTOGRAM_WORDS } as const;

/** Assigns each metric its words. Equal descriptors give equal tables, on every thread. */
export class MetricTable {
	readonly descriptors: readonly MetricDescriptor[];
	/** Float64 words of one slot, a whole number of lines. */
	readonly wordsPerSlot: number;
	readonly hash: number;
	readonly #places = new Map<string, { readonly descriptor: MetricDescriptor; readonly offset: number }>();

	/** @throws QuorateError `metric-table-invalid` */
	constructor(descriptors: readonly MetricDescriptor[]) {
		if (descriptors.length > METRICS_MAX) {
			throw metricTableInvalid({ metric: String(descriptors.length), reason: `more than ${METRICS_MAX} metrics` });
		}
		let offset = 0;
		for (const descriptor of descriptors) {
			const { name, kind } = descriptor;
			if (!namePattern.test(name)) throw metricTableInvalid({ metric: name, reason: "the name is not in snake case" });
			if (this.#places.has(name)) throw metricTableInvalid({ metric: name, reason: "the name is listed twice" });
			this.#places.set(name, { descriptor, offset });
			offset += wordsOfKind[kind];
		}
		const wordsPerLine = LINE_BYTES / 8;
		this.descriptors = descriptors;
		this.wordsPerSlot = Math.ceil(offset / wordsPerLine) * wordsPerLine;
		this.hash = Number.parseInt(hashText(JSON.stringify(descriptors)).slice(0, 8), 16) | 0;
	}

	/**
	 * Where a metric's words start within a slot.
	 * @throws QuorateError `metric-table-invalid` if the table has no such metric of that kind
	 */
	offsetOf(name: string, kind: MetricKind): number {
		const place = this.#places.get(name);
		if (place?.descriptor.kind !== kind) {
			throw metricTableInvalid({ metric: name, reason: `the table has no ${kind} of this name` });
		}
		return place.offset;
	}
}
