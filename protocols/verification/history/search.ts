/**
 * The search for a linearization: depth first over the orders in which operations may have taken effect (Wing and Gong,
 * "Testing and Verifying Concurrent Objects", 1993) with a memo of configurations (Lowe, "Testing for Linearizability",
 * 2017). Two reductions keep it short, and neither changes a verdict:
 *
 * 1. An operation that changes no state, whatever the state is, is linearized at once where its answer fits. If any
 *    linearization goes on from there, so does one with it in front: it changes nothing for the others, and none of them
 *    had to come before it.
 * 2. Operations of unknown outcome are tried last, and a configuration that has used more of them than another one is
 *    as good as visited (see `ConfigurationMemo`).
 */
import { must } from "../../core/index.ts";
import { CONFIGURATIONS_MAX, ConfigurationMemo } from "./configuration-memo.ts";
import { EventList } from "./event-list.ts";
import type { Foresight, Model } from "./model.ts";
import type { Operation } from "./operation.ts";

export type SearchResult =
	/** Every operation that was answered has its place in {@link Search.order}. */
	| { readonly type: "ok" }
	/** There is no linearization. What had ended before this operation did has one; it got no further. */
	| { readonly type: "illegal"; readonly stuckAt: Operation }
	/** More configurations than the memo keeps. */
	| { readonly type: "memo-full" };

/** What is tried, in this order, from one configuration. */
const PURE = 0;
const EFFECTS = 1;
const UNKNOWN = 2;

/** How often a search looks whether its time is over, in steps. */
const STEPS_PER_SLICE = 4_096;

export class Search<State> {
	readonly #model: Model<State>;
	readonly #foresight: Foresight<State> | null;
	readonly #list: EventList;
	readonly #memo: ConfigurationMemo<State>;
	readonly #isPure: Uint8Array;
	readonly #slotOf: Int32Array;
	readonly #definiteWords: number;

	/** The present configuration. */
	#state: State;
	/** Which operations that were open at `#firstEnd` are linearized, by slot; then which of unknown outcome. */
	readonly #set: Int32Array;
	#firstEnd: number;
	#furthestEnd: number;

	/** What was linearized, and for each what was before it. */
	#depth = 0;
	readonly #operations: Int32Array;
	readonly #kinds: Uint8Array;
	readonly #states: State[] = [];
	readonly #firstEnds: Int32Array;
	#sets: Int32Array;

	#steps = 0;
	#result: SearchResult | null = null;

	/**
	 * @param operations of one object, in the order of their invocation; failed ones, and those of unknown outcome that
	 *   are pure, are left out
	 * @param foresight what `model.foresee` has made of the same operations; null for none
	 */
	constructor(model: Model<State>, operations: readonly Operation[], foresight: Foresight<State> | null) {
		this.#model = model;
		this.#foresight = foresight;
		const judged = operations.filter(
			(operation) => operation.outcome === "ok" || (operation.outcome === "unknown" && !model.isPure(operation)),
		);
		this.#list = new EventList(judged);
		const total = this.#list.operations.length;
		this.#isPure = Uint8Array.from(this.#list.operations, (operation) => (model.isPure(operation) ? 1 : 0));
		const { slotOf, count } = this.#list.slots();
		this.#slotOf = slotOf;
		this.#definiteWords = wordsFor(count);
		const unknownWords = wordsFor(total - this.#list.definite);
		this.#memo = new ConfigurationMemo(model, this.#definiteWords, unknownWords);
		this.#set = new Int32Array(this.#definiteWords + unknownWords);
		this.#state = model.initial;
		this.#firstEnd = this.#list.firstEnd();
		this.#furthestEnd = this.#firstEnd;
		this.#operations = new Int32Array(total);
		this.#kinds = new Uint8Array(total);
		this.#firstEnds = new Int32Array(total);
		this.#sets = new Int32Array(this.#set.length * Math.min(total, STEPS_PER_SLICE));
		if (this.#firstEnd === this.#list.tail) this.#result = { type: "ok" };
	}

	/** Steps of the model so far. */
	get steps(): number {
		return this.#steps;
	}

	/** Configurations that are kept. */
	get configurations(): number {
		return this.#memo.size;
	}

	/** Of the operations that were answered, how many had ended where the best order so far was stuck. */
	get explained(): number {
		const { tail, definite } = this.#list;
		return this.#furthestEnd === tail ? definite : this.#countEndsBefore(this.#furthestEnd);
	}

	/** The present order, and the state behind it; after `ok`, the linearization. */
	get order(): { readonly operations: readonly Operation[]; readonly state: State } {
		const operations = Array.from(
			this.#operations.subarray(0, this.#depth),
			(operation) => this.#list.operations[operation]!,
		);
		return { operations, state: this.#state };
	}

	/** Goes on until a result or for some thousand steps; null if it has to go on. */
	advance(): SearchResult | null {
		const stepsMax = this.#steps + STEPS_PER_SLICE;
		while (this.#result === null && this.#steps < stepsMax) {
			if (!this.#goOn(PURE, -1)) this.#comeBack();
		}
		return this.#result;
	}

	/** Linearizes one operation, of this kind behind `after` or of a later kind; false if none is left to try. */
	#goOn(kind: number, after: number): boolean {
		if (kind === PURE && this.#linearizePure()) return true;
		if (kind <= EFFECTS && this.#linearizeEffect(kind === EFFECTS ? after : -1)) return true;
		return this.#linearizeUnknown(kind === UNKNOWN ? after : -1);
	}

	#linearizePure(): boolean {
		const list = this.#list;
		for (let event = list.after(0); event !== this.#firstEnd; event = list.after(event)) {
			const operation = list.operationOf[event]!;
			if (this.#isPure[operation] === 0) continue;
			this.#steps++;
			if (this.#model.step(this.#state, list.operations[operation]!) === undefined) continue;
			this.#push(operation, PURE, this.#state);
			return true;
		}
		return false;
	}

	#linearizeEffect(after: number): boolean {
		const list = this.#list;
		const first = list.after(after < 0 ? 0 : list.beginOf(after));
		for (let event = first; event !== this.#firstEnd; event = list.after(event)) {
			const operation = list.operationOf[event]!;
			if (this.#isPure[operation] === 0 && this.#try(operation, EFFECTS)) return true;
		}
		return false;
	}

	#linearizeUnknown(after: number): boolean {
		const list = this.#list;
		for (
			let operation = list.unknownAfter(after, this.#firstEnd);
			operation >= 0;
			operation = list.unknownAfter(operation, this.#firstEnd)
		) {
			if (this.#try(operation, UNKNOWN)) return true;
		}
		return false;
	}

	#try(operation: number, kind: number): boolean {
		const { operations, positions } = this.#list;
		this.#steps++;
		const next = this.#model.step(this.#state, operations[operation]!);
		if (next === undefined) return false;
		const now = positions[this.#firstEnd]!;
		if (this.#foresight !== null && !this.#foresight(this.#state, operations[operation]!, now)) return false;
		this.#push(operation, kind, next);
		if (this.#memo.add(this.#firstEnd, this.#set, this.#state)) {
			if (this.#memo.size >= CONFIGURATIONS_MAX) this.#result ??= { type: "memo-full" };
			return true;
		}
		this.#pop();
		return false;
	}

	/** Takes back the last choice, and those before it as long as there is no other one, and makes the next. */
	#comeBack(): void {
		while (this.#depth > 0) {
			const operation = this.#operations[this.#depth - 1]!;
			const kind = this.#kinds[this.#depth - 1]!;
			this.#pop();
			if (kind !== PURE && this.#goOn(kind, operation)) return;
		}
		const stuckAt = this.#list.operations[this.#list.operationOf[this.#furthestEnd]!];
		this.#result = { type: "illegal", stuckAt: must(stuckAt, "an end belongs to an operation") };
	}

	#push(operation: number, kind: number, next: State): void {
		const depth = this.#depth++;
		this.#operations[depth] = operation;
		this.#kinds[depth] = kind;
		this.#states[depth] = this.#state;
		this.#firstEnds[depth] = this.#firstEnd;
		this.#saveSet(depth);

		this.#state = next;
		this.#list.lift(operation);
		const slot =
			operation < this.#list.definite
				? this.#slotOf[operation]!
				: this.#definiteWords * 32 + operation - this.#list.definite;
		this.#set[slot >>> 5]! |= 1 << (slot & 31);
		this.#passEnds();
	}

	/** Finds the first end that is left; the slots of the operations whose ends are passed are free again. */
	#passEnds(): void {
		const list = this.#list;
		const firstEnd = list.firstEnd();
		for (let event = this.#firstEnd; event < firstEnd; event++) {
			if (list.isEnd[event] === 0) continue;
			const slot = this.#slotOf[list.operationOf[event]!]!;
			this.#set[slot >>> 5]! &= ~(1 << (slot & 31));
		}
		this.#firstEnd = firstEnd;
		this.#furthestEnd = Math.max(this.#furthestEnd, firstEnd);
		if (firstEnd === list.tail) this.#result = { type: "ok" };
	}

	#pop(): void {
		const depth = --this.#depth;
		this.#list.restore(this.#operations[depth]!);
		this.#state = this.#states[depth] as State;
		this.#firstEnd = this.#firstEnds[depth]!;
		const { length } = this.#set;
		for (let word = 0; word < length; word++) this.#set[word] = this.#sets[depth * length + word]!;
	}

	#saveSet(depth: number): void {
		const { length } = this.#set;
		if ((depth + 1) * length > this.#sets.length) {
			const longer = new Int32Array(this.#sets.length * 2 + length);
			longer.set(this.#sets);
			this.#sets = longer;
		}
		this.#sets.set(this.#set, depth * length);
	}

	#countEndsBefore(limit: number): number {
		let count = 0;
		for (let event = 1; event < limit; event++) count += this.#list.isEnd[event]!;
		return count;
	}
}

function wordsFor(bits: number): number {
	return Math.ceil(bits / 32);
}
