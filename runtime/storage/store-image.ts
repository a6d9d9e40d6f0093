/** A store held in memory: what the memory engine keeps, and what the simulated disk holds as written and as flushed. */
import { assertNever } from "../../protocols/core/index.ts";
import type { StoreContents, StoreOperation } from "./contract.ts";
import { advanceShape, EMPTY_SHAPE, type StoreShape } from "./store-shape.ts";

export class StoreImage {
	readonly #store: string;
	#shape: StoreShape = EMPTY_SHAPE;
	readonly #values: Map<string, Uint8Array> = new Map();
	/** The record of index `#shape.firstIndex` first. */
	#records: Uint8Array[] = [];
	/** Snapshot chunks by generation, in order, without gaps; only the staged and the published generation. */
	readonly #chunks: Map<number, Uint8Array[]> = new Map();

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

	contents(): StoreContents {
		const { published } = this.#shape;
		const snapshot =
			published === null
				? null
				: { name: published.name, sizeBytes: published.sizeBytes, description: published.description.slice() };
		return {
			values: new Map([...this.#values].map(([key, value]) => [key, value.slice()])),
			snapshot,
			firstIndex: this.#shape.firstIndex,
			records: this.#records.map((record) => record.slice()),
		};
	}

	readSnapshot(name: string, offset: number, lengthBytes: number): Uint8Array | null {
		const { published } = this.#shape;
		if (published === null || published.name !== name) return null;
		const end = Math.min(published.sizeBytes, offset + lengthBytes);
		const bytes = new Uint8Array(Math.max(0, end - offset));
		let chunkStart = 0;
		for (const chunk of this.#chunks.get(published.generation) ?? []) {
			const from = Math.max(offset, chunkStart);
			const to = Math.min(end, chunkStart + chunk.length);
			if (from < to) bytes.set(chunk.subarray(from - chunkStart, to - chunkStart), from - offset);
			chunkStart += chunk.length;
		}
		return bytes;
	}

	/** An independent image with the same content; the bytes, which never change, are shared. */
	copy(): StoreImage {
		const image = new StoreImage(this.#store);
		image.#shape = this.#shape;
		image.#records = [...this.#records];
		for (const [key, value] of this.#values) image.#values.set(key, value);
		for (const [generation, chunks] of this.#chunks) image.#chunks.set(generation, [...chunks]);
		return image;
	}
}
