/**
 * What durable state is: one store for each participant, holding values by key, a log of records by index, and one
 * snapshot. A store is reached through the storage thread, which gathers the writes of all participants on one disk
 * and flushes them together.
 */

import type { QuorateError } from "../../protocols/core/index.ts";

/** One change; the operations of a write happen in order and atomically. */
export type StoreOperation =
	/** Keys: 1 to {@link STORE_KEY_LENGTH_MAX} characters. Values: at most {@link STORE_VALUE_BYTES_MAX}. */
	| { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
	/** Continues the log at exactly `firstIndex`; a gap or an overlap is refused with `log-gap`. */
	| { readonly type: "append"; readonly firstIndex: number; readonly records: readonly Uint8Array[] }
	/** Removes the records from this index on; the log then continues there. */
	| { readonly type: "truncate-from"; readonly index: number }
	/**
	 * Removes the records up to and including this index. If none is left the log may then start anywhere later: a
	 * follower that installs a snapshot skips what the snapshot covers.
	 */
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
	/** Index of `records[0]`; of an empty log the lowest index at which it may continue (1 in a fresh store). */
	readonly firstIndex: number;
	readonly records: readonly Uint8Array[];
	/**
	 * Absent from a sound log. Else records from this index on are there and can not be read (a checksum does not match, or some
	 * are missing), and `records` ends before it. Who can get them again cuts the log from here, which removes the damage;
	 * who can not must not go on with the store.
	 */
	readonly damagedFrom?: number;
}

/** Limit of one value, record, snapshot chunk or snapshot description: half a message, so that each fits in one. */
export const STORE_VALUE_BYTES_MAX: number = 4 * 1024 * 1024;
/** Limit of a key, of a snapshot's name and of a store's name. */
export const STORE_KEY_LENGTH_MAX = 128;

/** One write of one store, as an engine gets it. */
export interface StoreWrite {
	/** 1 to {@link STORE_KEY_LENGTH_MAX} characters of `A-Z a-z 0-9 . _ / -`. */
	readonly store: string;
	readonly operations: readonly StoreOperation[];
}

/** How a call of an engine ended. */
export type Outcome<T> =
	| { readonly ok: true; readonly value: T }
	| { readonly ok: false; readonly error: QuorateError };

/**
 * Called exactly once, either before the call returns or in a turn of its own on the engine's clock. It is a callback and
 * not a promise so that an acknowledgement leaves in the turn in which the flush ended, and so that the simulator, which
 * decides when everything happens, decides this too.
 */
export type Settle<T> = (outcome: Outcome<T>) => void;

/**
 * What keeps the bytes. Engines live in the storage thread, never in a thread that may be killed. After `disk-full` or
 * `disk-failed` an engine is unusable, since what is on the disk is then unknown: every later call is refused with
 * `storage-unusable`. Calls may overlap; a load or a read sees every commit that had settled when it was called.
 */
export interface StorageEngine {
	/**
	 * Reads a store, checking every checksum. A store that was never written is empty. The bytes are the caller's. Damage to the
	 * log is told in {@link StoreContents.damagedFrom}.
	 * Errors: `store-corrupt` where a value or a description is damaged (the other stores stay usable), `disk-failed`.
	 */
	load(store: string, settle: Settle<StoreContents>): void;
	/**
	 * Performs the writes, in order, as one group, and settles when all of it is flushed to the disk. All or nothing
	 * for each write; the group as a whole may be cut between writes by a crash. The bytes may be reused once it settles.
	 *
	 * A group that holds an impossible write is refused whole, before anything is changed, with `log-gap`,
	 * `snapshot-gap` or `value-too-large` and the `store` in the details; the engine stays usable.
	 * Errors: `disk-full`, `disk-failed` and the refusals.
	 */
	commit(writes: readonly StoreWrite[], settle: Settle<void>): void;
	/**
	 * Bytes of the published snapshot, fewer only at its end; null if that is not the published one (any more).
	 * Errors: `store-corrupt`, `disk-failed`.
	 */
	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void;
	/** Waits for commits under way and gives everything back. */
	close(): Promise<void>;
}
