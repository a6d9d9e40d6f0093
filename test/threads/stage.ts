/** What the tests of threads share: a running system, and a journal that survives its threads. */
import { ActorSystem, createThreadBackend, type ThreadBackend, type ThreadBackendOptions } from "quorate/runtime";
import type { RecorderMessage } from "../fixtures/thread-actors.ts";

type Ref<M> = Awaited<ReturnType<typeof ActorSystem.prototype.spawn<M>>>;
type ThreadEvent = Parameters<Parameters<ThreadBackend["threads"]["observe"]>[0]>[0];
type Ended = Extract<ThreadEvent, { type: "thread-ended" }>;

/** A thread can load only what is built. */
export const actorsModule: URL = new URL("../../dist/test/fixtures/thread-actors.js", import.meta.url);
const JOURNAL_FROM = 4;

export class Journal {
	readonly words: SharedArrayBuffer;
	readonly #view: Int32Array;

	constructor(entries: number) {
		this.words = new SharedArrayBuffer((JOURNAL_FROM + entries) * 4);
		this.#view = new Int32Array(this.words);
	}

	get length(): number {
		return Atomics.load(this.#view, 0);
	}

	/** Number and redeliveries of each handled message. */
	get entries(): readonly (readonly [number: number, redelivered: number])[] {
		const words = Array.from(this.#view.subarray(JOURNAL_FROM, JOURNAL_FROM + this.length));
		return words.map((word) => [word >> 2, word & 3]);
	}

	open(): void {
		Atomics.store(this.#view, 1, 1);
		Atomics.notify(this.#view, 1);
		Atomics.store(this.#view, 2, 1);
	}

	/** Resolves once so many messages have been handled. */
	async reached(length: number): Promise<void> {
		while (this.length < length) await new Promise((resolve) => setImmediate(resolve));
	}
}

interface Waiter {
	readonly count: number;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

/** A running system whose supervisor restarts what fails and whose dead threads are replaced. */
export class Stage {
	readonly backend: ThreadBackend;
	readonly system: ActorSystem;
	readonly ended: Ended[] = [];
	#parent: Ref<unknown> | null = null;
	replaced = 0;
	#waiters: Waiter[] = [];

	static async open(options: ThreadBackendOptions = {}): Promise<Stage> {
		const stage = new Stage(await createThreadBackend({ seed: 1, ...options }));
		stages.push(stage);
		stage.#parent = await stage.system.spawn({
			name: "keeper",
			behaviour: {
				local: () => ({
					receive() {},
					async signal(signal, context) {
						if (signal.type !== "child-failed") return;
						// Its thread can end under the order, with a message that kills it: then the child has not been started.
						for (let started = false; !started; ) started = await startedAgain(context.restart(signal.child));
					},
				}),
			},
		});
		return stage;
	}

	private constructor(backend: ThreadBackend) {
		this.backend = backend;
		this.system = new ActorSystem(backend);
		backend.threads.observe((event) => {
			if (event.type !== "thread-ended" || event.end.cause === "stopped") return;
			this.ended.push(event);
			backend.threads.replace(event.slot).then(
				() => this.#settle(this.replaced++),
				(error: { readonly code?: string }) => {
					// The system was stopped before the replacement ran: who still waits for it never will see it.
					if (error.code !== "thread-start-failed") throw error;
					for (const { reject } of this.#waiters.splice(0)) reject(error);
				},
			);
		});
	}

	recorder(
		journal: Journal,
		name = "recorder",
		waiting: "async" | "blocking" = "async",
	): Promise<Ref<RecorderMessage>> {
		return this.system.spawn<RecorderMessage>(
			{
				name,
				behaviour: { module: actorsModule, export: "Recorder", args: { words: journal.words } },
				placement: "dedicated",
				waiting,
			},
			this.#parent ?? undefined,
		);
	}

	#settle(before: number): void {
		for (const { resolve } of this.#waiters.filter(({ count }) => before + 1 >= count)) resolve();
	}

	/** Resolves once so many threads have been replaced. */
	async replacements(count: number): Promise<void> {
		if (this.replaced >= count) return;
		await new Promise<void>((resolve, reject) => this.#waiters.push({ count, resolve, reject }));
	}
}

/** False when the thread died first: no signal tells the parent of a child that was not started. */
async function startedAgain(restart: Promise<number>): Promise<boolean> {
	try {
		await restart;
		return true;
	} catch (error) {
		if ((error as { readonly code?: unknown }).code === "thread-died") return false;
		throw error;
	}
}

const stages: Stage[] = [];

/** After each test. */
export async function closeStages(): Promise<void> {
	for (const { system } of stages.splice(0)) await system.stop();
}
