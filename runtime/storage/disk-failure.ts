/** What a failed operation of the disk means. */
import { statfsSync } from "node:fs";
import type { QuorateError } from "../../protocols/core/index.ts";
import { diskFailed, diskFull } from "./errors.ts";

/** System error numbers as LMDB reports them; alike on Linux and macOS, but for the quota's. */
const EIO = 5;
const ENOSPC = 28;
const EDQUOT = process.platform === "darwin" ? 69 : 122;

/**
 * Free space under which an I/O error counts as a full disk. LMDB reports a write that the system has cut short, which is
 * how a disk becomes full, as EIO: seen on a tmpfs of 8 MiB.
 */
const FREE_BYTES_MIN = 1024 * 1024;

/** `disk-full` or `disk-failed`, from what LMDB (with a number) or Node (with a name) has thrown. */
export function failureOf(
	directory: string,
	operation: string,
	cause: unknown,
	freeBytes: (directory: string) => number = freeBytesOf,
): QuorateError {
	const problem = cause instanceof Error ? cause.message : String(cause);
	const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
	const isNamed = code === "ENOSPC" || code === "EDQUOT";
	const full = isNamed || code === ENOSPC || code === EDQUOT || (code === EIO && freeBytes(directory) < FREE_BYTES_MIN);
	return (full ? diskFull : diskFailed)({ directory, operation, problem }, { cause });
}

function freeBytesOf(directory: string): number {
	const { bavail, bsize } = statfsSync(directory);
	return bavail * bsize;
}
