/**
 * The invocations and ends that a search has not passed yet, as a doubly linked list from which an operation is lifted
 * when it is linearized and into which it is put back on the way back (Wing and Gong 1993; Lowe 2017; Horn and Kroening
 * 2015). Operations of unknown outcome have no end and stand in a list of their own.
 */
import type { Operation } from "./operation.ts";

export class EventList {
	/** With a known end, in the order of invocation; then those of unknown outcome. An operation is its index here. */
	readonly operations: readonly Operation[];
	/** How many of {@link operations} have a known end. */
	readonly definite: number;
	/** Behind the last end. Events of definite operations are 1, 2, … in real-time order. */
	readonly tail: number;

	/** The operation of each event. */
	readonly operationOf: Int32Array;
	readonly isEnd: Uint8Array;
	/** The place of each event in the history. */
	readonly positions: Float64Array;
	readonly #next: Int32Array;
	readonly #previous: Int32Array;
	readonly #begins: Int32Array;
	readonly #ends: Int32Array;

	/** Of the operations of unknown outcome: the first event of the others behind the invocation. */
	readonly #eligibleFrom: Int32Array;
	readonly #nextUnknown: Int32Array;
	readonly #previousUnknown: Int32Array;

	/** @param operations in the order of their invocation, none of them failed */
	constructor(operations: readonly Operation[]) {
		const definite = operations.filter(({ outcome }) => outcome === "ok");
		const unknown = operations.filter(({ outcome }) => outcome === "unknown");
		this.operations = [...definite, ...unknown];
		this.definite = definite.length;
		this.tail = 2 * definite.length + 1;
		this.operationOf = new Int32Array(this.tail + 1).fill(-1);
		this.isEnd = new Uint8Array(this.tail + 1);
		this.#begins = new Int32Array(definite.length);
		this.#ends = new Int32Array(definite.length);
		this.#next = Int32Array.from({ length: this.tail + 1 }, (_, event) => event + 1);
		this.#previous = Int32Array.from({ length: this.tail + 1 }, (_, event) => event - 1);
		this.positions = this.#layEvents(definite);

		// The list of unknown ones: index 0 is its head, so operation `definite + i` stands at i + 1.
		const count = unknown.length;
		this.#eligibleFrom = Int32Array.from(unknown, ({ begin }) => firstBehind(this.positions, begin));
		this.#nextUnknown = Int32Array.from({ length: count + 2 }, (_, at) => at + 1);
		this.#previousUnknown = Int32Array.from({ length: count + 2 }, (_, at) => at - 1);
	}

	/** Merges invocations and ends by their place in the history; returns these places, event by event. */
	#layEvents(definite: readonly Operation[]): Float64Array {
		const byEnd = Array.from(definite.keys()).sort((a, b) => definite[a]!.end - definite[b]!.end);
		const positions = new Float64Array(this.tail + 1);
		positions[this.tail] = Number.POSITIVE_INFINITY;
		let [begun, ended] = [0, 0];
		for (let event = 1; event < this.tail; event++) {
			const isEnd = begun === definite.length || definite[byEnd[ended]!]!.end < definite[begun]!.begin;
			const operation = isEnd ? byEnd[ended++]! : begun++;
			const { begin, end } = definite[operation]!;
			this.operationOf[event] = operation;
			this.isEnd[event] = isEnd ? 1 : 0;
			(isEnd ? this.#ends : this.#begins)[operation] = event;
			positions[event] = isEnd ? end : begin;
		}
		return positions;
	}

	/** The event behind this one; 0 stands before the first. */
	after(event: number): number {
		return this.#next[event]!;
	}

	/** The first end in the list; {@link tail} if there is none. All invocations before it may be linearized next. */
	firstEnd(): number {
		let event = this.#next[0]!;
		while (event !== this.tail && this.isEnd[event] === 0) event = this.#next[event]!;
		return event;
	}

	/** The operation of unknown outcome behind this one that was invoked before `end`; -1 if there is none. */
	unknownAfter(operation: number, end: number): number {
		const at = this.#nextUnknown[operation < 0 ? 0 : operation - this.definite + 1]!;
		if (at > this.#eligibleFrom.length || this.#eligibleFrom[at - 1]! > end) return -1;
		return this.definite + at - 1;
	}

	lift(operation: number): void {
		if (operation >= this.definite) {
			unlink(this.#nextUnknown, this.#previousUnknown, operation - this.definite + 1);
			return;
		}
		unlink(this.#next, this.#previous, this.#begins[operation]!);
		unlink(this.#next, this.#previous, this.#ends[operation]!);
	}

	/** Puts back the operation that was lifted last. */
	restore(operation: number): void {
		if (operation >= this.definite) {
			relink(this.#nextUnknown, this.#previousUnknown, operation - this.definite + 1);
			return;
		}
		relink(this.#next, this.#previous, this.#ends[operation]!);
		relink(this.#next, this.#previous, this.#begins[operation]!);
	}

	/** The event of an operation's invocation. */
	beginOf(operation: number): number {
		return this.#begins[operation]!;
	}

	/**
	 * A number for each definite operation that no other one open at the same time has, and how many numbers that takes:
	 * at most as many as operations are open at once.
	 */
	slots(): { readonly slotOf: Int32Array; readonly count: number } {
		const slotOf = new Int32Array(this.definite);
		const free: number[] = [];
		let count = 0;
		for (let event = 1; event < this.tail; event++) {
			const operation = this.operationOf[event]!;
			if (this.isEnd[event] === 1) free.push(slotOf[operation]!);
			else slotOf[operation] = free.pop() ?? count++;
		}
		return { slotOf, count };
	}
}

function unlink(next: Int32Array, previous: Int32Array, at: number): void {
	next[previous[at]!] = next[at]!;
	previous[next[at]!] = previous[at]!;
}

function relink(next: Int32Array, previous: Int32Array, at: number): void {
	next[previous[at]!] = at;
	previous[next[at]!] = at;
}

/** The first event whose place is behind this one. */
function firstBehind(positions: Float64Array, place: number): number {
	let [low, high] = [1, positions.length - 1];
	while (low < high) {
		const middle = (low + high) >> 1;
		if (positions[middle]! > place) high = middle;
		else low = middle + 1;
	}
	return low;
}
