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
import { open, type RootDatabase } from "lmdb";
import { AssertionError, assertNever, QuorateError } from "../../protocols/core/index.ts";
import { CheckedTable, type KeyRange, type Place } from "./checked-table.ts";
import type { Settle, StorageEngine, StoreContents, StoreOperation, StoreWrite } from "./contract.ts";
import { DataDirectory, type DataOwner } from "./data-directory.ts";
import { failureOf } from "./disk-failure.ts";
import { dataDirectoryCorrupt, storageUnusable, storeCorrupt } from "./errors.ts";
import { checkDatabaseFile } from "./lmdb-file.ts";
import { lastUint64, part, StoreKeys } from "./lmdb-keys.ts";
import { LogWriter, loadRecords, nextIndexOf } from "./lmdb-log.ts";
import { outcomeOf } from "./outcome.ts";
import { advanceShape, advanceShapes, checkStoreName, EMPTY_SHAPE, type StoreShape } from "./store-shape.ts";

/** A store that has been written or loaded: its keys and where it stands. */
interface OpenStore {
	readonly keys: StoreKeys;
	shape: StoreShape;
}

/** A store while a transaction changes it. */
interface StoreChange {
	readonly keys: StoreKeys;
	readonly log: LogWriter;
	shape: StoreShape;
}

export class LmdbEngine implements StorageEngine {
	readonly #directory: DataDirectory;
	readonly #environment: RootDatabase<Buffer, Buffer>;
	readonly #table: CheckedTable;
	readonly #stores: Map<string, OpenStore> = new Map();
	#failure: QuorateError | null = null;

	/** Use {@link open}. */
	private constructor(directory: DataDirectory, environment: RootDatabase<Buffer, Buffer>) {
		this.#directory = directory;
		this.#environment = environment;
		this.#table = new CheckedTable(
			environment.openDB<Buffer, Buffer>("stores", { encoding: "binary", keyEncoding: "binary" }),
		);
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
			const placeOf = (key: Buffer): Place => ({ store, part: "value", key: keys.keyOfValue(key) });
			for (const { key, value } of this.#table.entries(keys.rangeOf(part.value), placeOf)) {
				values.set(keys.keyOfValue(key), value);
			}
			const log = loadRecords(this.#table, store, keys, shape);
			const { published } = shape;
			const snapshot =
				published === null
					? null
					: { name: published.name, sizeBytes: published.sizeBytes, description: published.description.slice() };
			return { values, snapshot, firstIndex: shape.firstIndex, ...log };
		});
	}

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		this.#run("commit", settle, () => {
			for (const { store } of writes) checkStoreName(store);
			// Everything is checked before the transaction, so that a refusal leaves nothing to undo.
			const after = advanceShapes(writes, (store) => this.#store(store).shape);
			this.#environment.transactionSync(() => {
				const changes = new Map<string, StoreChange>();
				for (const { store, operations } of writes) {
					const change = changes.get(store) ?? this.#begin(store);
					changes.set(store, change);
					for (const operation of operations) this.#perform(store, change, operation);
				}
				for (const { log } of changes.values()) log.flush();
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
			const placeOf = (key: Buffer): Place => ({ store, part: "snapshot", key: String(lastUint64(key)) });
			for (const { key, value: chunk } of this.#table.entries(
				this.#chunksFrom(keys, published.generation, offset),
				placeOf,
			)) {
				if (position >= end) break;
				const chunkStart = lastUint64(key);
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

	/** Begins the changes of one store inside a transaction. */
	#begin(store: string): StoreChange {
		const { keys, shape } = this.#store(store);
		return { keys, shape, log: new LogWriter(this.#table, store, keys) };
	}

	#perform(store: string, change: StoreChange, operation: StoreOperation): void {
		const { keys, log, shape: before } = change;
		const after = advanceShape(store, before, operation);
		change.shape = after;
		switch (operation.type) {
			case "put":
				this.#table.put(keys.value(operation.key), operation.value);
				return;
			case "append":
				log.append(operation.firstIndex, operation.records);
				return;
			case "truncate-from":
				if (after !== before) log.truncateFrom(after.nextIndex, after.firstIndex);
				return;
			case "compact-through":
				if (after !== before) log.compactThrough(after.firstIndex - 1);
				return;
			case "stage-snapshot":
				if (operation.offset === 0 && before.staged !== null) this.#removeChunks(keys, before.staged.generation);
				if (operation.data.length > 0) {
					this.#table.put(keys.chunk(after.generation, operation.offset), operation.data);
				}
				return;
			case "publish-snapshot":
				if (before.published !== null) this.#removeChunks(keys, before.published.generation);
				return;
			default:
				assertNever(operation, "store operation");
		}
	}

	#removeChunks(keys: StoreKeys, generation: number): void {
		const range = { start: keys.chunk(generation, 0), end: keys.chunk(generation + 1, 0) };
		for (const key of [...this.#table.keys(range)]) this.#table.remove(key);
	}

	/** Appends and truncations leave this part alone: where a log ends is known from its last segment. */
	#writeShape({ keys, shape: before }: OpenStore, after: StoreShape): void {
		if (before.firstIndex !== after.firstIndex || before.maySkip !== after.maySkip) {
			const log = Buffer.alloc(9);
			log.writeDoubleBE(after.firstIndex, 0);
			log.writeUInt8(after.maySkip ? 1 : 0, 8);
			this.#table.put(keys.log(), log);
		}
		if (before.staged !== after.staged || before.published !== after.published) {
			this.#table.put(keys.snapshots(), Buffer.from(snapshotsText(after)));
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
		const firstIndex = log === null ? EMPTY_SHAPE.firstIndex : log.readDoubleBE(0);
		return {
			...EMPTY_SHAPE,
			...(snapshots === null ? {} : parseSnapshots(snapshots.toString("utf8"))),
			firstIndex,
			nextIndex: nextIndexOf(this.#table, keys) ?? firstIndex,
			maySkip: log === null ? EMPTY_SHAPE.maySkip : log.readUInt8(8) === 1,
		};
	}

	#get(key: Buffer, place: () => Place): Buffer | null {
		const value = this.#table.get(key, place);
		return value === null ? null : Buffer.from(value.buffer, value.byteOffset, value.length);
	}

	/** The chunk that holds this offset and those after it. */
	#chunksFrom(keys: StoreKeys, generation: number, offset: number): KeyRange {
		const wanted = keys.chunk(generation, offset);
		const [holding] = this.#table.keys({
			start: wanted,
			end: keys.chunk(generation, 0),
			inclusiveEnd: true,
			reverse: true,
			limit: 1,
		});
		return { start: holding ?? wanted, end: keys.chunk(generation + 1, 0) };
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
