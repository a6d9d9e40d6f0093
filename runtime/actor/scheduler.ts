/** RxJS time on the clock of an actor: what its time operators run is a turn of that actor. */
import type { SchedulerAction, SchedulerLike } from "rxjs";
import { Subscription } from "rxjs/internal/Subscription";
import type { Clock } from "./clock.ts";
import type { InstanceTimers } from "./timers.ts";

/** Give it to every time operator of a behaviour (`debounceTime(50, context.scheduler)`). */
export class ContextScheduler implements SchedulerLike {
	readonly #clock: Clock;
	readonly #timers: InstanceTimers;

	constructor(clock: Clock, timers: InstanceTimers) {
		this.#clock = clock;
		this.#timers = timers;
	}

	now(): number {
		return this.#clock.nowMs();
	}

	schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
		return new ContextAction<T>(this.#timers, work).schedule(state, delay);
	}
}

/** A piece of scheduled work, which may schedule itself again. */
class ContextAction<T> extends Subscription implements SchedulerAction<T> {
	readonly #timers: InstanceTimers;
	readonly #work: (this: SchedulerAction<T>, state?: T) => void;
	#cancel: (() => void) | null = null;

	constructor(timers: InstanceTimers, work: (this: SchedulerAction<T>, state?: T) => void) {
		super(() => this.#cancel?.());
		this.#timers = timers;
		this.#work = work;
	}

	schedule(state?: T, delay = 0): Subscription {
		if (this.closed) return this;
		this.#cancel?.();
		this.#cancel = this.#timers.after(delay, () => {
			this.#cancel = null;
			this.#work.call(this, state);
			if (this.#cancel === null) this.unsubscribe();
		});
		return this;
	}
}
