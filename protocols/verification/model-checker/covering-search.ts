/**
 * Search of a space whose states cover each other (Abdulla, Čerāns, Jonsson and Tsay 1996; antichains as in De Wulf,
 * Doyen, Henzinger and Raskin 2006): a state that another one covers is not explored, and one that was found first and is
 * covered by what came later is forgotten, if it is not too late. It goes by the space's ranks and not by steps, so that
 * the states which cover most come first. A counterexample is a real run, and there may be shorter ones.
 */
import { Column, RowStore } from "./columns.ts";
import { requireBound } from "./errors.ts";
import { FingerprintSet } from "./fingerprint-set.ts";
import { Judge } from "./judge.ts";
import { Origins, replay } from "./replay.ts";
import {
	type Counterexample,
	type SearchBounds,
	type SearchProgress,
	type SearchResult,
	STATES_MAX,
	type StateSearch,
} from "./search-result.ts";
import type { CoveringSpace, SuccessorSink } from "./state-space.ts";

/** What became of a state. */
const STATUS = { waiting: 0, expanded: 1, forgotten: 2 } as const;

export class CoveringSearch implements StateSearch {
	readonly #space: CoveringSpace;
	readonly #statesMax: number;
	readonly #keys = new FingerprintSet();
	/** By fingerprint: one more than the last state of it that nothing covers; 0: none. */
	readonly #lastOf = new Column();
	/** By state: one more than the one before it of the same fingerprint. */
	readonly #before = new Column();
	readonly #states: RowStore;
	readonly #status = new Column();
	readonly #depths = new Column();
	readonly #parents = new Column();
	readonly #actions = new Column();
	readonly #origins = new Origins(this.#parents, this.#actions);
	/** States that wait, by rank. */
	readonly #queue: number[][] = [];
	#leastRank = 0;
	readonly #sink: CoveringSink;
	readonly #judge: Judge;
	/** One more than the state that is being expanded; 0 before the first. */
	#current = 0;
	#waiting = 0;
	#forgotten = 0;
	#depth = 0;
	#generated = 0;
	#boundaryHits = 0;

	/** @throws QuorateError `model-unbounded` */
	constructor(space: CoveringSpace, bounds: SearchBounds) {
		this.#space = space;
		this.#statesMax = requireBound(space.name, "statesMax", bounds?.statesMax, 1, STATES_MAX);
		this.#states = new RowStore(space.stateWords);
		this.#judge = new Judge(space);
		this.#sink = new CoveringSink(space.stateWords, this);
		space.begin(this.#sink);
	}

	advance(expansionsMax: number): boolean {
		for (let i = 0; i < expansionsMax && !this.#isDone; i++) this.#expandNext();
		return !this.#isDone;
	}

	/** States that were forgotten before they were expanded do not count. */
	get progress(): SearchProgress {
		const columns = [this.#lastOf, this.#before, this.#status, this.#depths, this.#parents, this.#actions];
		return {
			distinct: this.#states.length - this.#forgotten,
			generated: this.#generated,
			depth: this.#depth,
			frontier: this.#waiting,
			memoryBytes: columns.reduce(
				(sum, { memoryBytes }) => sum + memoryBytes,
				this.#keys.memoryBytes + this.#states.memoryBytes + this.#space.memoryBytes,
			),
		};
	}

	result(): SearchResult {
		const isComplete = this.#judge.violation === null && this.#waiting === 0;
		return this.#judge.result(this.progress, this.#boundaryHits, isComplete, this.#counterexample());
	}

	get #isDone(): boolean {
		return this.#judge.violation !== null || this.#waiting === 0 || this.#states.length >= this.#statesMax;
	}

	#expandNext(): void {
		const index = this.#takeNext();
		this.#status.set(index, STATUS.expanded);
		this.#waiting--;
		this.#current = index + 1;
		this.#depth = Math.max(this.#depth, this.#depths.at(index));
		this.#space.expand(this.#states.chunkOf(index), this.#states.offsetOf(index), this.#sink);
	}

	/** The state that was found last among those of the least rank. */
	#takeNext(): number {
		for (;;) {
			const index = this.#queue[this.#leastRank]?.pop();
			if (index === undefined) this.#leastRank++;
			else if (this.#status.at(index) === STATUS.waiting) return index;
		}
	}

	/** For the sink only. */
	take(action: number, high: number, low: number, findings: number): void {
		this.look(action, findings);
		const { words } = this.#sink;
		const key = this.#keys.add(high, low);
		if (key === this.#lastOf.length) this.#lastOf.push(0);
		else if (this.#isCovered(key, words)) return;
		else this.#forgetCovered(key, words);
		const index = this.#states.length;
		this.#states.push(words);
		this.#before.push(this.#lastOf.at(key));
		this.#lastOf.set(key, index + 1);
		this.#status.push(STATUS.waiting);
		const depth = this.#current === 0 ? 0 : this.#depths.at(this.#current - 1) + 1;
		this.#depths.push(depth);
		this.#parents.push(this.#current);
		this.#actions.push(action);
		this.#waiting++;
		this.#enqueue(index, this.#space.rankOf(words, 0) ?? depth);
	}

	/** For the sink only. */
	leave(action: number, findings: number): void {
		this.look(action, findings);
		this.#boundaryHits++;
	}

	/** For the sink only. */
	look(action: number, findings: number): void {
		this.#generated++;
		this.#judge.look(findings, action, this.#current === 0 ? null : this.#current - 1);
	}

	/** For the sink only. */
	isCovered(high: number, low: number): boolean {
		const key = this.#keys.find(high, low);
		return key !== -1 && this.#isCovered(key, this.#sink.words);
	}

	#isCovered(key: number, words: Uint32Array): boolean {
		for (let next = this.#lastOf.at(key); next !== 0; next = this.#before.at(next - 1)) {
			const at = this.#states.offsetOf(next - 1);
			if (this.#space.covers(this.#states.chunkOf(next - 1), at, words, 0)) return true;
		}
		return false;
	}

	/** What `words` cover need not be looked at any more, nor explored if it still waits. */
	#forgetCovered(key: number, words: Uint32Array): void {
		let kept = 0;
		for (let next = this.#lastOf.at(key); next !== 0; ) {
			const index = next - 1;
			next = this.#before.at(index);
			if (!this.#space.covers(words, 0, this.#states.chunkOf(index), this.#states.offsetOf(index))) {
				kept = index + 1;
				continue;
			}
			if (kept === 0) this.#lastOf.set(key, next);
			else this.#before.set(kept - 1, next);
			if (this.#status.at(index) !== STATUS.waiting) continue;
			this.#status.set(index, STATUS.forgotten);
			this.#waiting--;
			this.#forgotten++;
		}
	}

	#enqueue(index: number, rank: number): void {
		while (this.#queue.length <= rank) this.#queue.push([]);
		this.#queue[rank]!.push(index);
		if (rank < this.#leastRank) this.#leastRank = rank;
	}

	#counterexample(): Counterexample | null {
		const { violation } = this.#judge;
		if (violation === null) return null;
		const { property, details, from, action } = violation;
		const actions = from === null ? [] : [...this.#origins.actionsTo(from), action];
		const path = replay(this.#space, from === null ? action : this.#origins.rootOf(from), actions);
		return { property: this.#space.properties[property]!.id, details, ...path, cycleFrom: null };
	}
}

/** Hands the search what its space puts. */
class CoveringSink implements SuccessorSink {
	readonly words: Uint32Array;
	readonly #search: CoveringSearch;

	constructor(stateWords: number, search: CoveringSearch) {
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
		this.#search.look(action, findings);
	}

	isKnown(high: number, low: number): boolean {
		return this.#search.isCovered(high, low);
	}
}
