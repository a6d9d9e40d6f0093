/**
 * Judges one partition, and explains what it refuses. Linearizability is closed under prefixes, so there is exactly one
 * operation with whose end a history stops being linearizable: the offending one. The search gets stuck there or earlier,
 * since it knows what lies behind: what operations that were still open would be answered, and what foresight makes of
 * later reads. So prefixes from there on are judged by themselves.
 */
import { must } from "../../core/index.ts";
import type { Model } from "./model.ts";
import type { Operation } from "./operation.ts";
import type { Partition } from "./partition.ts";
import { Search, type SearchResult } from "./search.ts";

/** Why there is no verdict: the budget ended, or the search would need more memory than it may have. */
export type UnknownReason = "budget" | "memory";

export type PartitionVerdict =
	| { readonly type: "ok" }
	| {
			readonly type: "illegal";
			/** Null if budget or memory ended before it was found. */
			readonly offending: Offending | null;
	  }
	| { readonly type: "unknown"; readonly reason: UnknownReason };

/** The end of the longest linearizable prefix. */
export interface Offending {
	/** Up to its end the history is linearizable, with its answer no more. */
	readonly operation: Operation;
	/** Operations that were answered before. */
	readonly prefixLength: number;
	/** Operations that were open when it ended. */
	readonly concurrent: readonly Operation[];
	/** One linearization of the prefix, and the state behind it. Null if budget or memory ended before it was found. */
	readonly witness: { readonly order: readonly Operation[]; readonly state: string } | null;
}

export class PartitionCheck<State> {
	readonly partition: Partition;
	readonly #model: Model<State>;
	#run: Generator<void, PartitionVerdict> | null = null;
	#verdict: PartitionVerdict | null = null;
	#search: Search<State> | null = null;
	/** Of the searches before the present one. */
	#stepsBefore = 0;
	#configurationsMax = 0;
	#explained = 0;
	/** What is certain if the budget ends now. */
	#certain: PartitionVerdict = { type: "unknown", reason: "budget" };

	constructor(model: Model<State>, partition: Partition) {
		this.#model = model;
		this.partition = partition;
	}

	/** Steps of the model so far. */
	get steps(): number {
		return this.#stepsBefore + (this.#search?.steps ?? 0);
	}

	/** The most configurations that one search has kept. */
	get configurations(): number {
		return Math.max(this.#configurationsMax, this.#search?.configurations ?? 0);
	}

	/** How many answered operations the best order so far explains. */
	get explained(): number {
		return Math.max(this.#explained, this.#search?.explained ?? 0);
	}

	/** Goes on for some thousand steps; null while there is no verdict. */
	advance(): PartitionVerdict | null {
		if (this.#verdict !== null) return this.#verdict;
		this.#run ??= this.#judge();
		const { done, value } = this.#run.next();
		if (done === true) this.#end(value);
		return this.#verdict;
	}

	/** The budget is over: what is not decided stays so. */
	abandon(): PartitionVerdict {
		if (this.#verdict === null) this.#end(this.#certain);
		return must(this.#verdict ?? undefined, "it was just set");
	}

	#end(verdict: PartitionVerdict): void {
		this.#closeSearch();
		this.#verdict = verdict;
		this.#run = null;
	}

	*#judge(): Generator<void, PartitionVerdict> {
		const { operations } = this.partition;
		const result = yield* this.#searched(operations);
		if (result.type === "ok") return { type: "ok" };
		if (result.type === "memo-full") return { type: "unknown", reason: "memory" };
		this.#certain = { type: "illegal", offending: null };
		const operation = yield* this.#located(result.stuckAt);
		if (operation === null) return this.#certain;
		const offending: Offending = {
			operation,
			prefixLength: operations.filter(({ outcome, end }) => outcome === "ok" && end < operation.end).length,
			concurrent: operations.filter(
				(other) => other !== operation && other.begin < operation.end && other.end > operation.end,
			),
			witness: null,
		};
		this.#certain = { type: "illegal", offending };
		const prefix = yield* this.#searched(cutAt(operations, operation.end - 1));
		if (prefix.type !== "ok") return this.#certain;
		const { operations: order, state } = must(this.#search ?? undefined, "the search that has just ended").order;
		const byId = new Map(operations.map((own) => [own.id, own]));
		const witness = {
			order: order.map(({ id }) => must(byId.get(id), "an order has operations of the partition")),
			state: this.#model.describe(state),
		};
		return { type: "illegal", offending: { ...offending, witness } };
	}

	/** The operation with whose end the history stops being linearizable; null if the memo is too small to find it. */
	*#located(stuckAt: Operation): Generator<void, Operation | null> {
		const { operations } = this.partition;
		const ends = operations.filter(({ outcome }) => outcome === "ok").sort((a, b) => a.end - b.end);
		const placeOf = new Map(ends.map(({ id }, place) => [id, place]));
		const place = ({ id }: Operation): number => must(placeOf.get(id), "an end of the partition");
		// What ends before `ends[low]` is linearizable; with `ends[high]` it is not.
		let low = place(stuckAt);
		let high = ends.length - 1;
		let stride = 1;
		while (low < high) {
			const probe = Math.min(low + stride - 1, high - 1);
			const result = yield* this.#searched(cutAt(operations, must(ends[probe], "in range").end));
			if (result.type === "memo-full") return null;
			if (result.type === "ok") {
				low = probe + 1;
				stride *= 2;
			} else {
				high = probe;
				low = Math.max(low, place(result.stuckAt));
				stride = 1;
			}
		}
		return must(ends[low], "an illegal history has an end");
	}

	*#searched(operations: readonly Operation[]): Generator<void, SearchResult> {
		this.#closeSearch();
		const foresight = this.#model.foresee?.(operations) ?? null;
		const search = new Search(this.#model, operations, foresight);
		this.#search = search;
		for (;;) {
			const result = search.advance();
			if (result !== null) return result;
			yield;
		}
	}

	#closeSearch(): void {
		if (this.#search === null) return;
		this.#stepsBefore += this.#search.steps;
		this.#configurationsMax = this.configurations;
		this.#explained = this.explained;
		this.#search = null;
	}
}

/** The history as it stood right behind this position: what ends later is still open. */
function cutAt(operations: readonly Operation[], position: number): Operation[] {
	return operations
		.filter(({ begin }) => begin <= position)
		.map((operation) => {
			if (operation.end <= position || operation.outcome === "unknown") return operation;
			const steps = operation.steps?.map((step) => (step.op === "get" ? { ...step, value: undefined } : step)) ?? null;
			return {
				...operation,
				steps,
				outcome: "unknown",
				answer: undefined,
				accepted: undefined,
				end: Number.POSITIVE_INFINITY,
			};
		});
}
