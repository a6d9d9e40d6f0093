/**
 * Looks at the head of a database file before LMDB does. lmdb 3.5.6 begins an empty file anew, as if nothing had ever been
 * written, and ends the process with a segmentation fault when it opens a file that is no database; both seen.
 *
 * The head is two meta pages (`mdb.c`, `MDB_meta`), written in turn; offsets from the start of the page:
 * 24 magic, 28 version in the low 16 bits, 48 page size, all uint32 in the byte order of the machine.
 */
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { dataDirectoryCorrupt } from "./errors.ts";

const META_BYTES = 64;
const MAGIC_OFFSET = 24;
const VERSION_OFFSET = 28;
const PAGE_SIZE_OFFSET = 48;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
const PAGE_BYTES_MIN = 512;
const PAGE_BYTES_MAX = 65_536;

/** @throws QuorateError `data-directory-corrupt` */
export function checkDatabaseFile(directory: string, path: string): void {
	const problem = problemOf(path);
	if (problem !== null) throw dataDirectoryCorrupt({ directory, problem: `${path} ${problem}` });
}

function problemOf(path: string): string | null {
	if (!existsSync(path)) return "is missing, though it was there";
	const file = openSync(path, "r");
	try {
		const first = readMeta(file, 0);
		if (first === null) return "does not begin as a database";
		const { pageBytes } = first;
		if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX) return "names an impossible page size";
		return readMeta(file, pageBytes)?.pageBytes === pageBytes ? null : "has a damaged head";
	} finally {
		closeSync(file);
	}
}

function readMeta(file: number, at: number): { readonly pageBytes: number } | null {
	const bytes = Buffer.alloc(META_BYTES);
	if (readSync(file, bytes, 0, META_BYTES, at) < META_BYTES) return null;
	const word = (offset: number): number =>
		endianness() === "LE" ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
	if (word(MAGIC_OFFSET) !== MAGIC || (word(VERSION_OFFSET) & 0xffff) !== VERSION) return null;
	return { pageBytes: word(PAGE_SIZE_OFFSET) };
}
