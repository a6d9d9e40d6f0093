/**
 * How a thread sleeps until a producer has something for it, and why no wake-up is lost.
 *
 * It is Dekker's handshake on sequentially consistent words:
 * 1. A producer stores the lane's tail, sets its dirty bit, and then loads the state (a consumer that made
 *    room for a waiting writer does the same with its room bit).
 * 2. The consumer stores `parked`, and then loads the bits.
 * 3. So if the consumer saw no bit, its load came before the producer's setting it, so its store of `parked` came before the
 *    producer's load of the state: the producer sees a sleeper, and rings.
 * 4. Ringing adds to the doorbell before it notifies, and the consumer waits for the doorbell to differ from what it was
 *    before `parked`: a ring between the look and the wait makes the wait return at once.
 * 5. A producer that dies at any point of this leaves the consumer parked: its successor, or its supervisor, announces
 *    again, and rings. A busy consumer costs its producers no notify at all.
 *
 * Which strategy: measured on Node 20, a round trip takes about 25 µs when both sides wait asynchronously (no less than
 * `postMessage`) and about 12 µs when both block. Blocking stops timers, I/O and the control plane of its
 * thread, so `async` is the default; `blocking` is for a thread whose actors do nothing but handle messages.
 * `test/bench/lanes.ts` repeats the measurement.
 */
import { performance } from "node:perf_hooks";
import type { AdaptiveSpin } from "./adaptive-spin.ts";
import type { ControlBlock } from "./control-block.ts";
import { controlWords, threadStates } from "./control-layout.ts";

/** `work`: look at the lanes now. `timed-out`: nothing came. `parked`: the wake callback will be called. */
export type ParkOutcome = "work" | "timed-out" | "parked";

/** One thread's way to sleep. */
export interface Parking {
	readonly kind: "async" | "blocking";
	/** The next {@link park} will poll for a while before it sleeps. */
	readonly polls: boolean;
	/**
	 * Sleeps unless something was announced: a producer has published, or a consumer has made room. The caller has taken
	 * what was announced before, by draining its lanes and by `OutboundLanes.takeRoom`, or it never sleeps.
	 * @param timeoutMs how long a blocking thread sleeps at most; an asynchronous one has timers for that
	 */
	park(timeoutMs: number): ParkOutcome;
	/** Ends a parking that lasts: call it when a timer or I/O wakes an asynchronously parked thread. */
	unpark(): void;
}

/** Polls between two looks at the clock. */
const SPIN_POLLS = 32;

/** Looks at the bits for as long as `spin` allows; whether one was set. */
function poll(control: ControlBlock, spin: AdaptiveSpin | null): boolean {
	if (spin === null || spin.micros === 0) return false;
	const until = performance.now() + spin.micros / 1000;
	do {
		for (let i = 0; i < SPIN_POLLS; i++) {
			if (!control.hasAnnounced()) continue;
			spin.polled(true);
			return true;
		}
	} while (performance.now() < until);
	spin.polled(false);
	return false;
}

/** Blocks the thread in `Atomics.wait`. Never on the main thread of an application that serves anything. */
export class BlockingParking implements Parking {
	readonly kind = "blocking";
	readonly #control: ControlBlock;
	readonly #spin: AdaptiveSpin | null;

	/** @param spin polls as it says before it sleeps; null never polls */
	constructor(control: ControlBlock, spin: AdaptiveSpin | null = null) {
		this.#control = control;
		this.#spin = spin;
	}

	get polls(): boolean {
		return this.#spin !== null && this.#spin.micros > 0;
	}

	park(timeoutMs: number): ParkOutcome {
		const control = this.#control;
		if (poll(control, this.#spin)) return "work";
		const { words } = control;
		const doorbell = words.load(controlWords.doorbell);
		words.store(controlWords.state, threadStates.parkedBlocking);
		const waited = control.hasAnnounced() ? "work" : this.#wait(doorbell, timeoutMs);
		words.store(controlWords.state, threadStates.running);
		return waited === "timed-out" && !control.hasAnnounced() ? "timed-out" : "work";
	}

	unpark(): void {
		// The thread runs whenever anybody can call this.
	}

	#wait(doorbell: number, timeoutMs: number): "ok" | "not-equal" | "timed-out" {
		const { words } = this.#control;
		if (this.#spin === null) return words.wait(controlWords.doorbell, doorbell, timeoutMs);
		const sinceMs = performance.now();
		const waited = words.wait(controlWords.doorbell, doorbell, timeoutMs);
		this.#spin.slept((performance.now() - sinceMs) * 1000, this.#control.microsSinceRing());
		return waited;
	}
}

/**
 * Waits in `Atomics.waitAsync`, without timeout (each would leave a task behind) and with one outstanding waiter at most:
 * a waiter that a park did not need stays armed for the next. It does not keep the event loop alive.
 */
export class AsyncParking implements Parking {
	readonly kind = "async";
	readonly #control: ControlBlock;
	readonly #spin: AdaptiveSpin | null;
	readonly #onWake: () => void;
	#armed = false;
	#parkedAtMs = 0;

	/**
	 * @param onWake called once for each ring, also if the lanes turn out empty; must not throw
	 * @param spin as for {@link BlockingParking}
	 */
	constructor(control: ControlBlock, onWake: () => void, spin: AdaptiveSpin | null = null) {
		this.#control = control;
		this.#onWake = onWake;
		this.#spin = spin;
	}

	get polls(): boolean {
		return this.#spin !== null && this.#spin.micros > 0;
	}

	park(_timeoutMs: number): ParkOutcome {
		const control = this.#control;
		if (poll(control, this.#spin)) return "work";
		const { words } = control;
		if (!this.#armed) this.#arm();
		if (this.#spin !== null) this.#parkedAtMs = performance.now();
		words.store(controlWords.state, threadStates.parkedAsync);
		if (!control.hasAnnounced()) return "parked";
		words.store(controlWords.state, threadStates.running);
		return "work";
	}

	unpark(): void {
		this.#control.words.store(controlWords.state, threadStates.running);
	}

	#arm(): void {
		const control = this.#control;
		const { words } = control;
		this.#armed = true;
		const wake = (): void => {
			this.#armed = false;
			this.#spin?.slept((performance.now() - this.#parkedAtMs) * 1000, control.microsSinceRing());
			this.unpark();
			this.#onWake();
		};
		words.waitAsync(controlWords.doorbell, words.load(controlWords.doorbell)).then(wake, wake);
	}
}
