/** One copy of the tree and the processes that make attempts in it. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { Attempt, Outcome, Trial } from "./attempt.ts";
import type { Mutation } from "./mutation.ts";
import type { FileChanged } from "./perform-unit.ts";
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

export class TreeLaboratory implements Laboratory {
	readonly #tree: TreeCopy;
	readonly #tools: Performer;
	/** Kept over mutants: it is told which file has changed. */
	readonly #tests: Performer;

	/** @param root a tree that is built */
	constructor(root: string) {
		this.#tree = new TreeCopy(root);
		this.#tools = new Performer(this.directory, "perform.js");
		this.#tests = new Performer(this.directory, "perform-unit.js");
	}

	get directory(): string {
		return this.#tree.directory;
	}

	async plant(mutation: Mutation): Promise<void> {
		this.restore();
		await this.#tree.plant(mutation);
		this.#tests.tell({ changed: mutation.file } satisfies FileChanged);
	}

	restore(): void {
		// A process keeps the modules that it has loaded.
		this.#tools.end();
		for (const changed of this.#tree.restore()) this.#tests.tell({ changed } satisfies FileChanged);
	}

	async try(attempts: Iterable<Attempt>, signal?: AbortSignal): Promise<readonly Trial[]> {
		const trials: Trial[] = [];
		for (const attempt of attempts) {
			if (signal?.aborted === true) break;
			const startMs = performance.now();
			const performer = attempt[0] === "unit" ? this.#tests : this.#tools;
			const outcome = await performer.perform(attempt);
			trials.push({ attempt, outcome, elapsedMs: performance.now() - startMs });
			if (outcome.isNoticed) break;
		}
		return trials;
	}

	close(): void {
		this.#tools.end();
		this.#tests.end();
		this.#tree.remove();
	}
}

function hangs(what: string): Outcome {
	return { isNoticed: true, by: "hangs", reason: `${what} did not end within ${ATTEMPT_TIMEOUT_MS} ms`, effort: "" };
}

/** A child process in the copy, started when it is needed. */
class Performer {
	readonly #directory: string;
	readonly #module: string;
	#child: ChildProcess | null = null;
	#lastWords = "";
	#isReady = false;
	#settle: ((outcome: Outcome) => void) | null = null;

	/** @param module among the built ones of this folder */
	constructor(directory: string, module: string) {
		this.#directory = directory;
		this.#module = module;
	}

	async perform(attempt: Attempt): Promise<Outcome> {
		const outcome = new Promise<Outcome>((resolve) => {
			this.#settle = resolve;
		});
		const timer = setTimeout(() => {
			this.#end(hangs(attempt[0]));
			this.end();
		}, ATTEMPT_TIMEOUT_MS);
		this.#child ??= this.#start();
		this.#child.send(attempt);
		try {
			return await outcome;
		} finally {
			clearTimeout(timer);
		}
	}

	/** Says something to the process, if there is one. */
	tell(message: FileChanged): void {
		if (this.#child?.connected === true) this.#child.send(message);
	}

	/** Ends the process, whatever it does. */
	end(): void {
		this.#child?.kill("SIGKILL");
		this.#child = null;
	}

	#start(): ChildProcess {
		const child = fork(join(this.#directory, "dist", "test", "mutations", this.#module), {
			cwd: this.#directory,
			execArgv: [`--max-old-space-size=${HEAP_LIMIT_MB}`],
			stdio: ["ignore", "ignore", "pipe", "ipc"],
		});
		this.#isReady = false;
		this.#lastWords = "";
		child.stderr?.setEncoding("utf8");
		child.stderr?.on("data", (text: string) => {
			this.#lastWords = `${this.#lastWords}${text}`.slice(-LAST_WORDS_MAX);
		});
		child.on("message", (message: { readonly type: string; readonly outcome?: Outcome }) => {
			if (child !== this.#child) return;
			if (message.outcome === undefined) this.#isReady = true;
			else this.#end(message.outcome);
		});
		child.on("close", (code, signal) => {
			// One that was ended on purpose is no more of this one's business.
			if (child !== this.#child) return;
			this.#child = null;
			const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
			// What can not even be loaded is no mutant.
			const by = this.#isReady ? "the process died" : "SyntaxError or the like: nothing could be loaded";
			this.#end({ isNoticed: true, by, reason: `${how}: ${this.#lastWords.trim()}`, effort: "" });
		});
		return child;
	}

	#end(outcome: Outcome): void {
		this.#settle?.(outcome);
		this.#settle = null;
	}
}
