/** The timers of one life of an actor. */
import { invalidArgument } from "../../protocols/core/index.ts";
import type { ActorTimers } from "./behaviour.ts";
import type { Clock } from "./clock.ts";
import { Tick } from "./entry.ts";

/** The longest delay: what Node's own timers can hold. */
export const TIMER_MS_MAX = 0x7fff_ffff;

/**
 * Keyed timers and the unkeyed ones of the context's scheduler. When {@link close} has been called, by the end of the
 * instance, no tick of this life is handled any more, not even one that is in the mailbox already.
 */
export class InstanceTimers implements ActorTimers {
	readonly #clock: Clock;
	/** Puts a tick into the mailbox. */
	readonly #fire: (tick: Tick) => void;
	readonly #keyed = new Map<string, Tick>();
	readonly #unkeyed = new Set<Tick>();
	#closed = false;

	constructor(clock: Clock, fire: (tick: Tick) => void) {
		this.#clock = clock;
		this.#fire = fire;
	}

	set(key: string, afterMs: number, message: unknown): void {
		this.#start(afterMs, new Tick(key, message, null));
	}

	run(key: string, afterMs: number, callback: () => void | Promise<void>): void {
		this.#start(afterMs, new Tick(key, undefined, callback));
	}

	/** A timer without a key; returns the way to cancel it. */
	after(afterMs: number, callback: () => void): () => void {
		const tick = new Tick(null, undefined, callback);
		this.#start(afterMs, tick);
		return () => this.#end(tick);
	}

	cancel(key: string): void {
		const tick = this.#keyed.get(key);
		if (tick !== undefined) this.#end(tick);
	}

	cancelAll(): void {
		for (const tick of [...this.#keyed.values(), ...this.#unkeyed]) this.#end(tick);
	}

	close(): void {
		this.#closed = true;
		this.cancelAll();
	}

	/** Called when a tick comes out of the mailbox: whether it may still be handled. It can not be handled twice. */
	take(tick: Tick): boolean {
		if (!tick.live) return false;
		this.#forget(tick);
		return true;
	}

	#start(afterMs: number, tick: Tick): void {
		if (!(afterMs >= 0 && afterMs <= TIMER_MS_MAX)) {
			throw invalidArgument({ argument: "afterMs", expected: `0 to ${TIMER_MS_MAX}`, actual: String(afterMs) });
		}
		if (tick.key !== null) {
			const former = this.#keyed.get(tick.key);
			if (former !== undefined) this.#silence(former);
			// In the place of the former one: a map grows with what is deleted from it.
			if (this.#closed) this.#keyed.delete(tick.key);
			else this.#keyed.set(tick.key, tick);
		} else if (!this.#closed) this.#unkeyed.add(tick);
		// A handler that outlived its instance may still hold this object: its timers never fire.
		if (this.#closed) {
			tick.live = false;
			return;
		}
		tick.handle = this.#clock.schedule(afterMs, () => {
			tick.handle = null;
			if (tick.live) this.#fire(tick);
		});
	}

	#end(tick: Tick): void {
		this.#silence(tick);
		this.#forget(tick);
	}

	#silence(tick: Tick): void {
		if (tick.handle !== null) this.#clock.cancel(tick.handle);
		tick.handle = null;
		tick.live = false;
	}

	#forget(tick: Tick): void {
		tick.live = false;
		if (tick.key === null) this.#unkeyed.delete(tick);
		else if (this.#keyed.get(tick.key) === tick) this.#keyed.delete(tick.key);
	}
}
