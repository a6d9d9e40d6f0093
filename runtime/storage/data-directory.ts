/**
 * A data directory: one process's at a time, and one cluster's for ever. The manifest says whose it is and in which
 * format, so that no node ever starts on another's state.
 */
import {
	closeSync,
	existsSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { QuorateError } from "../../protocols/core/index.ts";
import { DirectoryLock } from "./directory-lock.ts";
import { failureOf } from "./disk-failure.ts";
import { dataDirectoryCorrupt, dataDirectoryForeign } from "./errors.ts";

/** Whose directory it is to be. */
export interface DataOwner {
	readonly clusterId: string;
	/**
	 * The nodes that the cluster began with; order does not matter. Those that have joined since, or left, are the
	 * protocol's to know: they are in its own durable state.
	 */
	readonly nodeIds: readonly string[];
	/** What is replicated there: another application could read neither commands nor snapshots. Default: any. */
	readonly application?: string;
}

interface Manifest {
	readonly format: string;
	readonly clusterId: string;
	readonly nodeIds: readonly string[];
	/** Missing in manifests of before it was written down; they are completed. */
	readonly application?: string;
}

/**
 * A directory is begun in this order, so that a start that is cut off can be told from data that were lost:
 * `manifest.json.new` is flushed, the database is made, and only then the manifest gets its name. Hence a manifest
 * without a database is an alarm, and a database beside a draft holds nothing that was ever acknowledged.
 */
const MANIFEST_NAME = "manifest.json";
const DRAFT_NAME = "manifest.json.new";
/** The database of a data directory and the file beside it that LMDB locks. */
export const DATABASE_NAME = "data.mdb";
const DATABASE_LOCK_NAME = "data.mdb-lock";

/** Changes with every change of what is on the disk. */
export const DATA_FORMAT = "quorate-data-2";

export class DataDirectory {
	readonly path: string;
	/** The database is still to be made, and then to be confirmed. */
	readonly isNew: boolean;
	readonly #lock: DirectoryLock;

	private constructor(path: string, isNew: boolean, lock: DirectoryLock) {
		this.path = path;
		this.isNew = isNew;
		this.#lock = lock;
	}

	/**
	 * Makes the directory if it does not exist, locks it and checks whose it is.
	 * @throws QuorateError `data-directory-in-use`, `data-directory-foreign`, `data-directory-corrupt`, `disk-failed`,
	 *   `disk-full`
	 */
	static open(path: string, owner: DataOwner): DataDirectory {
		return asDiskFailure(path, () => {
			makeDirectory(resolve(path));
			refuseForeignContent(path);
			const lock = DirectoryLock.acquire(path);
			try {
				const manifestPath = join(path, MANIFEST_NAME);
				const isNew = !existsSync(manifestPath);
				if (isNew) begin(path, owner);
				else checkManifest(path, readFileSync(manifestPath, "utf8"), owner);
				return new DataDirectory(path, isNew, lock);
			} catch (error) {
				lock.release();
				throw error;
			}
		});
	}

	get databasePath(): string {
		return join(this.path, DATABASE_NAME);
	}

	/** The new database is made: from now on it must be there. @throws QuorateError `disk-failed`, `disk-full` */
	confirm(): void {
		asDiskFailure(this.path, () => {
			renameSync(join(this.path, DRAFT_NAME), join(this.path, MANIFEST_NAME));
			flush(this.path);
		});
	}

	close(): void {
		this.#lock.release();
	}
}

function checkManifest(directory: string, text: string, owner: DataOwner): void {
	const manifest = parseManifest(directory, text);
	refuseUnless(directory, "format", DATA_FORMAT, manifest.format);
	refuseUnless(directory, "cluster-id", owner.clusterId, manifest.clusterId);
	refuseUnless(directory, "node-ids", idList(owner.nodeIds), idList(manifest.nodeIds));
	const { application } = owner;
	if (application === undefined) return;
	if (manifest.application !== undefined) refuseUnless(directory, "application", application, manifest.application);
	else complete(directory, { ...manifest, application });
}

function complete(directory: string, manifest: Manifest): void {
	writeDraft(directory, manifest);
	renameSync(join(directory, DRAFT_NAME), join(directory, MANIFEST_NAME));
	flush(directory);
}

function parseManifest(directory: string, text: string): Manifest {
	try {
		const manifest: unknown = JSON.parse(text);
		if (isManifest(manifest)) return manifest;
	} catch (cause) {
		throw dataDirectoryCorrupt({ directory, problem: `${MANIFEST_NAME} is no JSON` }, { cause });
	}
	throw dataDirectoryCorrupt({ directory, problem: `${MANIFEST_NAME} does not tell format, clusterId and nodeIds` });
}

function isManifest(value: unknown): value is Manifest {
	if (typeof value !== "object" || value === null) return false;
	const { format, clusterId, nodeIds, application } = value as Partial<Record<keyof Manifest, unknown>>;
	return (
		typeof format === "string" &&
		typeof clusterId === "string" &&
		Array.isArray(nodeIds) &&
		nodeIds.every((id) => typeof id === "string") &&
		(application === undefined || typeof application === "string")
	);
}

function refuseUnless(directory: string, field: string, expected: string, found: string): void {
	if (expected !== found) throw dataDirectoryForeign({ directory, field, expected, found });
}

function idList(ids: readonly string[]): string {
	return [...ids].sort().join(", ");
}

/**
 * A directory that holds other things is not taken for ours; one with a manifest, or with what a start left that was cut
 * off, is. Asked before the lock too, so that nothing is left behind in a directory that is refused. There another
 * process may be at its own start, so the draft is looked for before the manifest that it becomes, and both afterwards.
 */
function refuseForeignContent(directory: string): void {
	const found = readdirSync(directory).find((name) => !name.startsWith("lock-"));
	if (found === undefined) return;
	if (existsSync(join(directory, DRAFT_NAME)) || existsSync(join(directory, MANIFEST_NAME))) return;
	throw dataDirectoryForeign({ directory, field: "content", expected: "an empty directory", found });
}

function begin(directory: string, owner: DataOwner): void {
	refuseForeignContent(directory);
	const own = existsSync(join(directory, DRAFT_NAME)) ? [DRAFT_NAME, DATABASE_NAME, DATABASE_LOCK_NAME] : [];
	for (const name of own) rmSync(join(directory, name), { force: true });
	const { clusterId, nodeIds, application } = owner;
	const known = application === undefined ? {} : { application };
	writeDraft(directory, { format: DATA_FORMAT, clusterId, nodeIds: [...nodeIds].sort(), ...known });
}

function writeDraft(directory: string, manifest: Manifest): void {
	const draft = join(directory, DRAFT_NAME);
	writeFileSync(draft, `${JSON.stringify(manifest, null, "\t")}\n`);
	flush(draft);
	flush(directory);
}

/**
 * Makes a directory and those above it that are missing. Not `mkdir`'s own recursion: on Node 20 that never ends where a
 * parent exists in which nothing can be made (`/proc`), and it calls a read-only file system a missing file.
 */
function makeDirectory(path: string): void {
	if (isDirectory(path)) return;
	if (existsSync(path)) throw new Error("it is not a directory");
	const parent = dirname(path);
	if (parent !== path) makeDirectory(parent);
	try {
		mkdirSync(path);
	} catch (error) {
		// Somebody else has made it meanwhile.
		if (!isDirectory(path)) throw error;
	}
}

function isDirectory(path: string): boolean {
	return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function flush(path: string): void {
	const file = openSync(path, "r");
	try {
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

function asDiskFailure<T>(directory: string, run: () => T): T {
	try {
		return run();
	} catch (cause) {
		if (cause instanceof QuorateError) throw cause;
		throw failureOf(directory, "open", cause);
	}
}
