/** The log of one store in LMDB: {@link SegmentDraft segments} in the order of their indices. */
import { must, QuorateError } from "../../protocols/core/index.ts";
import type { CheckedTable, Place } from "./checked-table.ts";
import type { StoreContents } from "./contract.ts";
import { storeCorrupt } from "./errors.ts";
import { firstIndexOf, lastUint64, part, type StoreKeys } from "./lmdb-keys.ts";
import { decodeSegment, SegmentDraft } from "./log-segment.ts";
import type { StoreShape } from "./store-shape.ts";

/** The records of a store, as its shape says they must be there, up to the first that is damaged or missing. */
export function loadRecords(
	table: CheckedTable,
	store: string,
	keys: StoreKeys,
	shape: StoreShape,
): Pick<StoreContents, "records" | "damagedFrom"> {
	const records: Uint8Array[] = [];
	try {
		collectRecords(records, table, store, keys, shape);
	} catch (error) {
		if (!(error instanceof QuorateError) || error.code !== "store-corrupt") throw error;
		return { records, damagedFrom: shape.firstIndex + records.length };
	}
	return { records };
}

/** @throws QuorateError `store-corrupt` at the first that is not as it should be; those before it are in `records` then */
function collectRecords(
	records: Uint8Array[],
	table: CheckedTable,
	store: string,
	keys: StoreKeys,
	{ firstIndex, nextIndex }: StoreShape,
): void {
	const placeOf = (key: Buffer): Place => placeOfSegment(store, key);
	for (const { key, value } of table.entries(keys.rangeOf(part.segment), placeOf)) {
		const expected = firstIndex + records.length;
		const found = firstIndexOf(key);
		const covered = records.length === 0 ? Math.max(0, firstIndex - found) : 0;
		if (found + covered !== expected) throw gapOnDisk(store, expected, `record ${found} stands in its place`);
		const decoded = recordsOf(store, key, value);
		// One by one: there may be more of them than a call takes arguments.
		for (let i = covered; i < decoded.length; i++) records.push(must(decoded[i], "a record is there"));
	}
	const end = firstIndex + records.length;
	if (end !== nextIndex) throw gapOnDisk(store, end, `the log continues at ${nextIndex}`);
}

/** One past the last record of a store, from a key alone; null when no segment is there. */
export function nextIndexOf(table: CheckedTable, keys: StoreKeys): number | null {
	const { start, end } = keys.rangeOf(part.segment);
	const [last] = table.keys({ start: end, end: start, reverse: true, limit: 1 });
	return last === undefined ? null : lastUint64(last) + 1;
}

/**
 * Changes the log of one store within one transaction. Records that follow each other are gathered over all writes of the
 * transaction; {@link flush} ends it. An instance is of no use after that, nor after an error.
 */
export class LogWriter {
	readonly #table: CheckedTable;
	readonly #store: string;
	readonly #keys: StoreKeys;
	#draft: SegmentDraft | null = null;

	constructor(table: CheckedTable, store: string, keys: StoreKeys) {
		this.#table = table;
		this.#store = store;
		this.#keys = keys;
	}

	append(firstIndex: number, records: readonly Uint8Array[]): void {
		let index = firstIndex;
		for (const record of records) {
			if (this.#draft === null || !this.#draft.add(index, record)) {
				this.flush();
				this.#draft = new SegmentDraft(index);
				this.#draft.add(index, record);
			}
			index += 1;
		}
	}

	/**
	 * Removes the records from this index on, of a log that begins at `firstIndex`. A segment that holds records before it
	 * is written anew with these. @throws QuorateError `store-corrupt`
	 */
	truncateFrom(index: number, firstIndex: number): void {
		this.flush();
		const { start, end } = this.#keys.rangeOf(part.segment);
		const touched: Buffer[] = [];
		for (const key of this.#table.keys({ start: end, end: start, reverse: true })) {
			if (lastUint64(key) < index) break;
			touched.push(key);
		}
		for (const key of touched) {
			// Before the log's first index there are only records that a compaction left.
			if (firstIndexOf(key) < index && firstIndex < index) this.append(firstIndexOf(key), this.#headOf(key, index));
			this.#table.remove(key);
		}
		this.flush();
	}

	/** Removes the segments that hold only records up to and including this index. */
	compactThrough(index: number): void {
		this.flush();
		const covered: Buffer[] = [];
		for (const key of this.#table.keys(this.#keys.rangeOf(part.segment))) {
			if (lastUint64(key) > index) break;
			covered.push(key);
		}
		for (const key of covered) this.#table.remove(key);
	}

	/** Writes what was gathered. */
	flush(): void {
		const draft = this.#draft;
		if (draft === null) return;
		this.#draft = null;
		const key = this.#keys.segment(draft.firstIndex, draft.nextIndex - 1);
		this.#table.putEncoded(key, draft.sizeBytes, (bytes) => draft.encodeInto(bytes));
	}

	/** The records of a segment before this index. */
	#headOf(key: Buffer, index: number): Uint8Array[] {
		const value = this.#table.get(key, () => placeOfSegment(this.#store, key));
		return recordsOf(this.#store, key, must(value ?? undefined, "a key that was seen has a value")).slice(
			0,
			index - firstIndexOf(key),
		);
	}
}

function recordsOf(store: string, key: Buffer, value: Uint8Array): Uint8Array[] {
	const records = decodeSegment(value);
	if (records?.length === lastUint64(key) - firstIndexOf(key) + 1) return records;
	throw storeCorrupt({ ...placeOfSegment(store, key), problem: "its records do not fill it" });
}

/** Damage concerns all records of a segment: which one it hit can not be told. */
function placeOfSegment(store: string, key: Buffer): Place {
	return { store, part: "record", key: `${firstIndexOf(key)}-${lastUint64(key)}` };
}

function gapOnDisk(store: string, expected: number, problem: string): QuorateError {
	return storeCorrupt({ store, part: "record", key: String(expected), problem });
}
