/** The life and death of the threads of one system, as the main thread keeps them. */
import { MessageChannel } from "node:worker_threads";
import { assert, invalidArgument, type QuorateError, requireInteger } from "../../protocols/core/index.ts";
import {
	type KernelControl,
	MAIN_SLOT,
	THREADS_MAX,
	type ThreadDirectory,
	type ThreadEnd,
	type ThreadEvent,
	type ThreadSlot,
	type ThreadSpec,
	type ThreadStatus,
	threadNeverKilled,
	threadNotRunning,
	tooManyThreads,
} from "../actor/index.ts";
import { RemoteKernelControl } from "./control-plane.ts";
import { threadStartFailed } from "./errors.ts";
import type { SpareThreads } from "./spare-threads.ts";
import { HEAP_LIMIT_MB, THREAD_NAME_LENGTH_MAX } from "./thread-limits.ts";
import type { Assignment, LaneNews, OrderToThread } from "./thread-orders.ts";
import type { WorkerThread } from "./worker-thread.ts";

/** What of a thread's life touches the shared memory; the backend's part. */
export interface SlotMemory {
	/** A thread is about to start in the slot: everything of its assignment but the control port. */
	prepare(slot: ThreadSlot, spec: ThreadSpec, life: number, inherits: boolean): Omit<Assignment, "controlPort">;
	/** The slot's thread is gone: mark it dead, and read what it was at. */
	bury(slot: ThreadSlot, spec: ThreadSpec, end: ThreadEnd): Pick<Ended, "interrupted" | "lost">;
	/** The slot is given back; returns how many records its lanes still held. */
	free(slot: ThreadSlot): number;
	laneNews(news: LaneNews): void;
	/** Wakes the slot's thread, wherever it waits. */
	ring(slot: ThreadSlot): void;
	/** Takes in what other threads have sent to the main thread. */
	hear(): void;
}

export type Ended = Extract<ThreadEvent, { type: "thread-ended" }>;

interface Slot {
	readonly spec: ThreadSpec;
	state: ThreadStatus["state"];
	lives: number;
	thread: WorkerThread | null;
	control: RemoteKernelControl | null;
	/** Settles, never rejects, when the start under way has succeeded or failed. */
	launching: Promise<void>;
	/** Why the start under way is to be given up. */
	cancelled: "killed" | "stalled" | "stopped" | null;
}

export class WorkerDirectory implements ThreadDirectory {
	readonly #memory: SlotMemory;
	readonly #spares: SpareThreads;
	readonly #threadsMax: number;
	/** Index 0 is the main thread's and stays empty. */
	readonly #slots: (Slot | null)[] = new Array(THREADS_MAX).fill(null);
	/** Lives ever lived in each slot: an envelope of a former tenant must not meet its own number again. */
	readonly #livesEver: number[] = new Array(THREADS_MAX).fill(0);
	readonly #listeners = new Set<(event: ThreadEvent) => void>();
	#closed = false;

	/** @param threadsMax slots that may be used, the main thread's included */
	constructor(memory: SlotMemory, spares: SpareThreads, threadsMax: number) {
		this.#memory = memory;
		this.#threadsMax = threadsMax;
		this.#spares = spares;
	}

	async start(spec: ThreadSpec): Promise<ThreadSlot> {
		checkSpec(spec);
		const slot = this.#slots.indexOf(null, MAIN_SLOT + 1) as ThreadSlot;
		if (slot < 0 || slot >= this.#threadsMax) throw tooManyThreads({ name: spec.name, threadsMax: this.#threadsMax });
		const entry: Slot = {
			spec,
			state: "starting",
			lives: 0,
			thread: null,
			control: null,
			launching: Promise.resolve(),
			cancelled: null,
		};
		this.#slots[slot] = entry;
		await this.#launch(slot, entry, false);
		return slot;
	}

	async replace(slot: ThreadSlot): Promise<void> {
		const entry = this.#slots[slot];
		if (entry?.state !== "dead") throw threadNotRunning({ slot, state: entry?.state ?? "free" });
		entry.state = "starting";
		await this.#launch(slot, entry, true);
	}

	async kill(slot: ThreadSlot, cause: "killed" | "stalled" | "stopped"): Promise<void> {
		const entry = this.#slots[slot] ?? null;
		if (entry === null) return;
		refuseNeverKilled(slot, entry.spec, cause);
		if (entry.state === "starting") {
			entry.cancelled = cause;
			await entry.thread?.terminate(cause);
			await entry.launching;
			return;
		}
		await entry.thread?.terminate(cause);
	}

	/** {@link kill} of a stalled thread, which tells in its end what it was stuck in. */
	async killStalled(slot: ThreadSlot, error: QuorateError): Promise<void> {
		const entry = this.#slots[slot] ?? null;
		if (entry === null) return;
		refuseNeverKilled(slot, entry.spec, "stalled");
		await entry.thread?.terminate("stalled", error);
	}

	release(slot: ThreadSlot): void {
		const entry = this.#slots[slot];
		if (entry?.state !== "dead") throw threadNotRunning({ slot, state: entry?.state ?? "free" });
		const undelivered = this.#memory.free(slot);
		this.#slots[slot] = null;
		this.#emit({ type: "thread-released", slot, name: entry.spec.name, undelivered });
	}

	control(slot: ThreadSlot): KernelControl {
		const entry = this.#slots[slot];
		if (entry?.state !== "running" || entry.control === null) {
			throw threadNotRunning({ slot, state: entry?.state ?? "free" });
		}
		return entry.control;
	}

	status(): readonly ThreadStatus[] {
		return this.#slots.flatMap((entry, slot) =>
			entry === null ? [] : [{ slot: slot as ThreadSlot, spec: entry.spec, state: entry.state, lives: entry.lives }],
		);
	}

	observe(listener: (event: ThreadEvent) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	/** The life of the thread in a slot; 0 if none runs. */
	lifeOf(slot: ThreadSlot): number {
		return this.#slots[slot]?.state === "running" ? (this.#livesEver[slot] as number) : 0;
	}

	/** Sends an order to the slot's thread, if it has one. */
	post(slot: ThreadSlot, order: OrderToThread): void {
		this.#slots[slot]?.thread?.post(order);
		this.#memory.ring(slot);
	}

	/** Ends every thread; nothing can be started afterwards. */
	async close(): Promise<void> {
		this.#closed = true;
		await Promise.all(this.#slots.map((entry) => entry?.thread?.terminate("stopped")));
		await this.#spares.close();
	}

	#launch(slot: ThreadSlot, entry: Slot, inherits: boolean): Promise<void> {
		entry.cancelled = null;
		const launch = this.#launchThread(slot, entry, inherits).catch((error: unknown) => {
			entry.state = "dead";
			if (!inherits) {
				this.#memory.free(slot);
				this.#slots[slot] = null;
			}
			throw error;
		});
		entry.launching = launch.then(
			() => {},
			// Whoever asked for the start hears why it failed.
			() => {},
		);
		return launch;
	}

	async #launchThread(slot: ThreadSlot, entry: Slot, inherits: boolean): Promise<void> {
		const thread = await this.#spares.take(entry.spec.heapLimitMb ?? HEAP_LIMIT_MB);
		if (this.#closed || entry.cancelled !== null) {
			await thread.terminate("stopped");
			throw threadStartFailed({ name: entry.spec.name, phase: entry.cancelled ?? "the system is closing" });
		}
		const life = (this.#livesEver[slot] as number) + 1;
		this.#livesEver[slot] = life;
		let assignment: Omit<Assignment, "controlPort">;
		try {
			assignment = this.#memory.prepare(slot, entry.spec, life, inherits);
		} catch (error) {
			// Nobody else knows of the thread that was taken.
			await thread.terminate("stopped");
			this.#spares.replenish();
			throw error;
		}
		const { port1, port2 } = new MessageChannel();
		// The port alone must not keep the process alive; the worker does.
		port1.unref();
		const control = new RemoteKernelControl(
			entry.spec.name,
			slot,
			port1,
			() => this.#memory.ring(slot),
			() => this.#memory.hear(),
		);
		entry.thread = thread;
		entry.control = control;
		try {
			await thread.assign(
				{ ...assignment, controlPort: port2 },
				{
					laneNews: (news) => this.#memory.laneNews(news),
					ended: (end) => this.#ended(slot, entry, end),
				},
			);
		} finally {
			this.#spares.replenish();
		}
		// It may have ended right behind its own report.
		if (thread.end !== null)
			throw threadStartFailed({ name: entry.spec.name, phase: `it ended (${thread.end.cause})` });
		entry.state = "running";
		entry.lives++;
		this.#emit({ type: "thread-started", slot, name: entry.spec.name, lives: entry.lives });
	}

	#ended(slot: ThreadSlot, entry: Slot, end: ThreadEnd): void {
		const wasRunning = entry.state === "running";
		const seen = this.#memory.bury(slot, entry.spec, end);
		entry.control?.close(end);
		entry.control = null;
		entry.thread = null;
		// While it starts, the promise of `start` or `replace` tells; nobody has seen this life.
		if (!wasRunning) return;
		entry.state = "dead";
		this.#emit({ type: "thread-ended", slot, name: entry.spec.name, end, ...seen });
	}

	#emit(event: ThreadEvent): void {
		for (const listener of [...this.#listeners]) listener(event);
	}
}

function refuseNeverKilled(slot: ThreadSlot, { name, neverKilled }: ThreadSpec, cause: ThreadEnd["cause"]): void {
	if (neverKilled === true && cause !== "stopped") throw threadNeverKilled({ slot, name, cause });
}

function checkSpec(spec: ThreadSpec): void {
	assert(spec.waiting === "async" || spec.waiting === "blocking", "a thread waits in one of two ways");
	if (spec.name.length < 1 || spec.name.length > THREAD_NAME_LENGTH_MAX) {
		const expected = `1 to ${THREAD_NAME_LENGTH_MAX} characters`;
		throw invalidArgument({ argument: "thread name", expected, actual: `${spec.name.length} characters` });
	}
	requireInteger("heapLimitMb", spec.heapLimitMb ?? HEAP_LIMIT_MB, 16, 65_536);
}
