/** A bounded number of places, and a bounded queue of those who wait for one. */
import * as errors from "./errors.ts";

/** Commands that may wait for a place in one window. */
export const WINDOW_WAITING_MAX = 65_536;

/** Places are given in the order of asking. */
export class Window {
	readonly #places: number;
	#taken = 0;
	/** Those who wait, from `#head` on. */
	#waiting: { readonly enter: () => void; readonly refuse: (error: Error) => void }[] = [];
	#head = 0;
	#closed: Error | null = null;

	constructor(places: number) {
		this.#places = places;
	}

	get taken(): number {
		return this.#taken;
	}

	/** True if a place is free now; it is then taken. */
	tryEnter(): boolean {
		if (this.#closed !== null || this.#taken >= this.#places) return false;
		this.#taken += 1;
		return true;
	}

	/**
	 * Waits for a place and takes it.
	 * @throws QuorateError `client-overloaded` over {@link WINDOW_WAITING_MAX}; what {@link close} was given
	 */
	enter(): Promise<void> {
		if (this.#closed !== null) return Promise.reject(this.#closed);
		if (this.tryEnter()) return Promise.resolve();
		const waiting = this.#waiting.length - this.#head;
		if (waiting >= WINDOW_WAITING_MAX) {
			return Promise.reject(errors.clientOverloaded({ waiting, limit: WINDOW_WAITING_MAX }));
		}
		return new Promise((enter, refuse) => this.#waiting.push({ enter, refuse }));
	}

	/** Gives a place back: the longest waiting has it next. */
	leave(): void {
		const next = this.#waiting[this.#head];
		if (next === undefined) {
			this.#taken -= 1;
			return;
		}
		this.#head += 1;
		if (this.#head >= 1_024 || this.#head === this.#waiting.length) {
			this.#waiting = this.#waiting.slice(this.#head);
			this.#head = 0;
		}
		next.enter();
	}

	/** Refuses all who wait and all who come. */
	close(error: Error): void {
		this.#closed = error;
		const waiting = this.#waiting.slice(this.#head);
		this.#waiting = [];
		this.#head = 0;
		for (const { refuse } of waiting) refuse(error);
	}
}
