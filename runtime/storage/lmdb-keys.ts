/**
 * The keys of the LMDB engine: `store 0x00 part …`, compared byte by byte, so that each part of each store is one range
 * in order. A store's name holds no zero byte, so no store's range lies in another's.
 *
 * | part | rest of the key | value |
 * |---|---|---|
 * | 1 log | | float64 index at which the log begins, byte: an empty log may skip |
 * | 2 snapshots | | JSON: staged and published snapshot, last generation |
 * | 3 value | key, UTF-8 | the value |
 * | 4 record | uint64 index | the record |
 * | 5 chunk | uint64 generation, uint64 offset | bytes of a snapshot |
 *
 * Integers are big-endian. Every value is preceded by the CRC-32 of key and value, so that a damaged value is found,
 * and also a sound one in a wrong place.
 */

export const part = { log: 1, snapshots: 2, value: 3, record: 4, chunk: 5 } as const;

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

	record(index: number): Buffer {
		const bytes = this.#begin(part.record, 8);
		return writeUint64(bytes, bytes.length - 8, index);
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

/** The last eight bytes of a record's or chunk's key. */
export function lastUint64(key: Buffer): number {
	return key.readUInt32BE(key.length - 8) * 0x1_0000_0000 + key.readUInt32BE(key.length - 4);
}

function writeUint64(bytes: Buffer, at: number, value: number): Buffer {
	bytes.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
	bytes.writeUInt32BE(value % 0x1_0000_0000, at + 4);
	return bytes;
}
