/**
 * `runtime/storage`: durable state. A store for each participant (values, a log, one snapshot), kept by an engine in the
 * storage thread, which is never terminated while the process lives. Its one actor gathers the writes of all stores
 * and flushes them as groups (group commit); a participant reaches it through a {@link StorageClient}.
 *
 * "Durable" means flushed to the disk. It knows nothing of protocols, and does not replicate, compress or encrypt; a
 * second copy of the data on another machine is the protocols' business.
 */
export {
	type Outcome,
	type Settle,
	type SnapshotInfo,
	STORE_KEY_LENGTH_MAX,
	STORE_VALUE_BYTES_MAX,
	type StorageEngine,
	type StoreContents,
	type StoreOperation,
	type StoreWrite,
} from "./contract.ts";
export type { DataOwner } from "./data-directory.ts";
export { type DiskFault, type DiskFaultKind, diskFaultKinds, type LastingDiskFault } from "./disk-faults.ts";
export { type EngineSource, openEngine, type StorageContext } from "./engine-source.ts";
export {
	backlogFull,
	dataDirectoryCorrupt,
	dataDirectoryForeign,
	dataDirectoryInUse,
	diskFailed,
	diskFaultInvalid,
	diskFull,
	faultOverBudget,
	logGap,
	readsWaiting,
	snapshotGap,
	storageUnreachable,
	storageUnusable,
	storeCorrupt,
	storeFenced,
	storeLost,
	storesOpen,
	valueTooLarge,
	writeLost,
} from "./errors.ts";
export { MemoryEngine } from "./memory-engine.ts";
export { type StorageRequest, storageLayouts } from "./messages.ts";
export { storageMetrics } from "./metrics.ts";
export { SimulatedDisk, type SimulatedDiskOptions } from "./simulated-disk.ts";
export { StorageActor, type StorageActorArgs } from "./storage-actor.ts";
export { StorageClient, type StorageClientHandlers } from "./storage-client.ts";
export type { StorePart } from "./store-image.ts";
export { makeTemporaryDirectory } from "./temporary-directory.ts";
