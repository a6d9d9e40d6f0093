/**
 * Which metric has which place in the metrics memory. A name gets its place when it is first asked for, by whichever
 * thread: a directory in shared memory, append-only and without locks, so that a thread that is killed in the middle
 * harms nobody.
 *
 * ```
 * header  Int32: mark; claimed counters, gauges, histograms
 * entry   Int32: 0 until it is published; uint8: length of the name; name, UTF-8
 * ```
 *
 * Each kind has a stretch of entries; the n-th of it names the n-th place of that kind.
 *
 * 1. An entry is claimed by adding to the claimed ones, written, and then published. A reader sees it whole or not at all.
 * 2. Two threads that ask for a new name at the same moment may both enter it. Readers add up entries of the same name, so
 *    nothing is counted twice or lost; the second entry is wasted.
 * 3. An entry that was claimed by a thread that died before publishing it is wasted too.
 */
import { assert, must } from "../../protocols/core/index.ts";
import { METRICS_MAX, type MetricDescriptor, type MetricKind, MetricTable } from "../memory/index.ts";
import { metricKindMismatch, metricNameInvalid, tooManyMetrics } from "./errors.ts";

/** Places of each kind. Histograms are few because each takes 7 KiB for each thread slot. */
export const METRIC_PLACES: Readonly<Record<MetricKind, number>> = { counter: 112, gauge: 128, histogram: 16 };
const kinds = ["counter", "gauge", "histogram"] as const satisfies readonly MetricKind[];
assert(
	kinds.reduce((sum, kind) => sum + METRIC_PLACES[kind], 0) <= METRICS_MAX,
	"the places fit in the table of the metrics memory",
);

export const METRIC_NAME_BYTES_MAX = 123;
/** Words with dots between them, lower case; node ids may stand among them. */
const namePattern = /^[a-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_.-]+)+$/;

const MARK = 0x514e_4101;
const HEADER_BYTES = 16;
const ENTRY_BYTES = 128;
const NAME_OFFSET = 5;
assert(NAME_OFFSET + METRIC_NAME_BYTES_MAX <= ENTRY_BYTES, "a name fits in its entry");

const FIRST_ENTRY: Readonly<Record<MetricKind, number>> = {
	counter: 0,
	gauge: METRIC_PLACES.counter,
	histogram: METRIC_PLACES.counter + METRIC_PLACES.gauge,
};

/** The table of the metrics memory: places of each kind, to be named by the directory. */
export const placesTable: MetricTable = new MetricTable(
	kinds.flatMap((kind) =>
		Array.from(
			{ length: METRIC_PLACES[kind] },
			(_, i): MetricDescriptor => ({ name: `${kind}_${i}`, kind, unit: "1", help: "" }),
		),
	),
);

/** One name with its place: the name of the metric in {@link placesTable}. */
export interface MetricPlace {
	readonly name: string;
	readonly kind: MetricKind;
	readonly place: string;
}

export function createNames(): SharedArrayBuffer {
	const memory = new SharedArrayBuffer(HEADER_BYTES + METRICS_MAX * ENTRY_BYTES);
	new Int32Array(memory)[0] = MARK;
	return memory;
}

export class MetricNames {
	readonly #words: Int32Array;
	readonly #bytes: Uint8Array;

	constructor(memory: SharedArrayBuffer) {
		this.#words = new Int32Array(memory);
		this.#bytes = new Uint8Array(memory);
		assert(this.#words[0] === MARK, "the memory holds metric names");
	}

	/**
	 * The place of a metric; it gets one if it has none yet.
	 * @throws QuorateError `metric-name-invalid`, `metric-kind-mismatch`, `too-many-metrics`
	 */
	placeOf(name: string, kind: MetricKind): string {
		const entry = this.list().find((known) => known.name === name);
		if (entry === undefined) return this.#register(name, kind);
		if (entry.kind !== kind) throw metricKindMismatch({ name, kind, registered: entry.kind });
		return entry.place;
	}

	/** All names so far, by kind, in the order they were entered. */
	list(): readonly MetricPlace[] {
		const places: MetricPlace[] = [];
		for (const [kindIndex, kind] of kinds.entries()) {
			const claimed = Math.min(Atomics.load(this.#words, 1 + kindIndex), METRIC_PLACES[kind]);
			for (let i = 0; i < claimed; i++) {
				const entry = FIRST_ENTRY[kind] + i;
				if (Atomics.load(this.#words, this.#wordOf(entry)) === 0) continue;
				places.push({ name: this.#nameOf(entry), kind, place: `${kind}_${i}` });
			}
		}
		return places;
	}

	#register(name: string, kind: MetricKind): string {
		const bytes = new TextEncoder().encode(name);
		if (bytes.length > METRIC_NAME_BYTES_MAX) {
			throw metricNameInvalid({ name, reason: `longer than ${METRIC_NAME_BYTES_MAX} bytes` });
		}
		if (!namePattern.test(name))
			throw metricNameInvalid({ name, reason: "it is not `room.what`, such as `actor.told`" });
		const limit = METRIC_PLACES[kind];
		const claimedWord = 1 + kinds.indexOf(kind);
		// Looked at first, so that refusals do not let the count run away.
		if (Atomics.load(this.#words, claimedWord) >= limit) throw tooManyMetrics({ name, kind, limit });
		const i = Atomics.add(this.#words, claimedWord, 1);
		if (i >= limit) throw tooManyMetrics({ name, kind, limit });
		const at = HEADER_BYTES + (FIRST_ENTRY[kind] + i) * ENTRY_BYTES;
		this.#bytes[at + NAME_OFFSET - 1] = bytes.length;
		this.#bytes.set(bytes, at + NAME_OFFSET);
		Atomics.store(this.#words, this.#wordOf(FIRST_ENTRY[kind] + i), 1);
		return `${kind}_${i}`;
	}

	#wordOf(entry: number): number {
		return (HEADER_BYTES + entry * ENTRY_BYTES) / 4;
	}

	#nameOf(entry: number): string {
		const at = HEADER_BYTES + entry * ENTRY_BYTES;
		const length = must(this.#bytes[at + NAME_OFFSET - 1], "a length");
		return new TextDecoder().decode(this.#bytes.slice(at + NAME_OFFSET, at + NAME_OFFSET + length));
	}
}
