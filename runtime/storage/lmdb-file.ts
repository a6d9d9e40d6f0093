/**
 * Looks at the head of a database file before LMDB does. lmdb 3.5.6 begins an empty file anew, as if nothing had ever been
 * written, ends the process with a segmentation fault when it opens a file that is no database, and with SIGBUS when it reads
 * what was cut off; all three seen.
 *
 * The head is two meta pages (`mdb.c`, `MDB_meta`), written in turn, of which the one with the later transaction counts; offsets
 * from the start of the page: 24 magic, 28 version in the low 16 bits, 48 page size, all uint32; 88 and 136 the roots of the
 * free list and of the main tree, 144 the last used page, 152 the transaction, all uint64; in the byte order of the machine.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { endianness } from "node:os";
import { dataDirectoryCorrupt } from "./errors.ts";
import { type DatabaseExtent, lacksPages } from "./lmdb-pages.ts";

const META_BYTES = 160;
const MAGIC_OFFSET = 24;
const VERSION_OFFSET = 28;
const PAGE_SIZE_OFFSET = 48;
const ROOT_OFFSETS = [88, 136] as const;
const LAST_PAGE_OFFSET = 144;
const TRANSACTION_OFFSET = 152;
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
		const second = readMeta(file, pageBytes);
		if (second?.pageBytes !== pageBytes) return "has a damaged head";
		const latest = first.transaction > second.transaction ? first : second;
		return lacksPages(file, fstatSync(file).size, latest) ? "is cut off: pages that it refers to are missing" : null;
	} finally {
		closeSync(file);
	}
}

interface Meta extends DatabaseExtent {
	readonly transaction: bigint;
}

function readMeta(file: number, at: number): Meta | null {
	const bytes = Buffer.alloc(META_BYTES);
	if (readSync(file, bytes, 0, META_BYTES, at) < META_BYTES) return null;
	const word = (offset: number): number =>
		endianness() === "LE" ? bytes.readUInt32LE(offset) : bytes.readUInt32BE(offset);
	if (word(MAGIC_OFFSET) !== MAGIC || (word(VERSION_OFFSET) & 0xffff) !== VERSION) return null;
	const long = (offset: number): bigint =>
		endianness() === "LE" ? bytes.readBigUInt64LE(offset) : bytes.readBigUInt64BE(offset);
	return {
		pageBytes: word(PAGE_SIZE_OFFSET),
		roots: ROOT_OFFSETS.map(long),
		lastPage: long(LAST_PAGE_OFFSET),
		transaction: long(TRANSACTION_OFFSET),
	};
}
