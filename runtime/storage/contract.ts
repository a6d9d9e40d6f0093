/**
 * What durable state is: one store for each participant, holding values by key, a log of records by index, and one
 * snapshot. A store is reached through the storage thread, which gathers the writes of all participants on one disk
 * and flushes them together.
 */

/** One change; the operations of a write happen in order and atomically. */
export type StoreOperation =
	/** Keys: 1 to 128 characters. Values: at most {@link STORE_VALUE_BYTES_MAX}. */
	| { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
	/** Continues the log at exactly `firstIndex`; a gap or an overlap is refused with `log-gap`. */
	| { readonly type: "append"; readonly firstIndex: number; readonly records: readonly Uint8Array[] }
	/** Removes the records from this index on. */
	| { readonly type: "truncate-from"; readonly index: number }
	/** Removes the records up to and including this index; the log may then start anywhere later. */
	| { readonly type: "compact-through"; readonly index: number }
	/** Adds a chunk to the snapshot that is being staged under this name; offset 0 begins it anew and drops any other staged one. */
	| { readonly type: "stage-snapshot"; readonly name: string; readonly offset: number; readonly data: Uint8Array }
	/** The staged snapshot of this name, complete with `sizeBytes`, becomes the store's snapshot; the former one is removed. */
	| {
			readonly type: "publish-snapshot";
			readonly name: string;
			readonly sizeBytes: number;
			readonly description: Uint8Array;
	  };

/** The published snapshot. */
export interface SnapshotInfo {
	readonly name: string;
	readonly sizeBytes: number;
	/** Opaque to the store. */
	readonly description: Uint8Array;
}

/** Everything in a store but the bytes of its snapshot. */
export interface StoreContents {
	readonly values: ReadonlyMap<string, Uint8Array>;
	readonly snapshot: SnapshotInfo | null;
	/** Index of `records[0]`. */
	readonly firstIndex: number;
	readonly records: readonly Uint8Array[];
}

/** Limit of one value or record. */
export const STORE_VALUE_BYTES_MAX: number = 8 * 1024 * 1024;

/** One write of one store, as an engine gets it. */
export interface StoreWrite {
	readonly store: string;
	readonly operations: readonly StoreOperation[];
}

/**
 * What keeps the bytes. Engines live in the storage thread, never in a thread that may be killed. After any failure of
 * `commit` or `load` an engine is unusable: what is on the disk is then unknown.
 */
export interface StorageEngine {
	/**
	 * Reads a store, checking every record's checksum. A store that was never written is empty.
	 * @throws QuorateError `store-corrupt` with store, key or index
	 */
	load(store: string): Promise<StoreContents>;
	/**
	 * Performs the writes, in order, as one group, and resolves when all of it is flushed to the disk. All or nothing
	 * for each write; the group as a whole may be cut between writes by a crash.
	 * @throws QuorateError `disk-full`, `disk-failed`, `log-gap`
	 */
	commit(writes: readonly StoreWrite[]): Promise<void>;
	/** Bytes of the published snapshot, fewer only at its end; null if that is not the published one (any more). */
	readSnapshot(store: string, name: string, offset: number, lengthBytes: number): Promise<Uint8Array | null>;
	close(): Promise<void>;
}
