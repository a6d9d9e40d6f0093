/** A store held in memory: what the memory engine keeps, and what the simulated disk holds as written and as flushed. */
import { crc32 } from "node:zlib";
import { assertNever } from "../../protocols/core/index.ts";
import type { StoreContents, StoreOperation } from "./contract.ts";
import { storeCorrupt } from "./errors.ts";
import { advanceShape, EMPTY_SHAPE, type StoreShape } from "./store-shape.ts";

/** What a store is made of: values by key, records of the log, chunks of the published snapshot. */
export type StorePart = "value" | "record" | "snapshot";

/** One value, record or snapshot chunk, and where it stands. */
interface Piece {
	readonly part: StorePart;
	/** Key, index or position among the chunks. */
	readonly key: string;
	readonly bytes: Uint8Array;
	replace(bytes: Uint8Array): void;
}

/** How a piece is not what was written there: a bit has flipped, or what belongs to another place was written here. */
export type DamageKind = "bit-rot" | "misdirected-write";

export class StoreImage {
	readonly #store: string;
	#shape: StoreShape = EMPTY_SHAPE;
	readonly #values: Map<string, Uint8Array> = new Map();
	/** The record of index `#shape.firstIndex` first. */
	#records: Uint8Array[] = [];
	/** Snapshot chunks by generation, in order, without gaps; only the staged and the published generation. */
	readonly #chunks: Map<number, Uint8Array[]> = new Map();
	/**
	 * The checksums of damaged pieces, as they were before. A real engine has one for every piece, but only these can fail
	 * to match. A piece that is written anew has other bytes, and is sound again.
	 */
	readonly #checksums: Map<Uint8Array, number> = new Map();

	constructor(store: string) {
		this.#store = store;
	}

	get shape(): StoreShape {
		return this.#shape;
	}

	/** Performs operations that were checked against the shape; copies what it keeps. */
	perform(operations: readonly StoreOperation[]): void {
		for (const operation of operations) this.#performOne(operation);
	}

	#performOne(operation: StoreOperation): void {
		const before = this.#shape;
		const after = advanceShape(this.#store, before, operation);
		this.#shape = after;
		switch (operation.type) {
			case "put":
				this.#values.set(operation.key, operation.value.slice());
				return;
			case "append":
				this.#append(operation.records);
				return;
			case "truncate-from":
				this.#records.length = after.nextIndex - after.firstIndex;
				return;
			case "compact-through":
				this.#records = this.#records.slice(after.firstIndex - before.firstIndex);
				return;
			case "stage-snapshot":
				this.#stage(operation.offset, operation.data.slice());
				return;
			case "publish-snapshot":
				this.#dropChunksBut(after.published?.generation);
				return;
			default:
				assertNever(operation, "store operation");
		}
	}

	/** The records of one append share a buffer: they come and go together, and one allocation is cheaper than many. */
	#append(records: readonly Uint8Array[]): void {
		const bytes = new Uint8Array(records.reduce((sum, record) => sum + record.length, 0));
		let at = 0;
		for (const record of records) {
			bytes.set(record, at);
			this.#records.push(bytes.subarray(at, at + record.length));
			at += record.length;
		}
	}

	#stage(offset: number, data: Uint8Array): void {
		const { generation } = this.#shape;
		if (offset === 0) {
			this.#dropChunksBut(this.#shape.published?.generation);
			this.#chunks.set(generation, [data]);
		} else {
			this.#chunks.get(generation)?.push(data);
		}
	}

	#dropChunksBut(kept: number | undefined): void {
		for (const generation of [...this.#chunks.keys()]) {
			if (generation !== kept) this.#chunks.delete(generation);
		}
	}

	/**
	 * Damages one piece; returns where it stands, or null if the store holds nothing that can be damaged so.
	 * @param choose an integer in `[0, count)`
	 * @param of only pieces of these parts; null: any
	 */
	damage(kind: DamageKind, choose: (count: number) => number, of: readonly StorePart[] | null = null): string | null {
		const all = this.#pieces();
		const pieces = all.filter(({ part, bytes }) => bytes.length > 0 && (of === null || of.includes(part)));
		const piece = pieces[pieces.length === 0 ? 0 : choose(pieces.length)];
		if (piece === undefined) return null;
		const damaged = kind === "bit-rot" ? withFlippedBit(piece.bytes, choose) : fromElsewhere(piece, all, choose);
		if (damaged === null) return null;
		const checksum = this.#checksums.get(piece.bytes) ?? crc32(piece.bytes);
		piece.replace(damaged);
		this.#checksums.set(damaged, checksum);
		this.#forgetReplaced();
		return `${piece.part} ${piece.key}`;
	}

	/** Checksums of bytes that stand nowhere any more. */
	#forgetReplaced(): void {
		const present = new Set(this.#pieces().map(({ bytes }) => bytes));
		for (const bytes of [...this.#checksums.keys()]) if (!present.has(bytes)) this.#checksums.delete(bytes);
	}

	get hasValues(): boolean {
		return this.#values.size > 0;
	}

	/** Whether a piece is not what was written there. */
	get isDamaged(): boolean {
		return this.#firstDamaged() !== null;
	}

	#firstDamaged(): Piece | null {
		if (this.#checksums.size === 0) return null;
		return this.#pieces().find(({ bytes }) => this.#isWrong(bytes)) ?? null;
	}

	#isWrong(bytes: Uint8Array): boolean {
		const checksum = this.#checksums.get(bytes);
		return checksum !== undefined && checksum !== crc32(bytes);
	}

	#pieces(): Piece[] {
		const pieces: Piece[] = [];
		for (const [key, bytes] of this.#values) {
			pieces.push({ part: "value", key, bytes, replace: (changed) => this.#values.set(key, changed) });
		}
		for (const [position, bytes] of this.#records.entries()) {
			const key = String(this.#shape.firstIndex + position);
			const replace = (changed: Uint8Array): void => {
				this.#records[position] = changed;
			};
			pieces.push({ part: "record", key, bytes, replace });
		}
		const chunks = this.#chunks.get(this.#shape.published?.generation ?? -1) ?? [];
		for (const [position, bytes] of chunks.entries()) {
			const replace = (changed: Uint8Array): void => {
				chunks[position] = changed;
			};
			pieces.push({ part: "snapshot", key: String(position), bytes, replace });
		}
		return pieces;
	}

	#refuse({ part, key }: Pick<Piece, "part" | "key">): never {
		throw storeCorrupt({ store: this.#store, part, key, problem: "the checksum does not match" });
	}

	/** @throws QuorateError `store-corrupt` if a value is damaged */
	contents(): StoreContents {
		const damaged = this.#firstDamaged();
		if (damaged?.part === "value") this.#refuse(damaged);
		const damagedFrom = damaged?.part === "record" ? Number(damaged.key) : undefined;
		const readable = damagedFrom === undefined ? this.#records.length : damagedFrom - this.#shape.firstIndex;
		const { published } = this.#shape;
		const snapshot =
			published === null
				? null
				: { name: published.name, sizeBytes: published.sizeBytes, description: published.description.slice() };
		return {
			values: new Map([...this.#values].map(([key, value]) => [key, value.slice()])),
			snapshot,
			firstIndex: this.#shape.firstIndex,
			records: this.#records.slice(0, readable).map((record) => record.slice()),
			...(damagedFrom === undefined ? {} : { damagedFrom }),
		};
	}

	/** @throws QuorateError `store-corrupt` if bytes that are read are damaged */
	readSnapshot(name: string, offset: number, lengthBytes: number): Uint8Array | null {
		const { published } = this.#shape;
		if (published === null || published.name !== name) return null;
		const end = Math.min(published.sizeBytes, offset + lengthBytes);
		const bytes = new Uint8Array(Math.max(0, end - offset));
		let chunkStart = 0;
		for (const [position, chunk] of (this.#chunks.get(published.generation) ?? []).entries()) {
			const from = Math.max(offset, chunkStart);
			const to = Math.min(end, chunkStart + chunk.length);
			if (from < to && this.#isWrong(chunk)) this.#refuse({ part: "snapshot", key: String(position) });
			if (from < to) bytes.set(chunk.subarray(from - chunkStart, to - chunkStart), from - offset);
			chunkStart += chunk.length;
		}
		return bytes;
	}
}

function withFlippedBit(bytes: Uint8Array, choose: (count: number) => number): Uint8Array {
	const damaged = bytes.slice();
	const bit = choose(bytes.length * 8);
	damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
	return damaged;
}

/** What stands in another place, of the same kind if there is one; null if there is nothing else. */
function fromElsewhere(piece: Piece, pieces: readonly Piece[], choose: (count: number) => number): Uint8Array | null {
	const different = pieces.filter(({ bytes }) => crc32(bytes) !== crc32(piece.bytes));
	const alike = different.filter(({ part }) => part === piece.part);
	const others = alike.length > 0 ? alike : different;
	return others[others.length === 0 ? 0 : choose(others.length)]?.bytes.slice() ?? null;
}
