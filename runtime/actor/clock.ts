/** Time as actors see it: monotonic, one origin for all threads, virtual in simulation. */

declare const timerHandle: unique symbol;
export interface TimerHandle {
	readonly [timerHandle]: true;
}

/** A monotonic clock with one origin for all threads of a system. */
export interface Clock {
	/** Milliseconds since the system started, with a fraction. */
	nowMs(): number;
	/** Runs the callback once, not before `afterMs` has passed, in a turn of its own. */
	schedule(afterMs: number, callback: () => void): TimerHandle;
	cancel(handle: TimerHandle): void;
}
