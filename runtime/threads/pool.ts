/**
 * A pool of threads for stateless work that only computes: hashing a file, verifying a batch, checking a history.
 * piscina owns the threads; tasks are functions named by module and export, and a task's thread is never an actor's.
 */
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { type ErrorObject, errorFromObject, invalidArgument, requireInteger } from "../../protocols/core/index.ts";
import { type ModuleExport, moduleHref } from "../actor/index.ts";
import { computePoolClosed, computeQueueFull, computeThreadDied } from "./errors.ts";
import { workerFlags } from "./worker-flags.ts";

/** One call of an exported function in a compute thread. Argument and result are cloneable data. */
export interface ComputeTask extends ModuleExport {
	/** The function's one argument. */
	readonly args?: unknown;
}

export interface ComputePoolOptions {
	/** Threads at most, 1 to 64; default: the cores, less one for the main thread, at least 1. */
	readonly threadsMax?: number;
	/** Tasks that may wait for a thread, 1 to 100,000; default 1,024. One more is refused with `compute-queue-full`. */
	readonly maxQueue?: number;
	/** A thread that had nothing to do for this long ends, 0 to 3,600,000; default 10,000. */
	readonly idleTimeoutMs?: number;
	/** Old-generation heap limit of a thread in MiB, 16 to 65,536; default 256. */
	readonly heapLimitMb?: number;
}

/** What a compute thread hands back; an error travels as data and is rebuilt here. */
export type ComputeOutcome =
	| { readonly ok: true; readonly value: unknown }
	| { readonly ok: false; readonly error: ErrorObject };

/** What a compute thread is given. */
export interface ComputeCall {
	readonly module: string;
	readonly export: string;
	readonly args: unknown;
}

/** Threads start with the first task that needs them. */
export class ComputePool {
	readonly #piscina: Piscina<ComputeCall, ComputeOutcome>;
	readonly #maxQueue: number;
	/** Tasks handed to piscina and not settled; its own queue length counts only those that wait. */
	#closed = false;

	constructor(options: ComputePoolOptions = {}) {
		const threadsMax = requireInteger(
			"threadsMax",
			options.threadsMax ?? Math.max(1, availableParallelism() - 1),
			1,
			64,
		);
		this.#maxQueue = requireInteger("maxQueue", options.maxQueue ?? 1_024, 1, 100_000);
		this.#piscina = new Piscina<ComputeCall, ComputeOutcome>({
			filename: new URL("./pool-task.js", import.meta.url).href,
			...workerFlags(),
			minThreads: 0,
			maxThreads: threadsMax,
			maxQueue: this.#maxQueue,
			// piscina's own default is 0: every pause would cost a thread start.
			idleTimeout: requireInteger("idleTimeoutMs", options.idleTimeoutMs ?? 10_000, 0, 3_600_000),
			// Its default parks the thread in Atomics.wait between tasks, which freezes timers that a task left behind.
			atomics: "disabled",
			concurrentTasksPerWorker: 1,
			resourceLimits: { maxOldGenerationSizeMb: requireInteger("heapLimitMb", options.heapLimitMb ?? 256, 16, 65_536) },
		});
	}

	/**
	 * Runs the task on the next free thread.
	 * @throws QuorateError `compute-queue-full`, `compute-thread-died` (also out of memory, see `cause`),
	 *   `compute-pool-closed`, `module-not-loadable`, `export-missing`, or what the task threw
	 */
	async run<Result = unknown>(task: ComputeTask): Promise<Result> {
		const call: ComputeCall = { module: moduleHref(task.module), export: task.export, args: task.args };
		if (this.#closed) throw computePoolClosed({ export: task.export });
		let outcome: ComputeOutcome;
		try {
			outcome = await this.#piscina.run(call);
		} catch (cause) {
			throw this.#refused(call, cause);
		}
		if (!outcome.ok) throw errorFromObject(outcome.error);
		return outcome.value as Result;
	}

	/** Ends all threads; tasks that have not finished reject with `compute-pool-closed`. Idempotent. */
	async close(): Promise<void> {
		if (this.#closed) return;
		this.#closed = true;
		await this.#piscina.destroy();
	}

	#refused(call: ComputeCall, cause: unknown): Error {
		if (this.#closed) return computePoolClosed({ export: call.export });
		const message = cause instanceof Error ? cause.message : "";
		// piscina's errors carry no code, only this text.
		if (message === "Task queue is at limit") {
			return computeQueueFull({ export: call.export, maxQueue: this.#maxQueue });
		}
		if (cause instanceof Error && cause.name === "DataCloneError") {
			return invalidArgument(
				{ argument: "args", expected: "data that can be cloned", actual: message.slice(0, 200) },
				{ cause },
			);
		}
		return computeThreadDied({ module: call.module, export: call.export }, { cause });
	}
}
