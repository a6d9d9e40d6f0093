/**
 * What durability costs: commits and syncs of the LMDB engine, for groups of 1, 16 and 256 records of 256 bytes, beside a
 * plain append with `fdatasync` of the same bytes on the same disk, in turns. Refuses a file system in memory, where
 * a sync means nothing.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../../protocols/core/index.ts";
import { LmdbEngine } from "../../runtime/storage/lmdb-engine.ts";
import type { BenchRow } from "./row.ts";

const ROUNDS = 5;
const COMMITS_PER_ROUND = 60;
const RECORD_BYTES = 256;
const GROUPS = [1, 16, 256] as const;
/** LMDB syncs the data, then the meta page: see `lmdb-engine.ts`, and `test/threads/lmdb-sync.test.ts` for the proof. */
const SYNCS_PER_COMMIT = 2;

/** Numbers of file systems from Linux' `magic.h`. */
const fileSystems = new Map([
	[0xef53, "ext4"],
	[0x58465342, "xfs"],
	[0x9123683e, "btrfs"],
	[0x794c7630, "overlayfs"],
	[0x6969, "nfs"],
	[0x01021994, "tmpfs"],
	[0x858458f6, "ramfs"],
]);
const inMemory = ["tmpfs", "ramfs"];

export function fileSystemOf(directory: string): string {
	const { type } = statfsSync(directory);
	return fileSystems.get(type) ?? `0x${type.toString(16)}`;
}

export default async function benchStorage(): Promise<readonly BenchRow[]> {
	const directory = mkdtempSync(join(process.env["BENCH_DIRECTORY"] ?? tmpdir(), "quorate-bench-"));
	try {
		const fileSystem = fileSystemOf(directory);
		if (inMemory.includes(fileSystem)) {
			throw new Error(`${directory} is on ${fileSystem}: set BENCH_DIRECTORY to a directory on a disk`);
		}
		const rows: BenchRow[] = [];
		for (const records of GROUPS) rows.push(...(await measure(directory, records, fileSystem)));
		return rows;
	} finally {
		rmSync(directory, { recursive: true });
	}
}

async function measure(directory: string, records: number, fileSystem: string): Promise<readonly BenchRow[]> {
	const engine = LmdbEngine.open(join(directory, `lmdb-${records}`), { clusterId: "bench", nodeIds: ["bench"] });
	const file = openSync(join(directory, `file-${records}`), "w");
	const record = new Uint8Array(RECORD_BYTES).fill(7);
	const group = Array.from({ length: records }, () => record);
	const plain = Buffer.alloc(RECORD_BYTES * records, 7);
	let nextIndex = 1;
	const commit = (): void => {
		let settled = false;
		engine.commit(
			[{ store: "s", operations: [{ type: "append", firstIndex: nextIndex, records: group }] }],
			({ ok }) => {
				settled = ok;
			},
		);
		assert(settled, "the commit has settled");
		nextIndex += records;
	};
	const append = (): void => {
		writeSync(file, plain);
		fdatasyncSync(file);
	};
	const ours: number[] = [];
	const theirs: number[] = [];
	for (let round = 0; round <= ROUNDS; round++) {
		const lmdbMs = timed(commit);
		const fileMs = timed(append);
		// The first round warms up.
		if (round > 0) {
			ours.push(...lmdbMs);
			theirs.push(...fileMs);
		}
	}
	engine.load("s", (outcome) => assert(outcome.ok && outcome.value.records.length === nextIndex - 1, "all is there"));
	await engine.close();
	closeSync(file);
	const p50 = quantile(ours, 0.5);
	const note = `${fileSystem}; p99 ${quantile(ours, 0.99).toFixed(2)} ms; ${ROUNDS} rounds of ${COMMITS_PER_ROUND}`;
	const what = `LMDB commit of ${records} × ${RECORD_BYTES} bytes`;
	return [
		{
			name: `${what}, against append and fdatasync`,
			ours: p50,
			theirs: quantile(theirs, 0.5),
			unit: "ms",
			ratio: p50 / quantile(theirs, 0.5),
			target: null,
			stretch: null,
			better: "lower",
			note,
		},
		{
			name: `${what}: syncs per second`,
			ours: (SYNCS_PER_COMMIT * 1000) / p50,
			unit: "syncs/s",
			target: null,
			stretch: null,
			note: `${fileSystem}; ${SYNCS_PER_COMMIT} syncs per commit, ${Math.round((records * 1000) / p50)} records/s`,
		},
	];
}

/** Milliseconds of each call. */
function timed(run: () => void): number[] {
	return Array.from({ length: COMMITS_PER_ROUND }, () => {
		const startedMs = performance.now();
		run();
		return performance.now() - startedMs;
	});
}

function quantile(values: readonly number[], part: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}
