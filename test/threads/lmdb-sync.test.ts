/**
 * Goal: a commit of the LMDB engine is on the disk, not only in the page cache, before it is reported. Method: the system calls
 * of a writing process under strace. Between the request and each `flushed` there must be, in this order, a successful
 * `fdatasync` of the database and a write of its meta page through a descriptor opened with O_DSYNC, which returns only
 * when that page is on the disk too. Needs strace and the right to trace (Linux); elsewhere it shows as not run.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

const writer = new URL("../../dist/test/fixtures/storage-writer.js", import.meta.url).pathname;
const COMMITS = 20;

function canTrace(): boolean {
	try {
		execFileSync("strace", ["-e", "trace=none", process.execPath, "--version"], { stdio: "ignore" });
		return true;
	} catch {
		// Not installed, or tracing is forbidden here.
		return false;
	}
}

it.runIf(canTrace())("syncs data and meta page before each commit is reported", () => {
	const directory = mkdtempSync(join(tmpdir(), "quorate-sync-"));
	try {
		const trace = join(directory, "trace");
		const calls = "trace=openat,write,pwrite64,pwritev,fdatasync,fsync,msync";
		const program = [process.execPath, writer, join(directory, "data"), "write", String(COMMITS)];
		execFileSync("strace", ["-f", "-y", "-e", calls, "-o", trace, ...program], { stdio: "ignore", timeout: 30_000 });
		expectSynced(readFileSync(trace, "utf8").split("\n"));
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
});

/** Goes through the calls in order; each report must have seen a data sync and then a synchronous meta write. */
function expectSynced(lines: readonly string[]): void {
	const synchronous = new Set<string>();
	let reports = 0;
	let dataSynced = false;
	let metaSynced = false;
	for (const line of lines) {
		const opened = /openat\(.*data\.mdb", .*O_DSYNC.*\) = (\d+)</.exec(line);
		if (opened !== null) synchronous.add(opened[1] ?? "");
		if (/fdatasync\(\d+<[^>]*data\.mdb>\) += 0/.test(line)) dataSynced = true;
		const written = /pwrite64\((\d+)<[^>]*data\.mdb>/.exec(line);
		if (written !== null && synchronous.has(written[1] ?? "")) metaSynced = dataSynced;
		if (!line.includes('"flushed ')) continue;
		expect({ line, dataSynced, metaSynced }).toEqual({ line, dataSynced: true, metaSynced: true });
		reports += 1;
		dataSynced = false;
		metaSynced = false;
	}
	expect(reports).toBe(COMMITS);
}
