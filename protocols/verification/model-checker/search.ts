/**
 * Breadth-first search of a state space, so that the first violation found is one with the fewest steps. It keeps a
 * fingerprint, a parent and an action for each distinct state, and the states themselves only until they are expanded
 * (for `eventually`, which needs the whole graph, until the end).
 *
 * What it says is bounded by what it saw: {@link SearchResult.exhausted}.
 */
import { assert } from "../../core/index.ts";
import type { FindingDetails } from "../property.ts";
import { Column, RowStore } from "./columns.ts";
import { requireBound } from "./errors.ts";
import { findFairLasso } from "./fair-lasso.ts";
import { collisionProbability, FingerprintSet } from "./fingerprint-set.ts";
import { StateGraph } from "./state-graph.ts";
import type { SpaceProperty, StateSpace, SuccessorSink } from "./state-space.ts";
import { NO_FINDINGS } from "./state-space.ts";

/** The bounds of the search itself, beside those of the model. */
export interface SearchBounds {
	/** Distinct states; a search that meets more of them ends without being exhausted. 1 to {@link STATES_MAX}. */
	readonly statesMax: number;
}

/** What one search may hold at most. */
export const STATES_MAX = 200_000_000;

export interface SearchProgress {
	/** Distinct states within the bounds. */
	readonly distinct: number;
	/** Successors made, those beyond the bounds and those known before included. */
	readonly generated: number;
	/** Steps from an initial state to the states that are being expanded. */
	readonly depth: number;
	/** Distinct states that are not expanded yet. */
	readonly frontier: number;
	readonly memoryBytes: number;
}

/**
 * What became of a property:
 * - `holds`: it was evaluated and never violated, in what was explored;
 * - `violated`;
 * - `witnessed` and `not-witnessed`: of a `sometimes`;
 * - `not-evaluated`: nothing that it speaks of ever happened;
 * - `undecided`: an `eventually`, which is judged only when everything was explored.
 */
export type PropertyOutcome = "holds" | "violated" | "witnessed" | "not-witnessed" | "not-evaluated" | "undecided";

export interface PropertyResult extends SpaceProperty {
	readonly outcome: PropertyOutcome;
	/** Of a violation: the values that show it. */
	readonly details: FindingDetails | null;
}

/** One step of a counterexample: what was done, and the state after it. */
export interface TraceStep {
	readonly action: string;
	readonly state: readonly string[];
}

/** A way from an initial state to a violation; there is none with fewer steps. */
export interface Counterexample {
	readonly property: string;
	readonly details: FindingDetails;
	readonly initial: readonly string[];
	readonly steps: readonly TraceStep[];
	/** Of an `eventually`: the steps from this one on (counted from 0) lead back to where they begin, for ever. */
	readonly cycleFrom: number | null;
}

/**
 * - `violated`: there is a {@link Counterexample};
 * - `vacuous`: a `sometimes` has no witness or an `always` was never evaluated, so that the rest proves little;
 * - `proved`: every state within the model's bounds was explored;
 * - `bounded`: no violation in what was explored, and that was not everything: no proof.
 */
export type SearchVerdict = "violated" | "vacuous" | "proved" | "bounded";

export interface SearchResult extends SearchProgress {
	readonly verdict: SearchVerdict;
	/** Every distinct state within the model's bounds was expanded. */
	readonly exhausted: boolean;
	/** Successors beyond the model's bounds: judged, not explored. */
	readonly boundaryHits: number;
	/** At most so probable is it that states were taken for others, because their fingerprints are the same. */
	readonly collisionProbability: number;
	readonly properties: readonly PropertyResult[];
	readonly counterexample: Counterexample | null;
}

interface Violation {
	readonly property: number;
	readonly details: FindingDetails;
	/** The state before, or null of an initial state. */
	readonly from: number | null;
	readonly action: number;
}

export class Search {
	readonly #space: StateSpace;
	readonly #statesMax: number;
	readonly #seen = new FingerprintSet();
	readonly #states: RowStore;
	/** The parent's index + 1; 0 of an initial state. */
	readonly #parents = new Column();
	readonly #actions = new Column();
	/** Null where no property needs it. */
	readonly #graph: StateGraph | null;
	readonly #sink: SearchSink;
	/** The next state to be expanded. */
	#head = 0;
	#depth = 0;
	/** The first state of the next depth. */
	#depthEnd = 0;
	#generated = 0;
	#boundaryHits = 0;
	#violation: Violation | null = null;
	/** Findings numbers that were looked at. */
	readonly #known: boolean[] = [];
	readonly #evaluated: boolean[];

	/** @throws QuorateError `model-unbounded` */
	constructor(space: StateSpace, bounds: SearchBounds) {
		this.#space = space;
		this.#statesMax = requireBound(space.name, "statesMax", bounds?.statesMax, 1, STATES_MAX);
		this.#states = new RowStore(space.stateWords);
		this.#graph = space.liveness === null ? null : new StateGraph();
		this.#evaluated = space.properties.map(() => false);
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
		const progress = this.progress;
		const isComplete = this.#violation === null && this.#head === this.#states.length;
		const lasso = isComplete ? this.#findLasso() : null;
		const counterexample = lasso ?? (this.#violation === null ? null : this.#counterexampleOf(this.#violation));
		const properties = this.#space.properties.map((property, at) => ({
			...property,
			...this.#outcomeOf(property, at, isComplete, counterexample),
		}));
		const isVacuous = properties.some(({ outcome }) => outcome === "not-witnessed" || outcome === "not-evaluated");
		return {
			...progress,
			verdict: counterexample !== null ? "violated" : isVacuous ? "vacuous" : isComplete ? "proved" : "bounded",
			exhausted: isComplete,
			boundaryHits: this.#boundaryHits,
			collisionProbability: collisionProbability(progress.distinct),
			properties,
			counterexample,
		};
	}

	get #isDone(): boolean {
		const distinct = this.#states.length;
		return this.#violation !== null || this.#head === distinct || distinct >= this.#statesMax;
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
		this.#generated++;
		if (findings !== NO_FINDINGS && this.#known[findings] !== true) this.#look(findings, action);
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
		this.#generated++;
		this.#boundaryHits++;
		if (findings !== NO_FINDINGS && this.#known[findings] !== true) this.#look(findings, action);
		this.#graph?.edgeBeyond(action);
	}

	/** For the sink only. */
	skip(action: number, findings: number): void {
		this.#generated++;
		if (findings !== NO_FINDINGS && this.#known[findings] !== true) this.#look(findings, action);
	}

	/** For the sink only. */
	has(high: number, low: number): boolean {
		return this.#seen.has(high, low);
	}

	#look(findings: number, action: number): void {
		this.#known[findings] = true;
		for (const { property, finding } of this.#space.findingsOf(findings)) {
			if (this.#evaluated[property] !== true) {
				this.#evaluated[property] = true;
				this.#space.witnessed(property);
			}
			if (finding.type === "holds" || this.#violation !== null) continue;
			const from = this.#head === 0 ? null : this.#head - 1;
			this.#violation = { property, details: finding.details, from, action };
		}
	}

	#outcomeOf(
		{ id, kind }: SpaceProperty,
		at: number,
		isComplete: boolean,
		counterexample: Counterexample | null,
	): { readonly outcome: PropertyOutcome; readonly details: FindingDetails | null } {
		if (counterexample?.property === id) return { outcome: "violated", details: counterexample.details };
		const isEvaluated = this.#evaluated[at] === true;
		if (kind === "sometimes") return { outcome: isEvaluated ? "witnessed" : "not-witnessed", details: null };
		if (kind === "always") return { outcome: isEvaluated ? "holds" : "not-evaluated", details: null };
		return { outcome: isComplete && counterexample === null ? "holds" : "undecided", details: null };
	}

	#counterexampleOf({ property, details, from, action }: Violation): Counterexample {
		const actions = from === null ? [] : [...this.#actionsTo(from), action];
		const path = this.#replay(from === null ? action : this.#rootOf(from), actions);
		return { property: this.#space.properties[property]!.id, details, ...path, cycleFrom: null };
	}

	/** The actions from an initial state to the state of an index. */
	#actionsTo(index: number): number[] {
		const actions: number[] = [];
		for (let at = index; this.#parents.at(at) !== 0; at = this.#parents.at(at) - 1) actions.push(this.#actions.at(at));
		return actions.reverse();
	}

	/** The action of the initial state that an index comes from: its name among the initial states. */
	#rootOf(index: number): number {
		let at = index;
		while (this.#parents.at(at) !== 0) at = this.#parents.at(at) - 1;
		return this.#actions.at(at);
	}

	/** Takes the actions one after the other from an initial state and describes what happens. */
	#replay(root: number, actions: readonly number[]): Pick<Counterexample, "initial" | "steps"> {
		const space = this.#space;
		const replay = new ReplaySink(space.stateWords);
		replay.wanted = root;
		space.begin(replay);
		let words = replay.found();
		const initial = space.describeState(words, 0);
		const steps = actions.map((wanted): TraceStep => {
			const action = space.describeAction(words, 0, wanted);
			replay.wanted = wanted;
			space.expand(words, 0, replay);
			words = replay.found();
			return { action, state: space.describeState(words, 0) };
		});
		return { initial, steps };
	}

	#findLasso(): Counterexample | null {
		const { liveness, properties } = this.#space;
		if (liveness === null || this.#graph === null) return null;
		for (const [at, { id, kind }] of properties.entries()) {
			if (kind !== "eventually") continue;
			const holds = (index: number): boolean =>
				liveness.holds(at, this.#states.chunkOf(index), this.#states.offsetOf(index));
			const isInitial = (index: number): boolean => this.#parents.at(index) === 0;
			const lasso = findFairLasso(this.#graph, { liveness, holds, isInitial });
			if (lasso === null) continue;
			const { prefix, cycle } = lasso;
			const path = this.#replay(this.#actions.at(lasso.initial), [...prefix, ...cycle]);
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

/** Keeps the one successor that a replay wants. */
class ReplaySink implements SuccessorSink {
	readonly words: Uint32Array;
	wanted = 0;
	#found: Uint32Array | null = null;

	constructor(stateWords: number) {
		this.words = new Uint32Array(stateWords);
	}

	successor(action: number): void {
		if (action === this.wanted) this.#found = this.words.slice();
	}

	beyond(action: number): void {
		if (action === this.wanted) this.#found = this.words.slice();
	}

	known(action: number): void {
		if (action === this.wanted) this.#found = this.words.slice();
	}

	isKnown(): boolean {
		return false;
	}

	found(): Uint32Array {
		const found = this.#found;
		this.#found = null;
		assert(found !== null, "an action that was possible once is possible again");
		return found;
	}
}
