/** The backend on worker threads, put together. */
import { availableParallelism } from "node:os";
import { type LayoutTable, requireInteger } from "../../protocols/core/index.ts";
import {
	type Backend,
	type KernelDriver,
	type KernelPorts,
	MAIN_SLOT,
	moduleHref,
	THREADS_MAX,
	type ThreadDirectory,
	type ThreadSlot,
} from "../actor/index.ts";
import { type CodecSpec, type RecordShapes, shapesOf } from "../codec/index.ts";
import type { MetricsMemory } from "../telemetry/index.ts";
import { threadStalled, watchdogFailed } from "./errors.ts";
import { SpareThreads } from "./spare-threads.ts";
import { WorkerDirectory } from "./thread-directory.ts";
import { ThreadHost } from "./thread-host.ts";
import { HEAP_LIMIT_MB, WARM_SPARES_DEFAULT, WARM_SPARES_MAX, YOUNG_GENERATION_MB } from "./thread-limits.ts";
import { ThreadMemory } from "./thread-memory.ts";
import type { LaneNews } from "./thread-orders.ts";
import { ThreadSlots } from "./thread-slots.ts";
import { type StallReport, Watchdog } from "./watchdog.ts";

export interface ThreadBackendOptions {
	/** Layouts of the protocols that actors speak; see `ActorRef.speaking`. Default none. */
	readonly layouts?: readonly LayoutTable[];
	/** Examples of messages without a layout that are sent often: their records travel without their keys. Default none. */
	readonly examples?: readonly unknown[];
	/** Seeds the generators of all threads; any safe integer; default: drawn from the clock. */
	readonly seed?: number;
	/** Threads that wait ready for a start or a replacement, 0 to 2; default 1. Each costs some 12 MB. */
	readonly warmSpares?: number;
	/**
	 * Modules of behaviours (and of what they load), by href: every thread loads them while it boots, so that on a warm spare
	 * an actor starts without waiting for its code. One that does not load is reported by the spawn that needs it. Default none.
	 */
	readonly preload?: readonly (URL | string)[];
	/**
	 * Young generation of each thread, 3 to 1,024 MB; default 3. What a thread has under way should fit into a sixth of it, or all of it is
	 * copied into the old generation and collected there. Costs memory per thread that has once been busy.
	 */
	readonly youngGenerationMb?: number;
	/** Threads at most, the main thread included, 2 to 64; default 64. One more is refused with `too-many-threads`. */
	readonly threadsMax?: number;
	/** Cores that may be used, 1 to 1024; default: those of the machine. */
	readonly parallelism?: number;
	/** A thread that runs and does not get on for so long is stalled: 50 to 3,600,000 ms; default 2,000. */
	readonly stallAfterMs?: number;
	/**
	 * What becomes of a stalled thread: `kill` (default) ends it with cause `stalled`; `report` only reports. A function
	 * decides by the thread's name: a thread inside a native database must not be killed, and a slow disk is no bug.
	 */
	readonly onStall?: StallPolicy | ((thread: string) => StallPolicy);
	/** Hears of every stall, the main thread's included, which is never killed. */
	readonly stalled?: (report: StallReport) => void;
}

/** See {@link ThreadBackendOptions.onStall}. */
export type StallPolicy = "kill" | "report";

/** The backend on worker threads, with what only it has. */
export interface ThreadBackend extends Backend {
	/** Where all threads count what they do; read it with a `MetricsObserver`. */
	readonly metrics: MetricsMemory;
	/** Numbers about threads and lanes. */
	inspectThreads(): ThreadBackendInspection;
}

export interface ThreadBackendInspection {
	readonly sparesReady: number;
	/** Starts and replacements that found a spare ready. */
	readonly sparesUsed: number;
	readonly laneBytes: number;
	/** Heap limits of a thread unless its spec says otherwise. */
	readonly heapLimitMb: number;
	readonly youngGenerationMb: number;
	/** Wake-ups that the watchdog had to repeat; anything but 0 is a bug of ours. */
	readonly repeatedWakeUps: number;
}

/**
 * Makes what worker threads need. The watchdog and the warm spares begin, in the background, with the first thread.
 * @throws QuorateError `invalid-argument`, `layout-invalid`, `record-table-invalid`
 */
export async function createThreadBackend(options: ThreadBackendOptions = {}): Promise<ThreadBackend> {
	return new WorkerBackend(options);
}

class WorkerBackend implements ThreadBackend {
	readonly ports: KernelPorts;
	readonly threads: ThreadDirectory;
	readonly parallelism: number;
	readonly #directory: WorkerDirectory;
	readonly #spares: SpareThreads;
	readonly #slots: ThreadSlots;
	readonly #youngGenerationMb: number;
	readonly #host: ThreadHost;
	/** Null until the first thread has started. */
	#watchdog: Watchdog | null = null;
	readonly #onStall: (thread: string) => StallPolicy;
	readonly #stalled: ((report: StallReport) => void) | undefined;

	constructor(options: ThreadBackendOptions) {
		const stallAfterMs = requireInteger("stallAfterMs", options.stallAfterMs ?? 2_000, 50, 3_600_000);
		const warmSpares = requireInteger("warmSpares", options.warmSpares ?? WARM_SPARES_DEFAULT, 0, WARM_SPARES_MAX);
		this.parallelism = requireInteger("parallelism", options.parallelism ?? availableParallelism(), 1, 1_024);
		const { onStall = "kill" } = options;
		this.#onStall = typeof onStall === "function" ? onStall : () => onStall;
		this.#stalled = options.stalled;
		const records: RecordShapes = shapesOf(options.examples ?? []);
		const codec: CodecSpec = { layouts: options.layouts ?? [], records };
		const seed = options.seed ?? Date.now();
		const tell = (to: ThreadSlot, news: LaneNews): void => {
			if (to === MAIN_SLOT) this.#host.learn(news);
			else this.#directory.post(to, news);
		};
		this.#slots = new ThreadSlots(codec, seed, tell, () => this.#host.hear());
		this.#youngGenerationMb = requireInteger(
			"youngGenerationMb",
			options.youngGenerationMb ?? YOUNG_GENERATION_MB,
			YOUNG_GENERATION_MB,
			1_024,
		);
		const preload = (options.preload ?? []).map(moduleHref);
		this.#spares = new SpareThreads(warmSpares, { preload, youngGenerationMb: this.#youngGenerationMb });
		this.#directory = new WorkerDirectory(
			this.#slots,
			this.#spares,
			requireInteger("threadsMax", options.threadsMax ?? THREADS_MAX, 2, THREADS_MAX),
		);
		this.threads = this.#directory;
		const main = this.#slots.prepare(MAIN_SLOT, { name: "main", waiting: "async", dedicated: false }, 1, false);
		this.#host = new ThreadHost({ ...main, announce: (news) => this.#slots.laneNews(news) });
		this.ports = this.#host.ports;
		// A system whose actors are all local needs neither watchdog nor spares.
		const forget = this.#directory.observe(() => {
			forget();
			this.#watchdog = this.#watch(stallAfterMs);
		});
	}

	#watch(stallAfterMs: number): Watchdog {
		const { control, memory } = this.#slots;
		return new Watchdog(
			{ control, memory, stallAfterMs },
			(report) => this.#onStalled(report),
			(cause) => {
				throw watchdogFailed({}, { cause });
			},
		);
	}

	get metrics(): MetricsMemory {
		return this.#slots.metrics;
	}

	attach(kernel: KernelDriver): void {
		this.#host.start(kernel);
	}

	publishedThrough(from: ThreadSlot, to: ThreadSlot): number {
		return this.#slots.exchange.publishedThrough(from, to);
	}

	inspectThreads(): ThreadBackendInspection {
		return {
			sparesReady: this.#spares.ready,
			sparesUsed: this.#spares.taken,
			laneBytes: new ThreadMemory(this.#slots.memory).laneBytes,
			heapLimitMb: HEAP_LIMIT_MB,
			youngGenerationMb: this.#youngGenerationMb,
			repeatedWakeUps: this.#watchdog?.repeatedWakeUps ?? 0,
		};
	}

	async close(): Promise<void> {
		this.#host.stop();
		await Promise.all([this.#directory.close(), this.#watchdog?.close()]);
	}

	#onStalled(report: StallReport): void {
		const { slot, life, actor, kind, messageType, stalledForMs } = report;
		this.#stalled?.(report);
		// Between the report and now it may have ended by itself.
		if (slot === MAIN_SLOT || this.#directory.lifeOf(slot) !== life) return;
		const thread = this.threads.status().find((status) => status.slot === slot)?.spec;
		if (thread === undefined || thread.neverKilled === true || this.#onStall(thread.name) === "report") return;
		const error = threadStalled({
			name: thread.name,
			slot,
			actor: actor ?? 0,
			kind: kind ?? "none",
			messageType: messageType ?? "",
			stalledForMs,
		});
		this.#directory.killStalled(slot, error).catch((failure: unknown) => {
			// A thread that can be neither used nor ended: nobody above could do more about it, so the process hears.
			setImmediate(() => {
				throw failure;
			});
		});
	}
}
