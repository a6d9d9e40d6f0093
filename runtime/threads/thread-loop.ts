/**
 * What a thread does all its life: give its kernel turns while there is work, and sleep when there is none.
 *
 * A thread that waits `async` parks beside its event loop: timers, I/O and ports of user code run meanwhile. Node 20 does not
 * count that wait as a reason to live, so a listening port holds the loop. A thread that waits `blocking` sleeps in
 * `Atomics.wait`, which wakes in half the time, until the next timer and at most {@link BLOCKING_WAIT_MS_MAX}; then its event
 * loop gets a pass, so that ports are served. Why no wake-up is lost: see `runtime/memory/parking.ts`.
 */
import { availableParallelism } from "node:os";
import { getHeapStatistics } from "node:v8";
import { assert } from "../../protocols/core/index.ts";
import type { KernelDriver } from "../actor/index.ts";
import { AdaptiveSpin, AsyncParking, BlockingParking, type ControlBlock, type Parking } from "../memory/index.ts";
import type { ThreadClock } from "./thread-clock.ts";

/** A blocked thread serves its ports at least this often. */
export const BLOCKING_WAIT_MS_MAX = 20;
/** How often a busy thread measures its memory for its heartbeat: it costs some microseconds. */
const MEMORY_INTERVAL_MS = 1_000;

export class ThreadLoop {
	readonly #block: ControlBlock;
	readonly #clock: ThreadClock;
	readonly #parking: Parking;
	#driver: KernelDriver | null = null;
	#scheduled = false;
	/** A pass of the event loop has gone by without work since the last. */
	#settled = false;
	#turning = false;
	#stopped = false;
	#measuredAtMs = Number.NEGATIVE_INFINITY;
	#heapKib = 0;
	#externalKib = 0;

	constructor(block: ControlBlock, clock: ThreadClock, waiting: "async" | "blocking") {
		this.#block = block;
		this.#clock = clock;
		clock.blocking = waiting === "blocking";
		// With one core, whoever would send could not while this thread polls.
		const spin = availableParallelism() > 1 ? new AdaptiveSpin() : null;
		this.#parking =
			waiting === "blocking" ? new BlockingParking(block, spin) : new AsyncParking(block, () => this.#rung(), spin);
	}

	/** Takes the kernel and begins. */
	start(driver: KernelDriver): void {
		assert(this.#driver === null, "a loop drives one kernel");
		this.#driver = driver;
		this.requestTurn();
	}

	/** Gives the kernel a turn soon. */
	readonly requestTurn = (): void => {
		this.#settled = false;
		this.#schedule();
	};

	#schedule(): void {
		if (this.#scheduled || this.#stopped || this.#driver === null) return;
		this.#scheduled = true;
		setImmediate(this.#pass);
	}

	/** Gives the kernel a turn before this returns. Not within a turn. */
	turnNow(): void {
		if (this.#stopped || this.#driver === null) return;
		this.#parking.unpark();
		this.#turn();
		this.requestTurn();
	}

	/** No further turn. */
	stop(): void {
		this.#stopped = true;
		this.#clock.stop();
	}

	/** One pass of the event loop: a turn, then what comes after it. */
	readonly #pass = (): void => {
		this.#scheduled = false;
		if (this.#stopped) return;
		// A timer, I/O or a port may have brought the work while the thread was parked.
		this.#parking.unpark();
		if (this.#turn()) this.requestTurn();
		else if (!this.#settled && this.#mayOwe()) {
			this.#settled = true;
			this.#schedule();
		} else this.#park();
	};

	/**
	 * Whether what the turn has resolved may still have to run. It does so after this pass, so a thread that blocks or polls at
	 * once would hold up its own promises until something else wakes it.
	 */
	#mayOwe(): boolean {
		if (this.#parking.polls) return true;
		return this.#parking.kind === "blocking" && (this.#driver as KernelDriver).unsettled > 0;
	}

	/** The doorbell of a thread that parked beside its event loop. A turn that is due anyway serves it. */
	#rung(): void {
		if (!this.#scheduled) this.#pass();
	}

	/** True when there is more to do. */
	#turn(): boolean {
		assert(!this.#turning, "turns do not nest");
		this.#turning = true;
		try {
			this.#beat();
			if (this.#parking.kind === "blocking") this.#clock.runDue();
			return (this.#driver as KernelDriver).turn();
		} finally {
			this.#turning = false;
		}
	}

	#park(): void {
		// Work that came with the turn's last callbacks.
		if (this.#scheduled) return;
		if (this.#parking.kind === "async") {
			if (this.#parking.park(0) === "work") this.requestTurn();
			return;
		}
		const untilTimerMs = this.#clock.nextDueMs - this.#clock.nowMs();
		const outcome = untilTimerMs > 0 ? this.#parking.park(Math.min(untilTimerMs, BLOCKING_WAIT_MS_MAX)) : "work";
		// At once, before the event loop's pass: this is the way of a message that finds the thread asleep.
		if (outcome === "work" || this.#clock.nextDueMs <= this.#clock.nowMs()) this.#turn();
		this.requestTurn();
	}

	#beat(): void {
		const nowMs = this.#clock.nowMs();
		if (nowMs - this.#measuredAtMs >= MEMORY_INTERVAL_MS) {
			this.#measuredAtMs = nowMs;
			const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics();
			this.#heapKib = Math.floor(heapBytes / 1024);
			this.#externalKib = Math.floor(externalBytes / 1024);
		}
		this.#block.beat(nowMs, this.#heapKib, this.#externalKib);
	}
}
