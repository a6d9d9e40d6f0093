/**
 * What a thread does all its life: give its kernel turns while there is work, and sleep without missing a wake-up.
 *
 * Two ways to sleep. `async` parks in `Atomics.waitAsync`: timers, I/O and ports of user code run meanwhile. Node 20
 * does not count such a wait as a reason to live, so a listening port holds the loop. There is at most one waiter at
 * a time and it has no timeout: in V8 a timeout leaves a delayed task behind even when the waiter was notified.
 * `blocking` parks in `Atomics.wait`, which wakes in half the time, until the next timer and at most
 * {@link BLOCKING_WAIT_MS_MAX}; after each wait the event loop gets a turn, so that ports are served.
 *
 * A wake-up is never lost: the thread announces that it parks, then looks once more for work, and only then sleeps; who
 * sends makes its work visible first and looks for sleepers second. (Dekker's handshake; all accesses are sequentially
 * consistent, so at least one of the two sees the other.)
 */
import { assert } from "../../protocols/core/index.ts";
import type { KernelDriver } from "../actor/ports.ts";
import type { ThreadClock } from "./thread-clock.ts";

/** A blocked thread serves its ports at least this often. */
export const BLOCKING_WAIT_MS_MAX = 20;

/** This thread's end of the wake-up handshake, in its control block. */
export interface Parking {
	/** Counts a sign of life. */
	beat(): void;
	/** Says that the thread is about to sleep in this way, or that it runs. */
	announce(state: "running" | "parked-async" | "parked-blocking"): void;
	/** Whether something has arrived, or the doorbell has rung, since the last {@link announce} of `running`. */
	hasArrivals(): boolean;
	/** Resolves when somebody rings. */
	ringing(): Promise<unknown>;
	/** Blocks until somebody rings, at most this long. */
	waitForRing(timeoutMs: number): void;
}

export class ThreadLoop {
	readonly #parking: Parking;
	readonly #clock: ThreadClock;
	readonly #blocking: boolean;
	#driver: KernelDriver | null = null;
	#scheduled = false;
	#running = false;
	#waiter = false;
	#stopped = false;

	constructor(parking: Parking, clock: ThreadClock, waiting: "async" | "blocking") {
		this.#parking = parking;
		this.#clock = clock;
		this.#blocking = waiting === "blocking";
		clock.blocking = this.#blocking;
	}

	/** Takes the kernel and begins. */
	start(driver: KernelDriver): void {
		assert(this.#driver === null, "a loop drives one kernel");
		this.#driver = driver;
		this.requestTurn();
	}

	/** Gives the kernel a turn soon. May be called before {@link start}. */
	readonly requestTurn = (): void => {
		if (this.#scheduled || this.#stopped || this.#driver === null) return;
		this.#scheduled = true;
		setImmediate(this.#pass);
	};

	/** No further turn. */
	stop(): void {
		this.#stopped = true;
		this.#clock.stop();
	}

	readonly #pass = (): void => {
		this.#scheduled = false;
		if (this.#stopped) return;
		this.#parking.announce("running");
		if (this.#turn()) this.requestTurn();
		else if (this.#blocking) this.#block();
		else this.#park();
	};

	/** One turn of the kernel; true when it has more to do. */
	#turn(): boolean {
		assert(!this.#running, "turns do not nest");
		this.#running = true;
		this.#parking.beat();
		try {
			if (this.#blocking) this.#clock.runDue();
			return (this.#driver as KernelDriver).turn();
		} finally {
			this.#running = false;
		}
	}

	#park(): void {
		// A turn that was asked for meanwhile comes anyway: let senders skip the notify.
		if (this.#scheduled) return;
		this.#parking.announce("parked-async");
		if (this.#parking.hasArrivals()) {
			this.requestTurn();
			return;
		}
		// The waiter of an earlier sleep, which something else than the doorbell ended, still listens.
		if (this.#waiter) return;
		this.#waiter = true;
		void this.#parking.ringing().then(this.#rung);
	}

	readonly #rung = (): void => {
		this.#waiter = false;
		if (!this.#scheduled) this.#pass();
	};

	#block(): void {
		if (!this.#scheduled) {
			this.#parking.announce("parked-blocking");
			const untilTimerMs = this.#clock.nextDueMs - this.#clock.nowMs();
			if (untilTimerMs > 0 && !this.#parking.hasArrivals()) {
				this.#parking.waitForRing(Math.min(untilTimerMs, BLOCKING_WAIT_MS_MAX));
			}
			this.#parking.announce("running");
			// At once, before the event loop: this is the way of a message that finds the thread asleep.
			this.#turn();
		}
		this.requestTurn();
	}
}
