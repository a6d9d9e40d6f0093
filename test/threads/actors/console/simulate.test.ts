/**
 * Goal: `quorate simulate` as its user meets it: seeds spread over threads, the same fingerprints in any process, and exit
 * codes. Method: runs the built program, in processes that differ in everything a run must not depend on.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { projectRoot } from "../../../source-tree.ts";

const main = join(projectRoot, "dist", "actors", "console", "main.js");

interface Outcome {
	readonly exitCode: number;
	readonly output: string;
	readonly errors: string;
}

function quorate(args: readonly string[], nodeOptions: readonly string[] = [], env = {}): Promise<Outcome> {
	return new Promise((resolve) => {
		execFile(
			process.execPath,
			[...nodeOptions, main, ...args],
			{ env: { ...process.env, ...env }, maxBuffer: 2 ** 26 },
			(error, output, errors) => resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output, errors }),
		);
	});
}

test("seeds have the same fingerprints in another process, time zone, order and with other random numbers", async () => {
	const args = ["simulate", "--seeds", "1..4", "--for", "3s", "--json"];
	const one = await quorate([...args, "--threads", "1"]);
	const other = await quorate([...args, "--threads", "2"], ["--random_seed=7"], {
		TZ: "Asia/Kathmandu",
		LANG: "tr_TR",
	});
	expect([one.exitCode, other.exitCode, one.errors, other.errors]).toEqual([0, 0, "", ""]);
	const traces = (outcome: Outcome): unknown => JSON.parse(outcome.output).traces;
	expect(traces(other)).toEqual(traces(one));
	expect(new Set(JSON.parse(one.output).traces.map(({ traceHash }: { traceHash: string }) => traceHash)).size).toBe(4);
}, 180_000);

test("wrong calls and malformed files exit 2 with one line", async () => {
	const unknown = await quorate(["simulate", "--faults", "kil"]);
	expect(unknown.exitCode).toBe(2);
	expect(unknown.errors).toBe(
		"quorate: experiment-unsupported: the engine simulation has no fault kil (did you mean kill?)\n",
	);
	const missing = await quorate(["chaos", "run", "none.yaml"]);
	expect(missing.exitCode).toBe(2);
	expect(missing.errors).toMatch(/^quorate: experiment-unreadable: can not read none\.yaml: [^\n]*\n$/);
}, 60_000);
