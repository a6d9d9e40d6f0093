/**
 * What is to be spread: each item leaves a bounded number of times, the least sent first and of these the newest, and a
 * newer item of the same key takes the place of the old one (SWIM §4.1; memberlist's TransmitLimitedQueue).
 */
import { must } from "../../core/index.ts";

interface Waiting<T> {
	readonly key: string;
	readonly item: T;
	readonly sizeBytes: number;
	/** Times that it was sent; {@link DROPPED} of what only waits to be passed over. */
	sends: number;
}

const DROPPED = -1;
/** So many dropped items beyond the live ones are worth a sweep. */
const SWEEP_AFTER = 64;

export class BroadcastQueue<T> {
	readonly #byKey = new Map<string, Waiting<T>>();
	/** By how often they were sent; within one list the newest is last. Dropped ones stay until they are met or swept. */
	#lists: Waiting<T>[][] = [];
	#dropped = 0;
	readonly #itemsMax: number;

	/** @param itemsMax items that may wait; one more takes the place of the one that was sent most often */
	constructor(itemsMax: number) {
		this.#itemsMax = itemsMax;
	}

	get size(): number {
		return this.#byKey.size;
	}

	push(key: string, item: T, sizeBytes: number): void {
		this.drop(key);
		if (this.#byKey.size >= this.#itemsMax) this.#dropMostSent();
		this.#add({ key, item, sizeBytes, sends: 0 });
	}

	drop(key: string): void {
		const waiting = this.#byKey.get(key);
		if (waiting === undefined) return;
		this.#byKey.delete(key);
		waiting.sends = DROPPED;
		this.#dropped++;
		if (this.#dropped > this.#byKey.size + SWEEP_AFTER) this.#sweep();
	}

	/**
	 * Takes what fits into `budgetBytes`, and counts it as sent once more; what was sent `sendsMax` times is done.
	 * Returns the bytes that were used.
	 */
	take(budgetBytes: number, sendsMax: number, taken: T[]): number {
		let used = 0;
		const again: Waiting<T>[] = [];
		for (const list of this.#lists) {
			const tooLarge: Waiting<T>[] = [];
			while (list.length > 0 && budgetBytes - used >= ITEM_BYTES_MIN) {
				const waiting = list.pop() as Waiting<T>;
				if (waiting.sends === DROPPED) {
					this.#dropped--;
				} else if (used + waiting.sizeBytes > budgetBytes) {
					tooLarge.push(waiting);
				} else {
					used += waiting.sizeBytes;
					taken.push(waiting.item);
					again.push(waiting);
				}
			}
			for (let i = tooLarge.length - 1; i >= 0; i--) list.push(tooLarge[i] as Waiting<T>);
			if (budgetBytes - used < ITEM_BYTES_MIN) break;
		}
		// Only now, or what was just sent would be met again in a later list. Backwards, so that the newest stays last.
		for (let i = again.length - 1; i >= 0; i--) {
			const waiting = again[i] as Waiting<T>;
			this.#byKey.delete(waiting.key);
			waiting.sends++;
			if (waiting.sends < sendsMax) this.#add(waiting);
		}
		return used;
	}

	/** What waits, the least sent first and of these the newest, as plain data. */
	view(): readonly { readonly item: T; readonly sends: number }[] {
		const live = this.#lists.flatMap((list) => list.filter(({ sends }) => sends !== DROPPED).reverse());
		return live.map(({ item, sends }) => ({ item, sends }));
	}

	copy(): BroadcastQueue<T> {
		const copy = new BroadcastQueue<T>(this.#itemsMax);
		for (const list of this.#lists)
			for (const waiting of list) if (waiting.sends !== DROPPED) copy.#add({ ...waiting });
		return copy;
	}

	#add(waiting: Waiting<T>): void {
		while (this.#lists.length <= waiting.sends) this.#lists.push([]);
		this.#byKey.set(waiting.key, waiting);
		must(this.#lists[waiting.sends], "made above").push(waiting);
	}

	#dropMostSent(): void {
		for (let sends = this.#lists.length - 1; sends >= 0; sends--) {
			const oldest = this.#lists[sends]?.find((waiting) => waiting.sends !== DROPPED);
			if (oldest !== undefined) {
				this.drop(oldest.key);
				return;
			}
		}
	}

	#sweep(): void {
		this.#lists = this.#lists.map((list) => list.filter(({ sends }) => sends !== DROPPED));
		this.#dropped = 0;
	}
}

/** No item is smaller, so a smaller rest of a packet is not worth a search. */
const ITEM_BYTES_MIN = 24;
