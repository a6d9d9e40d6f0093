/**
 * Goal: the design of lane and wake-up is right, apart from any code: a second opinion beside lane-interleavings.test.ts, which
 * explores the shipped code and could share a mistake with it. Method: Spin explores every interleaving of the model in
 * lane.pml, with a producer that may die at any access, and finds neither a wrong record nor a run on which something does
 * not arrive; and every statement of the model takes part in some run. Bugs that are planted in the model must be refuted.
 * Needs spin and a C compiler; elsewhere it shows as not run.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const model = new URL("./lane.pml", import.meta.url);
/** Bounds of one search; the model needs a tenth of them. */
const DEPTH_MAX = 10_000;
const MEMORY_MIB_MAX = 1024;
const TIMEOUT_MS = 50_000;

function canRun(): boolean {
	try {
		execFileSync("spin", ["-V"], { stdio: "ignore" });
		execFileSync("cc", ["--version"], { stdio: "ignore" });
		return true;
	} catch {
		// One of them is not installed.
		return false;
	}
}

/** What the search of all runs reports. */
function search(bug: string | null): string {
	const directory = mkdtempSync(join(tmpdir(), "quorate-spin-"));
	const run = (program: string, ...args: string[]): string =>
		execFileSync(program, args, { cwd: directory, encoding: "utf8", timeout: TIMEOUT_MS });
	try {
		copyFileSync(model, join(directory, "lane.pml"));
		run("spin", ...(bug === null ? [] : [`-D${bug}`]), "-a", "lane.pml");
		run("cc", "-O0", "-w", `-DMEMLIM=${MEMORY_MIB_MAX}`, "-o", "pan", "pan.c");
		return run(join(directory, "pan"), "-a", `-m${DEPTH_MAX}`);
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

/** Statements that no run has come to. Where a process ends, the claim is fulfilled and the search goes no further. */
function unreached(report: string): string[] {
	return (report.match(/^\s+lane\.pml:\d+, state \d+, .*$/gm) ?? []).filter((line) => !line.endsWith('"-end-"'));
}

describe.runIf(canRun())("in the model of a lane", () => {
	it("all records arrive whole and in order, on every run", () => {
		const report = search(null);
		expect(report).toContain("errors: 0");
		expect(report).not.toMatch(/Search not completed|max search depth too small/);
		expect(report).toContain("unreached in proctype producer");
		expect(unreached(report)).toEqual([]);
	});

	const torn = "assertion violated";
	const stuck = "acceptance cycle";
	const bugs: readonly [bug: string, finding: string][] = [
		["PUBLISH_BEFORE_WRITE", torn],
		["FREE_BEFORE_READ", torn],
		["ANNOUNCE_BEFORE_PUBLISH", stuck],
		["NO_LOOK_BEFORE_SLEEP", stuck],
		["NO_DOORBELL", stuck],
		["NO_ANNOUNCEMENT_OF_A_SUCCESSOR", stuck],
		["NO_LOOK_BEFORE_WAITING_FOR_ROOM", stuck],
		["NO_OFFER_OF_ROOM", stuck],
	];
	it.each(bugs)("%s is refuted: %s", (bug, finding) => {
		const report = search(bug);
		expect(report).toContain("errors: 1");
		expect(report).toContain(finding);
	});
});
