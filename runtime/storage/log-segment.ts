/**
 * Successive records of a log as one piece of bytes. It is what the LMDB engine keeps, so that a group commit costs one put for
 * each store it touches and not one for each record, and what a page of a store that is opened carries. In the database
 * its first and last index stand in its key (`lmdb-keys.ts`), and it has a checksum as every value (`checked-table.ts`).
 *
 * | offset | what |
 * |---|---|
 * | 0 | uint32 count |
 * | 4 | uint32 length in bytes, of each record in order |
 * | 4 + 4 × count | the records, one directly after the other |
 *
 * Integers are little-endian.
 */
import { assert } from "../../protocols/core/index.ts";

const COUNT_BYTES = 4;
const LENGTH_BYTES = 4;

/**
 * A segment takes no further record over this size; one larger record stands alone. It is what a compaction may leave of
 * records that it covers, in each store: a segment goes when all of it is covered. Larger would save nothing more, as the
 * cost of a put is spread over hundreds of records by then, and would make the rewriting of a truncation dearer.
 */
export const SEGMENT_BYTES_MAX: number = 64 * 1024;

/** Successive records on their way into one segment. */
export class SegmentDraft {
	readonly firstIndex: number;
	readonly #records: Uint8Array[] = [];
	#sizeBytes = COUNT_BYTES;

	constructor(firstIndex: number) {
		this.firstIndex = firstIndex;
	}

	/** One past the last record. */
	get nextIndex(): number {
		return this.firstIndex + this.#records.length;
	}

	/** What {@link encodeInto} will write. */
	get sizeBytes(): number {
		return this.#sizeBytes;
	}

	/** Takes the record, or says false: it does not follow, or not fit. A draft without records takes any. */
	add(index: number, record: Uint8Array): boolean {
		if (index !== this.nextIndex) return false;
		const sizeBytes = this.#sizeBytes + LENGTH_BYTES + record.length;
		if (this.#records.length > 0 && sizeBytes > SEGMENT_BYTES_MAX) return false;
		this.#records.push(record);
		this.#sizeBytes = sizeBytes;
		return true;
	}

	encodeInto(bytes: Buffer): void {
		assert(this.#records.length > 0, "a segment in the database holds records");
		writeSegment(this.#records, bytes);
	}
}

/** The records in bytes of their own. */
export function encodeSegment(records: readonly Uint8Array[]): Uint8Array {
	let sizeBytes = COUNT_BYTES;
	for (const { length } of records) sizeBytes += LENGTH_BYTES + length;
	const bytes = new Uint8Array(sizeBytes);
	writeSegment(records, Buffer.from(bytes.buffer));
	return bytes;
}

function writeSegment(records: readonly Uint8Array[], bytes: Buffer): void {
	let at = bytes.writeUInt32LE(records.length, 0);
	for (const { length } of records) at = bytes.writeUInt32LE(length, at);
	for (const record of records) {
		bytes.set(record, at);
		at += record.length;
	}
	assert(at === bytes.length, "a segment is written where it fits exactly");
}

/** The records, as parts of the given bytes; null when these are no segment. */
export function decodeSegment(bytes: Uint8Array): Uint8Array[] | null {
	if (bytes.length < COUNT_BYTES) return null;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
	const count = view.getUint32(0, true);
	let at = COUNT_BYTES + LENGTH_BYTES * count;
	if (bytes.length < at) return null;
	const records = new Array<Uint8Array>(count);
	for (let i = 0; i < count; i++) {
		const end = at + view.getUint32(COUNT_BYTES + LENGTH_BYTES * i, true);
		if (end > bytes.length) return null;
		records[i] = bytes.subarray(at, end);
		at = end;
	}
	return at === bytes.length ? records : null;
}
