/** A store's contents in pages that fit in messages, and back. */
import { must } from "../../protocols/core/index.ts";
import type { SnapshotInfo, StoreContents } from "./contract.ts";
import { STORAGE_PAGE_BYTES } from "./limits.ts";
import { RECORD_OVERHEAD_BYTES, type StoragePage } from "./messages.ts";

/** Hands out one page after the other. */
export class StorePages {
	readonly #values: readonly (readonly [string, Uint8Array])[];
	readonly #contents: StoreContents;
	readonly #session: number;
	#nextValue = 0;
	#nextRecord = 0;
	#first = true;

	constructor(contents: StoreContents, session: number) {
		this.#contents = contents;
		this.#session = session;
		this.#values = [...contents.values];
	}

	next(): StoragePage {
		const { records, firstIndex, snapshot } = this.#contents;
		let bytes = 0;
		const pageValues: { key: string; value: Uint8Array }[] = [];
		while (this.#nextValue < this.#values.length) {
			const [key, value] = must(this.#values[this.#nextValue], "a value is there");
			bytes += key.length + value.length;
			if (bytes > STORAGE_PAGE_BYTES && pageValues.length > 0) break;
			pageValues.push({ key, value });
			this.#nextValue += 1;
		}
		const pageRecords: { data: Uint8Array }[] = [];
		while (this.#nextValue === this.#values.length && this.#nextRecord < records.length) {
			const data = must(records[this.#nextRecord], "a record is there");
			bytes += RECORD_OVERHEAD_BYTES + data.length;
			if (bytes > STORAGE_PAGE_BYTES && pageValues.length + pageRecords.length > 0) break;
			pageRecords.push({ data });
			this.#nextRecord += 1;
		}
		const page: StoragePage = {
			type: "storage-page",
			session: this.#session,
			values: pageValues,
			firstIndex,
			records: pageRecords,
			snapshot: this.#first && snapshot !== null ? [snapshot] : [],
			last: this.#nextValue === this.#values.length && this.#nextRecord === records.length,
		};
		this.#first = false;
		return page;
	}
}

/** Puts pages together again. */
export class PageCollector {
	readonly #values: Map<string, Uint8Array> = new Map();
	readonly #records: Uint8Array[] = [];
	#firstIndex = 1;
	#snapshot: SnapshotInfo | null = null;

	add(page: StoragePage): void {
		for (const { key, value } of page.values) this.#values.set(key, value);
		for (const { data } of page.records) this.#records.push(data);
		this.#firstIndex = page.firstIndex;
		this.#snapshot = page.snapshot[0] ?? this.#snapshot;
	}

	contents(): StoreContents {
		return {
			values: this.#values,
			records: this.#records,
			firstIndex: this.#firstIndex,
			snapshot: this.#snapshot,
		};
	}
}
