/** Tells a storage thread that is only slow from one that does not come back. */
import { assert, QuorateError } from "../../protocols/core/index.ts";
import type { Clock, ThreadDirectory, ThreadSlot, TimerHandle } from "../../runtime/actor/index.ts";

/**
 * How long the storage thread may be at a standstill before the swarm fails. Disks that retry, and network volumes that
 * fail over, take seconds and come back; a device that has not answered for half a minute is reported as failed by the
 * operating systems too (Linux gives a SCSI command 30 s). Meanwhile nothing is acknowledged, so waiting costs no promise.
 */
export const STORAGE_STALL_MS_MAX = 30_000;
/** One look: how long the thread has to answer an inspection before it is asked again. */
const LOOK_MS = 5_000;
assert(STORAGE_STALL_MS_MAX % LOOK_MS === 0, "a stall is judged after whole looks");

/**
 * From the report of a stall on, the thread is asked again and again until it answers. Looks are counted, not only time:
 * a main thread that was itself at a standstill would find its timer due before it finds the answer.
 */
export class StorageStallWatch {
	readonly #storage: string;
	readonly #threads: ThreadDirectory;
	readonly #clock: Clock;
	readonly #lost: (waitedMs: number) => void;
	/** The look under way; null while nothing is suspected. */
	#timer: TimerHandle | null = null;
	/** Numbers the suspicions, so that an answer ends its own only. */
	#suspicion = 0;
	#stopped = false;

	/**
	 * @param storage the storage thread's name
	 * @param lost hears, once per suspicion, that the thread did not come back, and how long it was given
	 */
	constructor(storage: string, threads: ThreadDirectory, clock: Clock, lost: (waitedMs: number) => void) {
		this.#storage = storage;
		this.#threads = threads;
		this.#clock = clock;
		this.#lost = lost;
	}

	/** The storage thread is reported stalled, for so long already. */
	stalled(slot: ThreadSlot, stalledForMs: number): void {
		if (this.#stopped || this.#timer !== null) return;
		this.#suspicion += 1;
		this.#look(slot, this.#suspicion, stalledForMs);
	}

	/** Nobody wants to know any more. */
	stop(): void {
		this.#stopped = true;
		this.#clear();
	}

	#look(slot: ThreadSlot, suspicion: number, waitedMs: number): void {
		if (waitedMs >= STORAGE_STALL_MS_MAX) {
			this.#clear();
			this.#lost(waitedMs);
			return;
		}
		const lookMs = Math.min(LOOK_MS, STORAGE_STALL_MS_MAX - waitedMs);
		this.#timer = this.#clock.schedule(lookMs, () => this.#look(slot, suspicion, waitedMs + lookMs));
		this.#answer(slot).then(
			() => this.#cleared(suspicion),
			(error: unknown) => {
				// Asked again with the next look. A thread that has ended is told of, and ends the swarm, as `thread-ended`.
				if (!(error instanceof QuorateError && error.code === "control-timeout")) this.#cleared(suspicion);
			},
		);
	}

	async #answer(slot: ThreadSlot): Promise<void> {
		const thread = this.#threads.status().find((status) => status.slot === slot);
		if (thread?.spec.name !== this.#storage || thread.state !== "running") return;
		await this.#threads.control(slot).inspect();
	}

	#cleared(suspicion: number): void {
		if (suspicion === this.#suspicion) this.#clear();
	}

	#clear(): void {
		if (this.#timer !== null) this.#clock.cancel(this.#timer);
		this.#timer = null;
	}
}
