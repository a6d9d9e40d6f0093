/** Holds things back until it is opened: a clogged link, a paused thread. */
export class Gate {
	readonly #capacity: number;
	#held: (() => void)[] | null = [];

	/** @param capacity what it holds at most; more is refused */
	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	get held(): number {
		return this.#held?.length ?? 0;
	}

	/** Runs it now, or once the gate is open; false when the gate holds as much as it can, and forgets this one. */
	pass(run: () => void): boolean {
		if (this.#held === null) {
			run();
			return true;
		}
		if (this.#held.length >= this.#capacity) return false;
		this.#held.push(run);
		return true;
	}

	/** Lets everything through, in order, and what comes from now on. */
	open(): void {
		const held = this.#held;
		this.#held = null;
		for (const run of held ?? []) run();
	}
}
