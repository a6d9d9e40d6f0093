/** The typed errors of `runtime/storage`. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

interface GapDetails {
	readonly store: string;
	readonly expected: number;
	readonly found: number;
}
interface SnapshotGapDetails {
	readonly store: string;
	readonly name: string;
	readonly problem: string;
}
interface CorruptDetails {
	readonly store: string;
	/** Which part of the store: `value`, `record`, `log`, `snapshot`. */
	readonly part: string;
	/** The key, index or offset within that part. */
	readonly key: string;
	readonly problem: string;
}
interface DiskDetails {
	readonly directory: string;
	readonly operation: string;
	readonly problem: string;
}
interface UnusableDetails {
	/** The code of the failure that made the engine unusable. */
	readonly failure: string;
}
interface StoreDetails {
	readonly store: string;
}
interface BacklogDetails {
	readonly store: string;
	readonly outstandingBytes: number;
	readonly limitBytes: number;
}
interface SizeDetails {
	readonly store: string;
	readonly sizeBytes: number;
	readonly limitBytes: number;
}

interface WaitingDetails {
	readonly waiting: number;
	readonly limit: number;
}
interface StoresDetails {
	readonly store: string;
	readonly limit: number;
}
interface InUseDetails {
	readonly directory: string;
	/** Null when the holder can not be named: it runs in another process namespace. */
	readonly pid: number | null;
	readonly lockFile: string;
}
interface ForeignDetails {
	readonly directory: string;
	/** What differs: `cluster-id`, `node-ids`, `application`, `format`, or `content` in a directory that is nobody's. */
	readonly field: string;
	readonly expected: string;
	readonly found: string;
}
interface DirectoryCorruptDetails {
	readonly directory: string;
	readonly problem: string;
}

interface DiskFaultDetails {
	readonly kind: string;
	/** The store, or `all`. */
	readonly target: string;
	readonly problem: string;
}
interface BudgetDetails {
	readonly kind: string;
	readonly store: string;
	readonly damaged: readonly string[];
	readonly copiesMax: number;
}

const errors = defineErrors({
	logGap: [
		"log-gap",
		(d: GapDetails) => `store ${d.store}: the log continues at index ${d.expected}, the append starts at ${d.found}`,
	],
	snapshotGap: ["snapshot-gap", (d: SnapshotGapDetails) => `store ${d.store}, snapshot ${d.name}: ${d.problem}`],
	storeCorrupt: [
		"store-corrupt",
		(d: CorruptDetails) => `store ${d.store} is corrupt at ${d.part} ${d.key}: ${d.problem}`,
	],
	diskFull: ["disk-full", (d: DiskDetails) => `no space left for ${d.directory} (${d.operation})`],
	diskFailed: ["disk-failed", (d: DiskDetails) => `the disk of ${d.directory} failed (${d.operation}): ${d.problem}`],
	storageUnusable: [
		"storage-unusable",
		(d: UnusableDetails) => `the storage is unusable since an earlier failure: ${d.failure}`,
	],
	storeFenced: ["store-fenced", (d: StoreDetails) => `store ${d.store} was opened by somebody else since`],
	storeLost: [
		"store-lost",
		(d: StoreDetails) => `store ${d.store} has held what was acknowledged as durable, and is empty`,
	],
	writeLost: [
		"write-lost",
		(d: GapDetails) => `store ${d.store}: expected write ${d.expected}, got ${d.found}: a write was lost on the way`,
	],
	storageUnreachable: ["storage-unreachable", (d: StoreDetails) => `the storage of store ${d.store} is gone`],
	backlogFull: [
		"storage-backlog-full",
		(d: BacklogDetails) =>
			`store ${d.store}: ${d.outstandingBytes} bytes wait to become durable, the limit is ${d.limitBytes}`,
	],
	valueTooLarge: [
		"value-too-large",
		(d: SizeDetails) => `store ${d.store}: ${d.sizeBytes} bytes are over the limit of ${d.limitBytes}`,
	],
	readsWaiting: [
		"storage-reads-waiting",
		(d: WaitingDetails) => `${d.waiting} reads wait for earlier writes, the limit is ${d.limit}`,
	],
	storesOpen: [
		"too-many-stores",
		(d: StoresDetails) => `store ${d.store} can not be opened: ${d.limit} stores are open`,
	],
	dataDirectoryInUse: [
		"data-directory-in-use",
		(d: InUseDetails) =>
			d.pid === null
				? `${d.directory} is in use by a process that can not be seen from here (if it has ended, remove ${d.lockFile})`
				: `${d.directory} is in use by process ${d.pid}`,
	],
	dataDirectoryForeign: [
		"data-directory-foreign",
		({ directory, field, expected, found }: ForeignDetails) => {
			if (field === "content") {
				return `${directory} is no data directory and not empty: it holds ${found}, and no manifest.json that says whose it is`;
			}
			if (field === "format") return `${directory} is in the format ${found}, this version reads ${expected} only`;
			const what = { "cluster-id": "group", "node-ids": "nodes" }[field] ?? field;
			return `${directory} belongs to another swarm: it was made for the ${what} ${found}, and this is the ${what} ${expected}`;
		},
	],
	dataDirectoryCorrupt: [
		"data-directory-corrupt",
		(d: DirectoryCorruptDetails) => `${d.directory} can not be read: ${d.problem}`,
	],
	diskFaultInvalid: [
		"disk-fault-invalid",
		(d: DiskFaultDetails) => `disk fault ${d.kind} of ${d.target}: ${d.problem}`,
	],
	faultOverBudget: [
		"fault-over-budget",
		(d: BudgetDetails) =>
			`${d.kind} of store ${d.store}: ${d.damaged.length} stores are damaged already, the budget is ${d.copiesMax}`,
	],
});

/** An append does not continue the log: `{store, expected, found}`. Refused; nothing was changed. */
export const logGap: ErrorMaker<GapDetails> = errors.logGap;
/** A snapshot chunk or publication does not fit what was staged: `{store, name, problem}`. Refused. */
export const snapshotGap: ErrorMaker<SnapshotGapDetails> = errors.snapshotGap;
/** What is on the disk is not what was written: `{store, part, key, problem}`. */
export const storeCorrupt: ErrorMaker<CorruptDetails> = errors.storeCorrupt;
/** No space left: `{directory, operation, problem}`. */
export const diskFull: ErrorMaker<DiskDetails> = errors.diskFull;
/** The disk or the file system failed: `{directory, operation, problem}`. */
export const diskFailed: ErrorMaker<DiskDetails> = errors.diskFailed;
/** The engine failed before and refuses to go on: `{failure}`. */
export const storageUnusable: ErrorMaker<UnusableDetails> = errors.storageUnusable;
/** Another session has opened the store: `{store}`. */
export const storeFenced: ErrorMaker<StoreDetails> = errors.storeFenced;
/**
 * What a store durably held is gone: `{store}`. Whoever has promised something by it can not keep that, and must not take part
 * under the same identity any more.
 */
export const storeLost: ErrorMaker<StoreDetails> = errors.storeLost;
/** A write did not reach the storage: `{store, expected, found}`, counted from 1 in a session. */
export const writeLost: ErrorMaker<GapDetails> = errors.writeLost;
/** The storage actor is dead: `{store}`. */
export const storageUnreachable: ErrorMaker<StoreDetails> = errors.storageUnreachable;
/** The writer did not heed `hasRoom`: `{store, outstandingBytes, limitBytes}`. */
export const backlogFull: ErrorMaker<BacklogDetails> = errors.backlogFull;
/** A value, record or chunk is over its limit: `{store, sizeBytes, limitBytes}`. */
export const valueTooLarge: ErrorMaker<SizeDetails> = errors.valueTooLarge;
/** Too many loads and reads wait: `{waiting, limit}`. */
export const readsWaiting: ErrorMaker<WaitingDetails> = errors.readsWaiting;
/** Too many stores are open: `{store, limit}`. */
export const storesOpen: ErrorMaker<StoresDetails> = errors.storesOpen;
/** Another living process holds the data directory: `{directory, pid, lockFile}`. */
export const dataDirectoryInUse: ErrorMaker<InUseDetails> = errors.dataDirectoryInUse;
/** The data directory was made by another cluster, for other nodes or another application, or in another format: `{directory, field, expected, found}`. */
export const dataDirectoryForeign: ErrorMaker<ForeignDetails> = errors.dataDirectoryForeign;
/** The data directory's own files are damaged: `{directory, problem}`. */
export const dataDirectoryCorrupt: ErrorMaker<DirectoryCorruptDetails> = errors.dataDirectoryCorrupt;
/** A fault of the simulated disk can not be as it is told, or has nothing to act on: `{kind, target, problem}`. */
export const diskFaultInvalid: ErrorMaker<DiskFaultDetails> = errors.diskFaultInvalid;
/** More stores would be damaged than the run's fault model allows: `{kind, store, damaged, copiesMax}`. */
export const faultOverBudget: ErrorMaker<BudgetDetails> = errors.faultOverBudget;
