/**
 * One thing after the other. A supervisor's hooks, its delayed restarts and the returns of threads all change the same
 * children and all wait for others; here they take turns, so that each sees the children between two decisions.
 * The queue holds at most one task per signal, request or child at a time, all of which are bounded.
 */
export class TurnQueue {
	#last: Promise<unknown> = Promise.resolve();

	/** Runs the task when those before it have settled; settles as the task does. */
	run<T>(task: () => Promise<T>): Promise<T> {
		const settled = this.#last.then(task);
		// Whoever asked for the task sees its failure; those who wait behind it only need to know that it is over.
		this.#last = settled.then(
			() => undefined,
			() => undefined,
		);
		return settled;
	}
}
