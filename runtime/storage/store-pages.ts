/** A store's contents in pages that fit in messages, and back. */
import { assert, must } from "../../protocols/core/index.ts";
import type { SnapshotInfo, StoreContents } from "./contract.ts";
import { STORAGE_PAGE_BYTES } from "./limits.ts";
import { decodeSegment, encodeSegment } from "./log-segment.ts";
import { RECORD_OVERHEAD_BYTES, type StoragePage } from "./messages.ts";

/** Where a page ends: one past its last value, one past its last record. */
interface PageEnd {
	readonly value: number;
	readonly record: number;
}

/** Hands out one page after the other. */
export class StorePages {
	readonly #values: readonly (readonly [string, Uint8Array])[];
	readonly #contents: StoreContents;
	readonly #session: number;
	/** Where each page ends; the last of them at the end of the contents. */
	readonly #ends: readonly PageEnd[];
	#next = 0;

	constructor(contents: StoreContents, session: number) {
		this.#contents = contents;
		this.#session = session;
		this.#values = [...contents.values];
		this.#ends = endsOf(this.#values, contents.records);
	}

	/** Pages that were not handed out yet. */
	get left(): number {
		return this.#ends.length - this.#next;
	}

	next(): StoragePage {
		assert(this.left > 0, "no page is asked for after the last one");
		const { records, firstIndex, snapshot, damagedFrom } = this.#contents;
		const from = this.#ends[this.#next - 1] ?? { value: 0, record: 0 };
		const end = must(this.#ends[this.#next], "a page is left");
		this.#next += 1;
		return {
			type: "storage-page",
			session: this.#session,
			values: this.#values.slice(from.value, end.value).map(([key, value]) => ({ key, value })),
			firstIndex,
			records: encodeSegment(records.slice(from.record, end.record)),
			snapshot: this.#next === 1 && snapshot !== null ? [snapshot] : [],
			damagedFrom: damagedFrom ?? 0,
			left: this.left,
		};
	}
}

/** Values come first. A page ends before what would take it over its size, but holds something unless all is empty. */
function endsOf(values: readonly (readonly [string, Uint8Array])[], records: readonly Uint8Array[]): PageEnd[] {
	const ends: PageEnd[] = [];
	let bytes = 0;
	const take = (sizeBytes: number, value: number, record: number): void => {
		if (bytes > 0 && bytes + sizeBytes > STORAGE_PAGE_BYTES) {
			ends.push({ value, record });
			bytes = 0;
		}
		bytes += sizeBytes;
	};
	for (const [i, [key, value]] of values.entries()) take(key.length + value.length, i, 0);
	for (const [i, record] of records.entries()) take(RECORD_OVERHEAD_BYTES + record.length, values.length, i);
	ends.push({ value: values.length, record: records.length });
	return ends;
}

/** Puts pages together again, in their order. */
export class PageCollector {
	readonly #values: Map<string, Uint8Array> = new Map();
	readonly #records: Uint8Array[] = [];
	#firstIndex = 1;
	/** 0: nothing is damaged. */
	#damagedFrom = 0;
	#snapshot: SnapshotInfo | null = null;

	add(page: StoragePage): void {
		for (const { key, value } of page.values) this.#values.set(key, value);
		const records = must(decodeSegment(page.records) ?? undefined, "a page carries its records as a segment");
		for (const record of records) this.#records.push(record);
		this.#firstIndex = page.firstIndex;
		this.#damagedFrom = page.damagedFrom;
		this.#snapshot = page.snapshot[0] ?? this.#snapshot;
	}

	contents(): StoreContents {
		return {
			values: this.#values,
			records: this.#records,
			firstIndex: this.#firstIndex,
			snapshot: this.#snapshot,
			...(this.#damagedFrom === 0 ? {} : { damagedFrom: this.#damagedFrom }),
		};
	}
}
