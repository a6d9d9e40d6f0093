/** One copy of the tree and the processes that make attempts in it. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import type { Attempt, Outcome, Trial } from "./attempt.ts";
import type { Mutation } from "./mutation.ts";
import { TreeCopy } from "./tree-copy.ts";

/** What plants bugs and makes attempts at noticing them. */
export interface Laboratory {
	/** Plants a bug, in place of the one before. @throws Error if it can not be planted */
	plant(mutation: Mutation): Promise<void>;
	/** Takes the planted bug out. */
	restore(): void;
	/** Makes attempts in their order, until one notices something or `signal` is aborted. */
	try(attempts: Iterable<Attempt>, signal?: AbortSignal): Promise<readonly Trial[]>;
	close(): void;
}

/** A mutant may hang instead of failing, which is noticed too; on its own an attempt takes seconds. */
export const ATTEMPT_TIMEOUT_MS = 180_000;
/** A mutant may fill its heap; that is noticed as well. */
const HEAP_LIMIT_MB = 2_048;
/** What is kept of what a process says when it dies. */
const LAST_WORDS_MAX = 2_000;
const UNIT_REPORT = "unit-report.json";

export class TreeLaboratory implements Laboratory {
	readonly #tree: TreeCopy;
	#performer: Performer | null = null;

	/** @param root a tree that is built */
	constructor(root: string) {
		this.#tree = new TreeCopy(root);
	}

	get directory(): string {
		return this.#tree.directory;
	}

	async plant(mutation: Mutation): Promise<void> {
		this.restore();
		await this.#tree.plant(mutation);
	}

	restore(): void {
		// A process keeps the modules that it has loaded.
		this.#performer?.end();
		this.#performer = null;
		this.#tree.restore();
	}

	async try(attempts: Iterable<Attempt>, signal?: AbortSignal): Promise<readonly Trial[]> {
		const trials: Trial[] = [];
		for (const attempt of attempts) {
			if (signal?.aborted === true) break;
			const startMs = performance.now();
			const outcome = await (attempt[0] === "unit" ? this.#runUnitTests(attempt) : this.#perform(attempt));
			trials.push({ attempt, outcome, elapsedMs: performance.now() - startMs });
			if (outcome.isNoticed) break;
		}
		return trials;
	}

	close(): void {
		this.#performer?.end();
		this.#tree.remove();
	}

	async #perform(attempt: Attempt): Promise<Outcome> {
		this.#performer ??= new Performer(this.#tree.directory);
		const outcome = await this.#performer.perform(attempt);
		if (!this.#performer.isAlive) this.#performer = null;
		return outcome;
	}

	async #runUnitTests([, place = "", name]: Attempt): Promise<Outcome> {
		const { directory } = this.#tree;
		const report = join(directory, UNIT_REPORT);
		rmSync(report, { force: true });
		const only = name === undefined ? [] : ["-t", `^${escapePattern(name)}$`];
		const vitest = join(directory, "node_modules", "vitest", "vitest.mjs");
		const args = ["run", "--project", "pure", "--bail", "1", "--reporter", "json", "--outputFile", report];
		const child = spawn(process.execPath, [vitest, ...args, ...only, ...place.split(",")], {
			cwd: directory,
			timeout: ATTEMPT_TIMEOUT_MS,
			stdio: "ignore",
		});
		const status = await new Promise<number | null>((resolve) => child.on("exit", resolve));
		if (status === null) return hangs("the tests");
		return unitOutcome(JSON.parse(readFileSync(report, "utf8")) as UnitReport, directory);
	}
}

interface UnitReport {
	readonly numPassedTests: number;
	readonly testResults: readonly {
		readonly name: string;
		readonly status: string;
		readonly message?: string;
		readonly assertionResults: readonly {
			readonly status: string;
			readonly fullName: string;
			readonly failureMessages?: readonly string[];
		}[];
	}[];
}

function unitOutcome({ numPassedTests, testResults }: UnitReport, directory: string): Outcome {
	const failed = testResults.flatMap(({ name: file, assertionResults }) =>
		assertionResults.filter(({ status }) => status === "failed").map((test) => ({ file, ...test })),
	);
	const [first] = failed;
	const effort = `${numPassedTests + failed.length} ${numPassedTests + failed.length === 1 ? "test" : "tests"}`;
	if (first === undefined) {
		const unloaded = testResults.find(({ status }) => status === "failed");
		if (unloaded !== undefined) {
			const by = `${relative(directory, unloaded.name)} can not be loaded`;
			return { isNoticed: true, by, reason: firstLine(unloaded.message ?? ""), effort };
		}
		// A test that is not there any more notices nothing.
		return { isNoticed: false, by: "", reason: numPassedTests === 0 ? "no such test" : "", effort };
	}
	const { file, fullName, failureMessages } = first;
	const reason = firstLine(failureMessages?.[0] ?? "");
	return { isNoticed: true, by: fullName, reason, effort, narrower: ["unit", relative(directory, file), fullName] };
}

function firstLine(text: string): string {
	return text.split("\n", 1)[0] ?? "";
}

function escapePattern(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function hangs(what: string): Outcome {
	return { isNoticed: true, by: "hangs", reason: `${what} did not end within ${ATTEMPT_TIMEOUT_MS} ms`, effort: "" };
}

/** The child process in the copy. */
class Performer {
	readonly #child: ChildProcess;
	#lastWords = "";
	isAlive = true;
	#isReady = false;
	#settle: ((outcome: Outcome) => void) | null = null;

	constructor(directory: string) {
		this.#child = fork(join(directory, "dist", "test", "mutations", "perform.js"), {
			cwd: directory,
			execArgv: [`--max-old-space-size=${HEAP_LIMIT_MB}`],
			stdio: ["ignore", "ignore", "pipe", "ipc"],
		});
		this.#child.stderr?.setEncoding("utf8");
		this.#child.stderr?.on("data", (text: string) => {
			this.#lastWords = `${this.#lastWords}${text}`.slice(-LAST_WORDS_MAX);
		});
		this.#child.on("message", (message: { readonly type: string; readonly outcome?: Outcome }) => {
			if (message.outcome === undefined) this.#isReady = true;
			else this.#end(message.outcome);
		});
		this.#child.on("close", (code, signal) => {
			this.isAlive = false;
			const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
			// What can not even be loaded is no mutant.
			const kind = this.#isReady ? "the process died" : "SyntaxError or the like: nothing could be loaded";
			this.#end({ isNoticed: true, by: kind, reason: `${how}: ${this.#lastWords.trim()}`, effort: "" });
		});
	}

	async perform(attempt: Attempt): Promise<Outcome> {
		const outcome = new Promise<Outcome>((resolve) => {
			this.#settle = resolve;
		});
		const timer = setTimeout(() => {
			this.#end(hangs(attempt[0]));
			this.end();
		}, ATTEMPT_TIMEOUT_MS);
		if (this.isAlive) this.#child.send(attempt);
		try {
			return await outcome;
		} finally {
			clearTimeout(timer);
		}
	}

	end(): void {
		this.isAlive = false;
		this.#child.kill("SIGKILL");
	}

	#end(outcome: Outcome): void {
		this.#settle?.(outcome);
		this.#settle = null;
	}
}
