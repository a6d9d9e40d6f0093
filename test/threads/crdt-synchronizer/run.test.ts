/**
 * Goal: `quorate run --protocol crdt` on threads, as a user runs it: a trace of one's own, the result as one object (CRDT-30).
 * Method: the built program in a process of its own. Nothing is killed in the run that has to succeed: when a thread is back is not for a
 * test to say; kills under edits are in replica-group.test.ts and in the command's own runs.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../source-tree.ts";

interface Result {
	readonly exitCode: number;
	readonly output: string;
}

function run(...args: readonly string[]): Promise<Result> {
	const program = join(projectRoot, "dist", "actors", "console", "main.js");
	const given = [program, "run", "--protocol", "crdt", "--storage", "memory", "--nodes", "2", ...args];
	return new Promise((resolve) => {
		execFile(process.execPath, given, (error, stdout, stderr) => {
			resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr });
		});
	});
}

test("a run of replicas plays a trace, and converges", async () => {
	const directory = await mkdtemp(join(tmpdir(), "quorate-crdt-run-"));
	try {
		const trace = join(directory, "trace.json");
		const txns = Array.from({ length: 200 }, (_unused, at) => ({ patches: [[at, at % 3 === 0 ? 1 : 0, "ab"]] }));
		await writeFile(trace, JSON.stringify({ txns }));
		const calm = await run("--input", trace, "--rate", "max", "--kill", "off", "--cut", "off", "--json");
		expect(JSON.parse(calm.output)).toMatchObject({
			verdict: "converged",
			exitCode: 0,
			edits: { acknowledged: 200, unresolved: 0, refused: 0 },
			lost: {},
			faults: [],
		});
		expect(calm.exitCode).toBe(0);
	} finally {
		await rm(directory, { recursive: true });
	}
});
