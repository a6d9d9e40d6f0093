/**
 * Whether all pages are there that a database refers to. LMDB maps its file and reads what lies beyond its end as it would
 * read the rest: the process then dies of SIGBUS without a word (lmdb 3.5.6, seen with a file that was cut off).
 *
 * A file that is shorter than its last used page says need not be damaged, since pages that were taken and given back in one
 * transaction are never written (`mdb.c`, `mm_last_pg`). So the trees are walked, which costs a look at each of their pages;
 * only where the file is too short. Offsets and flags are those of `MDB_page_header`, `MDB_node`, `MDB_db`, `MDB_ovpage`.
 */
import { readSync } from "node:fs";
import { endianness } from "node:os";

/** What a meta page says of the pages. */
export interface DatabaseExtent {
	readonly pageBytes: number;
	/** The trees' first pages; all bits set for an empty tree. */
	readonly roots: readonly bigint[];
	readonly lastPage: bigint;
}

const NO_PAGE = 2n ** 64n - 1n;

/** Offsets in a page count from behind its header (`PAGEBASE`). */
const HEADER_BYTES = 24;
const FLAGS_OFFSET = 18;
const LOWER_OFFSET = 20;
const PAGE_BRANCH = 0x01;
const PAGE_LEAF = 0x02;
const NODE_BYTES = 8;
const NODE_BIG_DATA = 0x01;
const NODE_SUB_DATABASE = 0x02;
/** In `MDB_ovpage`. */
const OVERFLOW_PAGES_OFFSET = 16;
/** In `MDB_db`. */
const ROOT_OFFSET = 40;

/** True if a page that something refers to lies, wholly or in part, beyond the end of a file of this size. */
export function lacksPages(file: number, sizeBytes: number, { pageBytes, roots, lastPage }: DatabaseExtent): boolean {
	const pages = BigInt(Math.floor(sizeBytes / pageBytes));
	if (lastPage < pages) return false;
	const page = Buffer.alloc(pageBytes);
	const waiting = roots.filter((root) => root !== NO_PAGE);
	// A tree has no page twice; a damaged one must not hold us for ever.
	for (let seen = 0n; seen < pages; seen++) {
		const next = waiting.pop();
		if (next === undefined) return false;
		if (next >= pages) return true;
		readSync(file, page, 0, pageBytes, Number(next) * pageBytes);
		if (!follow(page, waiting, pages)) return true;
	}
	return waiting.some((next) => next >= pages);
}

/** Adds the pages that a page refers to; false if data of its own lie beyond the last page. */
function follow(page: Buffer, waiting: bigint[], pages: bigint): boolean {
	const flags = uint16(page, FLAGS_OFFSET);
	if ((flags & (PAGE_BRANCH | PAGE_LEAF)) === 0) return true;
	const end = Math.min(HEADER_BYTES + uint16(page, LOWER_OFFSET), page.length);
	for (let at = HEADER_BYTES; at + 2 <= end; at += 2) {
		const node = HEADER_BYTES + uint16(page, at);
		if (node + NODE_BYTES > page.length) continue;
		if ((flags & PAGE_BRANCH) !== 0) {
			waiting.push(BigInt(lowWord(page, node)) + (BigInt(uint16(page, node + 4)) << 32n));
			continue;
		}
		const nodeFlags = uint16(page, node + 4);
		const data = node + NODE_BYTES + uint16(page, node + 6);
		if ((nodeFlags & NODE_BIG_DATA) !== 0 && data + OVERFLOW_PAGES_OFFSET + 8 <= page.length) {
			if (uint64(page, data) + uint64(page, data + OVERFLOW_PAGES_OFFSET) > pages) return false;
		} else if ((nodeFlags & NODE_SUB_DATABASE) !== 0 && data + ROOT_OFFSET + 8 <= page.length) {
			const root = uint64(page, data + ROOT_OFFSET);
			if (root !== NO_PAGE) waiting.push(root);
		}
	}
	return true;
}

const isLittle = endianness() === "LE";

/** The two halves `mn_lo` and `mn_hi`, which stand in the order of the machine. */
function lowWord(page: Buffer, at: number): number {
	return isLittle ? page.readUInt32LE(at) : page.readUInt32BE(at);
}

function uint16(page: Buffer, at: number): number {
	return isLittle ? page.readUInt16LE(at) : page.readUInt16BE(at);
}

function uint64(page: Buffer, at: number): bigint {
	return isLittle ? page.readBigUInt64LE(at) : page.readBigUInt64BE(at);
}
