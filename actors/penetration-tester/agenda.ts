/** What is to happen on virtual time, in the order of its time, and of its scheduling within one moment. */

interface Item {
	readonly atMs: number;
	readonly order: number;
	readonly run: () => void;
}

/** Things that happen in one run: attackers that stir each other up must not keep it from ending. */
const STEPS_MAX = 300_000;

/** A binary heap. */
export class Agenda {
	readonly #items: Item[] = [];
	#order = 0;
	#steps = 0;
	nowMs = 0;

	after(delayMs: number, run: () => void): void {
		const item = { atMs: this.nowMs + delayMs, order: this.#order++, run };
		let place = this.#items.push(item) - 1;
		while (place > 0) {
			const parent = (place - 1) >> 1;
			if (!this.#isEarlier(item, this.#items[parent] as Item)) break;
			this.#items[place] = this.#items[parent] as Item;
			place = parent;
		}
		this.#items[place] = item;
	}

	/** Runs until the condition holds, nothing is left before that time, or too much has happened; returns whether the condition holds. */
	runUntil(isDone: () => boolean, untilMs: number): boolean {
		while (!isDone()) {
			if (this.#steps >= STEPS_MAX) return false;
			this.#steps += 1;
			const next = this.#items[0];
			if (next === undefined || next.atMs > untilMs) {
				this.nowMs = untilMs;
				return isDone();
			}
			this.#removeFirst();
			this.nowMs = next.atMs;
			next.run();
		}
		return true;
	}

	#removeFirst(): void {
		const last = this.#items.pop();
		if (last === undefined || this.#items.length === 0) return;
		let place = 0;
		for (;;) {
			const left = 2 * place + 1;
			if (left >= this.#items.length) break;
			const right = left + 1;
			const isRight =
				right < this.#items.length && this.#isEarlier(this.#items[right] as Item, this.#items[left] as Item);
			const child = isRight ? right : left;
			if (!this.#isEarlier(this.#items[child] as Item, last)) break;
			this.#items[place] = this.#items[child] as Item;
			place = child;
		}
		this.#items[place] = last;
	}

	#isEarlier(a: Item, b: Item): boolean {
		return a.atMs === b.atMs ? a.order < b.order : a.atMs < b.atMs;
	}
}
