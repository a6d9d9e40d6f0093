/**
 * Storage in LMDB, through the package `lmdb`, one environment for each data directory.
 *
 * **What makes a commit durable.** The environment is opened without `overlappingSync` and without any no-sync flag, and
 * each group is one `transactionSync`. LMDB then commits in three steps: it writes the pages, calls `fdatasync`,
 * and writes the meta page through a second descriptor opened with `O_DSYNC`; `transactionSync` returns after the third.
 * Seen with `strace -f -y -e trace=pwrite64,fdatasync,openat` under lmdb 3.5.6 (two syncs for each commit, in this order,
 * before the call returns; the trace is repeated by `test/runtime/storage/lmdb-sync.test.ts` where strace is installed).
 *
 * **Why not lmdb's own asynchronous writes.** With `overlappingSync`, its default, a write's promise resolves before the
 * flush, and if the flush fails, `flushed` never settles: the writer would hang instead of stopping. Without it, a write
 * still crosses to lmdb's writer thread and back, 0.05 to 0.1 ms each, and an error arrives as "Commit failed" without its
 * code. Gathering the next group while this one is flushed needs no second thread: what arrives meanwhile waits in the
 * lanes and mailbox. The price: the storage thread does nothing else during a flush, so whoever watches its heartbeat
 * must allow for a slow disk.
 *
 * Not detected: damage to LMDB's own tree pages (it has no checksums there); what is read through them is checked.
 */
import { crc32 } from "node:zlib";
import { type Database, open, type RootDatabase } from "lmdb";
import { AssertionError, assertNever, QuorateError } from "../../protocols/core/index.ts";
import type { Settle, StorageEngine, StoreContents, StoreOperation, StoreWrite } from "./contract.ts";
import { DataDirectory, type DataOwner } from "./data-directory.ts";
import { failureOf } from "./disk-failure.ts";
import { dataDirectoryCorrupt, storageUnusable, storeCorrupt } from "./errors.ts";
import { checkDatabaseFile } from "./lmdb-file.ts";
import { lastUint64, part, StoreKeys } from "./lmdb-keys.ts";
import { outcomeOf } from "./outcome.ts";
import { advanceShape, advanceShapes, checkStoreName, EMPTY_SHAPE, type StoreShape } from "./store-shape.ts";

const CHECKSUM_BYTES = 4;
const SCRATCH_BYTES_INITIAL = 64 * 1024;

/** A store that has been written or loaded: its keys and where it stands. */
interface OpenStore {
	readonly keys: StoreKeys;
	shape: StoreShape;
}

export class LmdbEngine implements StorageEngine {
	readonly #directory: DataDirectory;
	readonly #environment: RootDatabase<Buffer, Buffer>;
	readonly #database: Database<Buffer, Buffer>;
	readonly #stores: Map<string, OpenStore> = new Map();
	#failure: QuorateError | null = null;
	/** Where checksum and value are put together; lmdb copies it within the call. */
	#scratch: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES_INITIAL);

	/** Use {@link open}. */
	private constructor(directory: DataDirectory, environment: RootDatabase<Buffer, Buffer>) {
		this.#directory = directory;
		this.#environment = environment;
		this.#database = environment.openDB<Buffer, Buffer>("stores", { encoding: "binary", keyEncoding: "binary" });
	}

	/**
	 * Opens a data directory, or makes it.
	 * @throws QuorateError `data-directory-in-use`, `data-directory-foreign`, `data-directory-corrupt`, `disk-failed`
	 */
	static open(path: string, owner: DataOwner): LmdbEngine {
		const directory = DataDirectory.open(path, owner);
		try {
			if (!directory.isNew) checkDatabaseFile(path, directory.databasePath);
			const engine = new LmdbEngine(directory, openEnvironment(directory.databasePath));
			if (directory.isNew) directory.confirm();
			return engine;
		} catch (cause) {
			directory.close();
			if (cause instanceof QuorateError) throw cause;
			const problem = cause instanceof Error ? cause.message : String(cause);
			throw dataDirectoryCorrupt({ directory: path, problem: `LMDB can not open it: ${problem}` }, { cause });
		}
	}

	load(store: string, settle: Settle<StoreContents>): void {
		this.#run("load", settle, () => {
			checkStoreName(store);
			const { keys, shape } = this.#store(store);
			const values = new Map<string, Uint8Array>();
			for (const { key, value } of this.#range(keys.rangeOf(part.value))) {
				const name = keys.keyOfValue(key);
				values.set(
					name,
					unpack(key, value, () => ({ store, part: "value", key: name })),
				);
			}
			const records: Uint8Array[] = [];
			for (const { key, value } of this.#range(keys.rangeOf(part.record))) {
				const expected = shape.firstIndex + records.length;
				const index = lastUint64(key);
				if (index !== expected) throw gapOnDisk(store, expected, index);
				records.push(unpack(key, value, () => ({ store, part: "record", key: String(index) })));
			}
			const { published } = shape;
			const snapshot =
				published === null
					? null
					: { name: published.name, sizeBytes: published.sizeBytes, description: published.description.slice() };
			return { values, snapshot, firstIndex: shape.firstIndex, records };
		});
	}

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		this.#run("commit", settle, () => {
			for (const { store } of writes) checkStoreName(store);
			// Everything is checked before the transaction, so that a refusal leaves nothing to undo.
			const after = advanceShapes(writes, (store) => this.#store(store).shape);
			this.#environment.transactionSync(() => {
				const shapes = new Map<string, StoreShape>();
				for (const { store, operations } of writes) {
					const { keys, shape } = this.#store(store);
					shapes.set(store, this.#perform(store, keys, shapes.get(store) ?? shape, operations));
				}
				for (const [store, shape] of after) this.#writeShape(this.#store(store), shape);
			});
			for (const [store, shape] of after) this.#store(store).shape = shape;
		});
	}

	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void {
		this.#run("read-snapshot", settle, () => {
			const { keys, shape } = this.#store(store);
			const { published } = shape;
			if (published === null || published.name !== name) return null;
			const end = Math.min(published.sizeBytes, offset + lengthBytes);
			const bytes = new Uint8Array(Math.max(0, end - offset));
			let position = offset;
			for (const { key, value } of this.#chunksFrom(keys, published.generation, offset)) {
				if (position >= end) break;
				const chunkStart = lastUint64(key);
				const chunk = unpack(key, value, () => ({ store, part: "snapshot", key: String(chunkStart) }));
				if (chunkStart > position) break;
				const from = position - chunkStart;
				const to = Math.min(chunk.length, end - chunkStart);
				bytes.set(chunk.subarray(from, to), position - offset);
				position = chunkStart + to;
			}
			if (position < end) {
				throw storeCorrupt({ store, part: "snapshot", key: String(position), problem: "a chunk is missing" });
			}
			return bytes;
		});
	}

	async close(): Promise<void> {
		await this.#environment.close();
		this.#directory.close();
	}

	/** Performs one write inside the transaction and returns the shape after it. */
	#perform(store: string, keys: StoreKeys, before: StoreShape, operations: readonly StoreOperation[]): StoreShape {
		let shape = before;
		for (const operation of operations) {
			const after = advanceShape(store, shape, operation);
			this.#performOne(keys, shape, after, operation);
			shape = after;
		}
		return shape;
	}

	#performOne(keys: StoreKeys, before: StoreShape, after: StoreShape, operation: StoreOperation): void {
		switch (operation.type) {
			case "put":
				this.#put(keys.value(operation.key), operation.value);
				return;
			case "append": {
				let index = operation.firstIndex;
				for (const record of operation.records) {
					this.#put(keys.record(index), record);
					index += 1;
				}
				return;
			}
			case "truncate-from":
				this.#removeRecords(keys, after.nextIndex, before.nextIndex);
				return;
			case "compact-through":
				this.#removeRecords(keys, before.firstIndex, Math.min(after.firstIndex, before.nextIndex));
				return;
			case "stage-snapshot":
				if (operation.offset === 0 && before.staged !== null) this.#removeChunks(keys, before.staged.generation);
				if (operation.data.length > 0) {
					this.#put(keys.chunk(after.generation, operation.offset), operation.data);
				}
				return;
			case "publish-snapshot":
				if (before.published !== null) this.#removeChunks(keys, before.published.generation);
				return;
			default:
				assertNever(operation, "store operation");
		}
	}

	#put(key: Buffer, value: Uint8Array): void {
		const sizeBytes = CHECKSUM_BYTES + value.length;
		if (this.#scratch.length < sizeBytes) this.#scratch = Buffer.allocUnsafeSlow(2 * sizeBytes);
		this.#scratch.set(value, CHECKSUM_BYTES);
		this.#scratch.writeUInt32LE(checksum(key, value), 0);
		this.#database.putSync(key, this.#scratch.subarray(0, sizeBytes));
	}

	#removeRecords(keys: StoreKeys, from: number, to: number): void {
		for (let index = from; index < to; index++) this.#database.removeSync(keys.record(index));
	}

	#removeChunks(keys: StoreKeys, generation: number): void {
		const range = { start: keys.chunk(generation, 0), end: keys.chunk(generation + 1, 0) };
		for (const key of [...this.#database.getKeys(range)]) this.#database.removeSync(key);
	}

	/** Appends and truncations leave this part alone: where a log ends is known from its last record. */
	#writeShape({ keys, shape: before }: OpenStore, after: StoreShape): void {
		if (before.firstIndex !== after.firstIndex || before.maySkip !== after.maySkip) {
			const log = Buffer.alloc(9);
			log.writeDoubleBE(after.firstIndex, 0);
			log.writeUInt8(after.maySkip ? 1 : 0, 8);
			this.#put(keys.log(), log);
		}
		if (before.staged !== after.staged || before.published !== after.published) {
			this.#put(keys.snapshots(), Buffer.from(snapshotsText(after)));
		}
	}

	#store(store: string): OpenStore {
		const known = this.#stores.get(store);
		if (known !== undefined) return known;
		const keys = new StoreKeys(store);
		const opened = { keys, shape: this.#readShape(store, keys) };
		this.#stores.set(store, opened);
		return opened;
	}

	#readShape(store: string, keys: StoreKeys): StoreShape {
		const log = this.#get(keys.log(), () => ({ store, part: "log", key: "bounds" }));
		const snapshots = this.#get(keys.snapshots(), () => ({ store, part: "snapshot", key: "description" }));
		const { start, end } = keys.rangeOf(part.record);
		const [last] = this.#database.getKeys({ start: end, end: start, reverse: true, limit: 1 });
		const firstIndex = log === null ? EMPTY_SHAPE.firstIndex : log.readDoubleBE(0);
		return {
			...EMPTY_SHAPE,
			...(snapshots === null ? {} : parseSnapshots(snapshots.toString("utf8"))),
			firstIndex,
			nextIndex: last === undefined ? firstIndex : lastUint64(last) + 1,
			maySkip: log === null ? EMPTY_SHAPE.maySkip : log.readUInt8(8) === 1,
		};
	}

	#get(key: Buffer, place: () => Place): Buffer | null {
		const value = this.#database.get(key);
		return value === undefined ? null : Buffer.from(unpack(key, value, place));
	}

	#range(range: { readonly start: Buffer; readonly end: Buffer }): Iterable<{ key: Buffer; value: Buffer }> {
		return this.#database.getRange(range);
	}

	/** The chunk that holds this offset and those after it. */
	#chunksFrom(keys: StoreKeys, generation: number, offset: number): Iterable<{ key: Buffer; value: Buffer }> {
		const wanted = keys.chunk(generation, offset);
		const [holding] = this.#database.getKeys({
			start: wanted,
			end: keys.chunk(generation, 0),
			inclusiveEnd: true,
			reverse: true,
			limit: 1,
		});
		return this.#range({ start: holding ?? wanted, end: keys.chunk(generation + 1, 0) });
	}

	/** What LMDB throws is the disk's failure and ends the engine; our own typed errors pass. */
	#run<T>(operation: string, settle: Settle<T>, run: () => T): void {
		const outcome = outcomeOf(() => {
			if (this.#failure !== null) throw storageUnusable({ failure: this.#failure.code });
			try {
				return run();
			} catch (cause) {
				if (cause instanceof QuorateError || cause instanceof AssertionError) throw cause;
				this.#failure = failureOf(this.#directory.path, operation, cause);
				throw this.#failure;
			}
		});
		settle(outcome);
	}
}

function openEnvironment(path: string): RootDatabase<Buffer, Buffer> {
	return open<Buffer, Buffer>({
		path,
		noSubdir: true,
		overlappingSync: false,
		encoding: "binary",
		keyEncoding: "binary",
		maxDbs: 1,
	});
}

interface Place {
	readonly store: string;
	readonly part: string;
	readonly key: string;
}

function checksum(key: Uint8Array, value: Uint8Array): number {
	const ofKey = crc32(key);
	// Node's crc32 forgets the initial value when it is given an empty array without memory behind it.
	return value.length === 0 ? ofKey : crc32(value, ofKey);
}

/** The value without its checksum, in bytes of its own. @throws QuorateError `store-corrupt` */
function unpack(key: Buffer, packed: Buffer, place: () => Place): Uint8Array {
	if (packed.length < CHECKSUM_BYTES) throw storeCorrupt({ ...place(), problem: "the checksum is missing" });
	const value = new Uint8Array(packed.length - CHECKSUM_BYTES);
	value.set(packed.subarray(CHECKSUM_BYTES));
	if (checksum(key, value) !== packed.readUInt32LE(0)) {
		throw storeCorrupt({ ...place(), problem: "the checksum does not match" });
	}
	return value;
}

function gapOnDisk(store: string, expected: number, found: number): QuorateError {
	return storeCorrupt({ store, part: "record", key: String(expected), problem: `record ${found} stands in its place` });
}

function snapshotsText({ generation, staged, published }: StoreShape): string {
	const description = published === null ? "" : Buffer.from(published.description).toString("base64");
	return JSON.stringify({
		generation,
		staged,
		published: published === null ? null : { ...published, description },
	});
}

function parseSnapshots(text: string): Pick<StoreShape, "generation" | "staged" | "published"> {
	// Its checksum was right, so it is what we wrote.
	const { generation, staged, published } = JSON.parse(text) as Pick<StoreShape, "generation" | "staged"> & {
		readonly published: (Omit<NonNullable<StoreShape["published"]>, "description"> & { description: string }) | null;
	};
	const description = published === null ? null : new Uint8Array(Buffer.from(published.description, "base64"));
	return {
		generation,
		staged,
		published: published === null || description === null ? null : { ...published, description },
	};
}
