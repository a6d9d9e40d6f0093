/**
 * The keys of the LMDB engine: `store 0x00 part …`, compared byte by byte, so that each part of each store is one range
 * in order. A store's name holds no zero byte, so no store's range lies in another's.
 *
 * | part | rest of the key | value |
 * |---|---|---|
 * | 1 log | | float64 index at which the log begins, byte: an empty log may skip |
 * | 2 snapshots | | JSON: staged and published snapshot, last generation |
 * | 3 value | key, UTF-8 | the value |
 * | 4 segment | uint64 first index, uint64 last index | successive records of the log, see `log-segment.ts` |
 * | 5 chunk | uint64 generation, uint64 offset | bytes of a snapshot |
 *
 * Integers are big-endian, so that their order is that of the keys. The last index stands in a segment's key and not in its
 * value so that where a log ends is known without reading, and damage to the value can name the records it hit. Every value
 * is preceded by its checksum, see `checked-table.ts`.
 */

export const part = { log: 1, snapshots: 2, value: 3, segment: 4, chunk: 5 } as const;

export class StoreKeys {
	readonly #prefix: Buffer;

	constructor(store: string) {
		this.#prefix = Buffer.from(`${store}\0`);
	}

	log(): Buffer {
		return this.#begin(part.log, 0);
	}

	snapshots(): Buffer {
		return this.#begin(part.snapshots, 0);
	}

	value(key: string): Buffer {
		const length = Buffer.byteLength(key);
		const bytes = this.#begin(part.value, length);
		bytes.write(key, bytes.length - length);
		return bytes;
	}

	segment(firstIndex: number, lastIndex: number): Buffer {
		const bytes = this.#begin(part.segment, 16);
		writeUint64(bytes, bytes.length - 16, firstIndex);
		return writeUint64(bytes, bytes.length - 8, lastIndex);
	}

	chunk(generation: number, offset: number): Buffer {
		const bytes = this.#begin(part.chunk, 16);
		writeUint64(bytes, bytes.length - 16, generation);
		return writeUint64(bytes, bytes.length - 8, offset);
	}

	/** Start (inclusive) and end (exclusive) of all keys of a part. */
	rangeOf(of: number): { readonly start: Buffer; readonly end: Buffer } {
		return { start: this.#begin(of, 0), end: this.#begin(of + 1, 0) };
	}

	keyOfValue(key: Buffer): string {
		return key.toString("utf8", this.#prefix.length + 1);
	}

	#begin(of: number, restBytes: number): Buffer {
		const bytes = Buffer.allocUnsafe(this.#prefix.length + 1 + restBytes);
		this.#prefix.copy(bytes);
		bytes[this.#prefix.length] = of;
		return bytes;
	}
}

/** The first index of a segment, from its key. */
export function firstIndexOf(key: Buffer): number {
	return uint64At(key, key.length - 16);
}

/** The last eight bytes of a key: the last index of a segment, the offset of a chunk. */
export function lastUint64(key: Buffer): number {
	return uint64At(key, key.length - 8);
}

function uint64At(bytes: Buffer, at: number): number {
	return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}

function writeUint64(bytes: Buffer, at: number, value: number): Buffer {
	bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
	bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4);
	return bytes;
}
