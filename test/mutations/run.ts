/**
 * The mutation gate: plants one bug after the other in a temporary copy of the tree and runs the tests that must notice.
 * The unmutated copy must pass the same run first. A bug that nobody notices is a gap in the tests, and the run fails.
 *
 * `npm run mutations -- raft [NAME …]`; a few seconds per bug, so it is no part of `npm test`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutation, mutate } from "./mutation.ts";
import { pbftMutations } from "./pbft.ts";
import { raftMutations } from "./raft.ts";

interface Suite {
	readonly mutations: readonly Mutation[];
	/** The tests that must notice, as a filter of vitest. */
	readonly tests: string;
}

const suites: Readonly<Record<string, Suite>> = {
	raft: { mutations: raftMutations, tests: "test/protocols/raft" },
	pbft: { mutations: pbftMutations, tests: "test/protocols/pbft" },
};
/** A mutant may hang instead of failing; that counts as noticed. */
const RUN_TIMEOUT_MS = 300_000;
const root = fileURLToPath(new URL("../../../", import.meta.url));
const leftOut = ["node_modules", "dist", ".git"];

process.exitCode = main(process.argv[2], process.argv.slice(3));

function main(suiteName: string | undefined, names: readonly string[]): number {
	const suite = suites[suiteName ?? ""];
	if (suite === undefined) {
		console.error(`which suite? there are: ${Object.keys(suites).join(", ")}`);
		return 2;
	}
	const unknown = names.filter((name) => !suite.mutations.some((mutation) => mutation.name === name));
	if (unknown.length > 0) {
		console.error(`no such mutation: ${unknown.join(", ")}`);
		return 2;
	}
	const copy = mkdtempSync(join(tmpdir(), "quorate-mutations-"));
	try {
		for (const name of readdirSync(root)) {
			if (!leftOut.includes(name)) cpSync(join(root, name), join(copy, name), { recursive: true });
		}
		symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "dir");
		return runSuite(copy, suite, names);
	} finally {
		rmSync(copy, { recursive: true, force: true });
	}
}

function runSuite(copy: string, suite: Suite, names: readonly string[]): number {
	if (!passes(copy, suite.tests)) {
		console.error("the unmutated copy does not pass its tests");
		return 1;
	}
	const planted = suite.mutations.filter(({ name }) => names.length === 0 || names.includes(name));
	const survivors = planted.filter((mutation) => {
		const file = join(copy, mutation.file);
		const source = readFileSync(file, "utf8");
		writeFileSync(file, mutate(source, mutation));
		const survived = passes(copy, suite.tests);
		writeFileSync(file, source);
		console.log(`${survived ? "SURVIVED" : "killed  "}  ${mutation.name}: ${mutation.bug}`);
		return survived;
	});
	console.log(`${planted.length - survivors.length} of ${planted.length} planted bugs were noticed`);
	return survivors.length === 0 ? 0 : 1;
}

function passes(copy: string, tests: string): boolean {
	const vitest = join(copy, "node_modules", "vitest", "vitest.mjs");
	const args = [vitest, "run", "--project", "pure", "--bail", "1", tests];
	return spawnSync(process.execPath, args, { cwd: copy, timeout: RUN_TIMEOUT_MS, stdio: "ignore" }).status === 0;
}
