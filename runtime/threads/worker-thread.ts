/**
 * One worker, seen from the main thread: booted without a task (so that it can wait as a warm spare), then assigned
 * to a slot, then ended, in one of the ways that Node knows. It reports exactly one end.
 */
import { Worker } from "node:worker_threads";
import { assert, type ErrorObject, errorToObject, type QuorateError } from "../../protocols/core/index.ts";
import type { ThreadEnd } from "../actor/index.ts";
import { threadStartFailed } from "./errors.ts";
import { ASSIGN_TIMEOUT_MS, BOOT_TIMEOUT_MS } from "./thread-limits.ts";
import type { Assignment, BootData, LaneNews, OrderToThread, ReportFromThread } from "./thread-orders.ts";
import { workerFlags } from "./worker-flags.ts";

/** What all threads of a backend boot with. */
export interface BootSettings {
	/** Hrefs of modules that every thread loads before it is ready. */
	readonly preload: readonly string[];
	readonly youngGenerationMb: number;
}

/** What the main thread does when a worker makes a lane or ends. */
export interface WorkerHost {
	laneNews(news: LaneNews): void;
	ended(end: ThreadEnd): void;
}

type Phase = "booting" | "spare" | "assigning" | "running" | "ended";

export class WorkerThread {
	readonly heapLimitMb: number;
	readonly #worker: Worker;
	#phase: Phase = "booting";
	#name = "spare";
	#host: WorkerHost | null = null;
	/** Settles the step that is under way: boot or assignment. */
	#step: { readonly done: () => void; readonly failed: (error: QuorateError) => void } | null = null;
	#plannedCause: ThreadEnd["cause"] | null = null;
	#error: unknown = null;
	#end: ThreadEnd | null = null;
	readonly #exited: Promise<void>;

	/** Boots a worker: it loads the runtime's modules and those to `preload`, and waits. @throws QuorateError `thread-start-failed` */
	static async boot(heapLimitMb: number, settings: BootSettings): Promise<WorkerThread> {
		const thread = new WorkerThread(heapLimitMb, settings);
		await thread.#within("boot", BOOT_TIMEOUT_MS, () => {});
		thread.#phase = "spare";
		return thread;
	}

	private constructor(heapLimitMb: number, { preload, youngGenerationMb }: BootSettings) {
		this.heapLimitMb = heapLimitMb;
		this.#worker = new Worker(new URL("./worker-entry.js", import.meta.url), {
			name: "quorate",
			...workerFlags(),
			workerData: { preload } satisfies BootData,
			resourceLimits: { maxOldGenerationSizeMb: heapLimitMb, maxYoungGenerationSizeMb: youngGenerationMb },
		});
		// A spare does not keep the process alive; an assigned thread does.
		this.#worker.unref();
		this.#worker.on("message", (report: ReportFromThread) => this.#reported(report));
		this.#worker.on("error", (error) => {
			this.#error = error;
		});
		this.#exited = new Promise((resolve) => {
			this.#worker.once("exit", (exitCode) => {
				this.#exitedWith(exitCode);
				resolve();
			});
		});
	}

	/** Null while it lives. */
	get end(): ThreadEnd | null {
		return this.#end;
	}

	/** Gives the worker its task. From here on its end is reported to `host`. @throws QuorateError `thread-start-failed` */
	async assign(assignment: Assignment, host: WorkerHost): Promise<void> {
		assert(this.#phase === "spare", "a worker is assigned once");
		this.#phase = "assigning";
		this.#name = assignment.name;
		this.#host = host;
		this.#worker.ref();
		await this.#within("assignment", ASSIGN_TIMEOUT_MS, () =>
			this.#worker.postMessage({ type: "assign", assignment } satisfies OrderToThread, [assignment.controlPort]),
		);
		this.#phase = "running";
	}

	post(order: OrderToThread): void {
		if (this.#end === null) this.#worker.postMessage(order);
	}

	/** Ends the worker at once; the end is reported with this cause. Resolves when the thread is gone. */
	async terminate(cause: ThreadEnd["cause"], error?: QuorateError): Promise<void> {
		this.#plannedCause ??= cause;
		this.#error ??= error ?? null;
		await this.#worker.terminate();
		await this.#exited;
	}

	#reported(report: ReportFromThread): void {
		if (report.type === "booted" || report.type === "assigned") this.#step?.done();
		else this.#host?.laneNews(report);
	}

	#exitedWith(exitCode: number): void {
		const cause = this.#plannedCause ?? causeOf(this.#error);
		this.#end = { cause, exitCode, error: this.#error === null ? null : asObject(this.#error) };
		this.#phase = "ended";
		this.#step?.failed(threadStartFailed({ name: this.#name, phase: `it ended (${cause})` }, { cause: this.#error }));
		this.#host?.ended(this.#end);
	}

	async #within(phase: string, timeoutMs: number, begin: () => void): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		try {
			await new Promise<void>((done, failed) => {
				this.#step = { done, failed };
				timer = setTimeout(() => {
					failed(threadStartFailed({ name: this.#name, phase: `${phase} took over ${timeoutMs} ms` }));
				}, timeoutMs);
				begin();
			});
		} catch (error) {
			if (this.#end === null) await this.terminate("crashed");
			throw error;
		} finally {
			clearTimeout(timer);
			this.#step = null;
		}
	}
}

/** An exit that nobody planned is a crash, whatever its code: `process.exit(0)` inside a worker loses as much. */
function causeOf(error: unknown): ThreadEnd["cause"] {
	if (error === null) return "exited";
	return (error as { readonly code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY" ? "out-of-memory" : "crashed";
}

/** Node rebuilds an error of a worker as a plain Error that keeps its fields: what was a typed error stays one. */
function asObject(error: unknown): ErrorObject {
	const object = errorToObject(error);
	const { code, details } = error as { readonly code?: unknown; readonly details?: unknown };
	if (object.code !== "internal" || typeof code !== "string") return object;
	return {
		...object,
		code,
		details: typeof details === "object" && details !== null ? (details as ErrorObject["details"]) : object.details,
	};
}
