/**
 * Breadth-first search of a state space, so that the first violation found is one with the fewest steps. It keeps a
 * fingerprint, a parent and an action for each distinct state, and the states themselves only until they are expanded
 * (for `eventually`, which needs the whole graph, until the end).
 *
 * What it says is bounded by what it saw: {@link SearchResult.exhausted}.
 */
import { Column, RowStore } from "./columns.ts";
import { requireBound } from "./errors.ts";
import { findFairLasso } from "./fair-lasso.ts";
import { FingerprintSet } from "./fingerprint-set.ts";
import { Judge, type Violation } from "./judge.ts";
import { Origins, replay } from "./replay.ts";
import {
	type Counterexample,
	type SearchBounds,
	type SearchProgress,
	type SearchResult,
	STATES_MAX,
	type StateSearch,
} from "./search-result.ts";
import { StateGraph } from "./state-graph.ts";
import type { StateSpace, SuccessorSink } from "./state-space.ts";

export class Search implements StateSearch {
	readonly #space: StateSpace;
	readonly #statesMax: number;
	readonly #seen = new FingerprintSet();
	readonly #states: RowStore;
	/** The parent's index + 1; 0 of an initial state. */
	readonly #parents = new Column();
	readonly #actions = new Column();
	readonly #origins: Origins;
	/** Null where no property needs it. */
	readonly #graph: StateGraph | null;
	readonly #sink: SearchSink;
	readonly #judge: Judge;
	/** The next state to be expanded. */
	#head = 0;
	#depth = 0;
	/** The first state of the next depth. */
	#depthEnd = 0;
	#generated = 0;
	#boundaryHits = 0;

	/** @throws QuorateError `model-unbounded` */
	constructor(space: StateSpace, bounds: SearchBounds) {
		this.#space = space;
		this.#statesMax = requireBound(space.name, "statesMax", bounds?.statesMax, 1, STATES_MAX);
		this.#states = new RowStore(space.stateWords);
		this.#origins = new Origins(this.#parents, this.#actions);
		this.#graph = space.liveness === null ? null : new StateGraph();
		this.#judge = new Judge(space);
		this.#sink = new SearchSink(space.stateWords, this);
		space.begin(this.#sink);
		this.#depthEnd = this.#states.length;
	}

	/** Expands so many states at most; whether there is more to do. */
	advance(expansionsMax: number): boolean {
		for (let i = 0; i < expansionsMax && !this.#isDone; i++) this.#expandNext();
		return !this.#isDone;
	}

	get progress(): SearchProgress {
		const distinct = this.#states.length;
		return {
			distinct,
			generated: this.#generated,
			depth: this.#depth,
			frontier: distinct - this.#head,
			memoryBytes:
				this.#seen.memoryBytes +
				this.#states.memoryBytes +
				this.#parents.memoryBytes +
				this.#actions.memoryBytes +
				(this.#graph?.memoryBytes ?? 0) +
				this.#space.memoryBytes,
		};
	}

	/** What is known now. A search that was not advanced to its end is not exhausted. */
	result(): SearchResult {
		const { violation } = this.#judge;
		const isComplete = violation === null && this.#head === this.#states.length;
		const lasso = isComplete ? this.#findLasso() : null;
		const counterexample = lasso ?? (violation === null ? null : this.#counterexampleOf(violation));
		return this.#judge.result(this.progress, this.#boundaryHits, isComplete, counterexample);
	}

	get #isDone(): boolean {
		const distinct = this.#states.length;
		return this.#judge.violation !== null || this.#head === distinct || distinct >= this.#statesMax;
	}

	#expandNext(): void {
		if (this.#head === this.#depthEnd) {
			this.#depth++;
			this.#depthEnd = this.#states.length;
		}
		const index = this.#head++;
		this.#graph?.beginState();
		this.#space.expand(this.#states.chunkOf(index), this.#states.offsetOf(index), this.#sink);
		if (this.#graph === null) this.#states.freeBefore(this.#head);
	}

	/** For the sink only. */
	take(action: number, high: number, low: number, findings: number): void {
		this.#look(findings, action);
		const distinct = this.#states.length;
		const index = this.#seen.add(high, low);
		this.#graph?.edge(index, action);
		if (index < distinct) return;
		this.#states.push(this.#sink.words);
		this.#parents.push(this.#head);
		this.#actions.push(action);
	}

	/** For the sink only. */
	leave(action: number, findings: number): void {
		this.#look(findings, action);
		this.#boundaryHits++;
		this.#graph?.edgeBeyond(action);
	}

	/** For the sink only. */
	skip(action: number, findings: number): void {
		this.#look(findings, action);
	}

	/** For the sink only. */
	has(high: number, low: number): boolean {
		return this.#seen.has(high, low);
	}

	#look(findings: number, action: number): void {
		this.#generated++;
		this.#judge.look(findings, action, this.#head === 0 ? null : this.#head - 1);
	}

	#counterexampleOf({ property, details, from, action }: Violation): Counterexample {
		const origins = this.#origins;
		const actions = from === null ? [] : [...origins.actionsTo(from), action];
		const path = replay(this.#space, from === null ? action : origins.rootOf(from), actions);
		return { property: this.#space.properties[property]!.id, details, ...path, cycleFrom: null };
	}

	#findLasso(): Counterexample | null {
		const { liveness, properties } = this.#space;
		if (liveness === null || this.#graph === null) return null;
		for (const [at, { id, kind }] of properties.entries()) {
			if (kind !== "eventually") continue;
			const holds = (index: number): boolean =>
				liveness.holds(at, this.#states.chunkOf(index), this.#states.offsetOf(index));
			const isInitial = (index: number): boolean => this.#origins.isInitial(index);
			const lasso = findFairLasso(this.#graph, { liveness, holds, isInitial });
			if (lasso === null) continue;
			const { prefix, cycle } = lasso;
			const path = replay(this.#space, this.#actions.at(lasso.initial), [...prefix, ...cycle]);
			const details = { stepsInCycle: cycle.length };
			return { property: id, details, ...path, cycleFrom: prefix.length };
		}
		return null;
	}
}

/** Hands the search what its space puts. */
class SearchSink implements SuccessorSink {
	readonly words: Uint32Array;
	readonly #search: Search;

	constructor(stateWords: number, search: Search) {
		this.words = new Uint32Array(stateWords);
		this.#search = search;
	}

	successor(action: number, high: number, low: number, findings: number): void {
		this.#search.take(action, high, low, findings);
	}

	beyond(action: number, findings: number): void {
		this.#search.leave(action, findings);
	}

	known(action: number, findings: number): void {
		this.#search.skip(action, findings);
	}

	isKnown(high: number, low: number): boolean {
		return this.#search.has(high, low);
	}
}
