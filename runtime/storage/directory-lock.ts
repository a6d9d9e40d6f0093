/**
 * One process at a time in a data directory.
 *
 * Node has no advisory file locks, and those that LMDB takes itself can not be asked about, so the lock is a chain of
 * files `lock-1`, `lock-2`, … of which the highest counts. It names the process that made it (see `process-identity.ts`).
 *
 * 1. A lock file appears whole: it is written under another name and hard-linked to its own, which fails if that exists.
 * 2. Number n + 1 may be made only by a process that has seen that the maker of n is dead or has released it. Neither is
 *    ever undone.
 * 3. Only numbers below n are removed, and only by the maker of n. So the highest is always there.
 * 4. A number may be made twice only if its first file was removed, hence while a higher one is there (3). So who has made
 *    a number looks again, and withdraws if there is a higher one.
 * Therefore each number that stands as the highest has one maker, and while that lives and has not released it, nobody
 * else gets past it.
 *
 * Not covered: machines that share a directory over a network (LMDB forbids that too).
 */
import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { dataDirectoryInUse } from "./errors.ts";
import { ownIdentity, type ProcessIdentity, stateOf } from "./process-identity.ts";

interface LockRecord extends ProcessIdentity {
	readonly released: boolean;
}

const lockName = /^lock-([1-9][0-9]*)$/;
/** Tries while others come and go; each failed one means that another process has just got or released the lock. */
const LOCK_TRIES_MAX = 16;

export class DirectoryLock {
	readonly #directory: string;
	readonly #number: number;

	/** Use {@link acquire}. */
	private constructor(directory: string, number: number) {
		this.#directory = directory;
		this.#number = number;
	}

	/** @throws QuorateError `data-directory-in-use` */
	static acquire(directory: string): DirectoryLock {
		for (let tries = 1; ; tries++) {
			const number = highestNumber(directory) + 1;
			if (number === 1 || isFree(directory, number - 1)) {
				if (makeLock(directory, number, false)) {
					if (highestNumber(directory) === number) {
						removeBelow(directory, number);
						return new DirectoryLock(directory, number);
					}
					rmSync(lockPath(directory, number), { force: true });
				}
			}
			if (tries === LOCK_TRIES_MAX) throw heldBy(directory, number, null);
		}
	}

	/** Lets others in. The end of the process does the same. */
	release(): void {
		makeLock(this.#directory, this.#number + 1, true);
		removeBelow(this.#directory, this.#number + 1);
	}
}

function lockNumbers(directory: string): number[] {
	const numbers: number[] = [];
	for (const name of readdirSync(directory)) {
		const match = lockName.exec(name);
		if (match !== null) numbers.push(Number(match[1]));
	}
	return numbers;
}

function highestNumber(directory: string): number {
	return Math.max(0, ...lockNumbers(directory));
}

/**
 * False: it was removed meanwhile by the maker of a higher number, which the next try sees.
 * @throws QuorateError `data-directory-in-use`
 */
function isFree(directory: string, number: number): boolean {
	const record = readLock(directory, number);
	if (record === "gone") return false;
	if (record !== "unreadable" && record.released) return true;
	const state = record === "unreadable" ? "unknown" : stateOf(record);
	if (state === "dead") return true;
	throw heldBy(directory, number, record === "unreadable" || state === "unknown" ? null : record.pid);
}

function heldBy(directory: string, number: number, pid: number | null): Error {
	return dataDirectoryInUse({ directory, pid, lockFile: lockPath(directory, number) });
}

function readLock(directory: string, number: number): LockRecord | "gone" | "unreadable" {
	let text: string;
	try {
		text = readFileSync(lockPath(directory, number), "utf8");
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "ENOENT") return "gone";
		throw error;
	}
	try {
		const record: unknown = JSON.parse(text);
		const whole = typeof record === "object" && record !== null && "pid" in record && "released" in record;
		return whole ? (record as LockRecord) : "unreadable";
	} catch {
		// Not written by us, or damaged: held by somebody unknown, until a person removes it.
		return "unreadable";
	}
}

/** True if this process made the file; false if it was there. */
function makeLock(directory: string, number: number, released: boolean): boolean {
	const record: LockRecord = { ...ownIdentity(), released };
	const path = lockPath(directory, number);
	const draft = `${path}.${record.pid}.${threadId}`;
	writeFileSync(draft, JSON.stringify(record));
	try {
		linkSync(draft, path);
		return true;
	} catch (error) {
		if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
		throw error;
	} finally {
		rmSync(draft, { force: true });
	}
}

function removeBelow(directory: string, number: number): void {
	for (const other of lockNumbers(directory)) {
		if (other < number) rmSync(lockPath(directory, other), { force: true });
	}
}

function lockPath(directory: string, number: number): string {
	return join(directory, `lock-${number}`);
}
