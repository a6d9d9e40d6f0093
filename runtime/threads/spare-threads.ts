/** Threads that have booted and wait for a task, so that a replacement is at work in milliseconds. */
import { HEAP_LIMIT_MB } from "./thread-limits.ts";
import { type BootSettings, WorkerThread } from "./worker-thread.ts";

export class SpareThreads {
	readonly #wanted: number;
	readonly #boot: BootSettings;
	readonly #ready: WorkerThread[] = [];
	readonly #booting = new Set<Promise<WorkerThread>>();
	#closed = false;
	/** How often a start found a spare, and how often it had to boot a thread. */
	taken = 0;
	missed = 0;

	/** @param wanted 0 to 2 */
	constructor(wanted: number, boot: BootSettings) {
		this.#wanted = wanted;
		this.#boot = boot;
	}

	/** A booted thread: a spare, one that is about to be ready, or a new one. @throws QuorateError `thread-start-failed` */
	async take(heapLimitMb: number): Promise<WorkerThread> {
		if (heapLimitMb === HEAP_LIMIT_MB) {
			for (let spare = this.#ready.shift(); spare !== undefined; spare = this.#ready.shift()) {
				if (spare.end !== null) continue;
				this.taken++;
				return spare;
			}
		}
		this.missed++;
		// One that boots already is ready sooner than one that starts now.
		const [begun] = heapLimitMb === HEAP_LIMIT_MB ? this.#booting : [];
		if (begun === undefined) return WorkerThread.boot(heapLimitMb, this.#boot);
		this.#booting.delete(begun);
		return begun;
	}

	/** Boots in the background what is missing. A spare that fails to boot is tried again at the next use. */
	replenish(): void {
		while (!this.#closed && this.#ready.length + this.#booting.size < this.#wanted) {
			const booting = WorkerThread.boot(HEAP_LIMIT_MB, this.#boot);
			this.#booting.add(booting);
			booting.then(
				(spare) => {
					// Somebody may have taken it while it booted.
					if (this.#booting.delete(booting)) this.#ready.push(spare);
				},
				() => this.#booting.delete(booting),
			);
		}
	}

	/** Ends all spares. */
	async close(): Promise<void> {
		this.#closed = true;
		await Promise.allSettled([...this.#booting]);
		await Promise.all(this.#ready.splice(0).map((spare) => spare.terminate("stopped")));
	}

	/** Spares at hand. */
	get ready(): number {
		return this.#ready.length;
	}
}
