/**
 * A table of LMDB whose values are preceded by the CRC-32 of key and value, little-endian: a damaged value is found when it
 * is read, and also a sound one in a wrong place.
 */
import { crc32 } from "node:zlib";
import type { Database } from "lmdb";
import { storeCorrupt } from "./errors.ts";

const CHECKSUM_BYTES = 4;
const SCRATCH_BYTES_INITIAL = 128 * 1024;

/** Where a value stands, as `store-corrupt` names it. */
export interface Place {
	readonly store: string;
	readonly part: string;
	readonly key: string;
}

/** Of keys: from `start`, inclusive, to `end`, exclusive. Downwards when `reverse`. */
export interface KeyRange {
	readonly start: Buffer;
	readonly end: Buffer;
	readonly reverse?: boolean;
	readonly inclusiveEnd?: boolean;
	readonly limit?: number;
}

export class CheckedTable {
	readonly #database: Database<Buffer, Buffer>;
	/** Where checksum and value are put together; lmdb copies it within the call. */
	#scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES_INITIAL);

	constructor(database: Database<Buffer, Buffer>) {
		this.#database = database;
	}

	put(key: Buffer, value: Uint8Array): void {
		this.putEncoded(key, value.length, (bytes) => bytes.set(value));
	}

	/** Puts a value of this size, which `encode` writes where it is given room. */
	putEncoded(key: Buffer, sizeBytes: number, encode: (bytes: Buffer) => void): void {
		const packedBytes = CHECKSUM_BYTES + sizeBytes;
		if (this.#scratch.length < packedBytes) this.#scratch = Buffer.allocUnsafeSlow(2 * packedBytes);
		const value = this.#scratch.subarray(CHECKSUM_BYTES, packedBytes);
		encode(value);
		this.#scratch.writeUInt32LE(checksum(key, value), 0);
		this.#database.putSync(key, this.#scratch.subarray(0, packedBytes));
	}

	remove(key: Buffer): void {
		this.#database.removeSync(key);
	}

	/** The value, in bytes of its own; null if there is none. @throws QuorateError `store-corrupt` */
	get(key: Buffer, place: () => Place): Uint8Array | null {
		const packed = this.#database.get(key);
		return packed === undefined ? null : unpack(key, packed, place);
	}

	/** Values are checked one by one as they are reached. @throws QuorateError `store-corrupt` */
	*entries(
		range: KeyRange,
		placeOf: (key: Buffer) => Place,
	): Generator<{ readonly key: Buffer; readonly value: Uint8Array }> {
		for (const { key, value } of this.#database.getRange(range)) {
			yield { key, value: unpack(key, value, () => placeOf(key)) };
		}
	}

	/** What is removed while they are walked is seen or not: collect them first. */
	keys(range: KeyRange): Iterable<Buffer> {
		return this.#database.getKeys(range);
	}
}

function checksum(key: Uint8Array, value: Uint8Array): number {
	const ofKey = crc32(key);
	// Node's crc32 forgets the initial value when it is given an empty array without memory behind it.
	return value.length === 0 ? ofKey : crc32(value, ofKey);
}

function unpack(key: Buffer, packed: Buffer, place: () => Place): Uint8Array {
	if (packed.length < CHECKSUM_BYTES) throw storeCorrupt({ ...place(), problem: "the checksum is missing" });
	const value = new Uint8Array(packed.length - CHECKSUM_BYTES);
	value.set(packed.subarray(CHECKSUM_BYTES));
	if (checksum(key, value) !== packed.readUInt32LE(0)) {
		throw storeCorrupt({ ...place(), problem: "the checksum does not match" });
	}
	return value;
}
