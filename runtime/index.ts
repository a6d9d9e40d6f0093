/**
 * `quorate/runtime`: actors on worker threads and shared memory, without any protocol.
 */

export {
	backlogFull,
	type DataOwner,
	dataDirectoryCorrupt,
	dataDirectoryForeign,
	dataDirectoryInUse,
	diskFailed,
	diskFull,
	type EngineSource,
	logGap,
	MemoryEngine,
	type SnapshotInfo,
	STORE_KEY_LENGTH_MAX,
	STORE_VALUE_BYTES_MAX,
	StorageActor,
	type StorageActorArgs,
	StorageClient,
	type StorageClientHandlers,
	type StorageEngine,
	type StoreContents,
	type StoreOperation,
	type StoreWrite,
	snapshotGap,
	storageLayouts,
	storageUnreachable,
	storageUnusable,
	storeCorrupt,
	storeFenced,
	valueTooLarge,
	writeLost,
} from "./storage/index.ts";
export {
	ComputePool,
	type ComputePoolOptions,
	type ComputeTask,
	digestBatchTask,
	digestFileTask,
	type FileDigest,
} from "./threads/index.ts";
