/** From the actions that a search remembers back to a run that a person can read. */
import { assert } from "../../core/index.ts";
import type { Column } from "./columns.ts";
import type { Counterexample, TraceStep } from "./search-result.ts";
import type { StateSpace, SuccessorSink } from "./state-space.ts";

type Replayable = Pick<StateSpace, "stateWords" | "begin" | "expand" | "describeAction" | "describeState">;

/** How the states of a search were reached: each one's parent, as its index + 1 (0 of an initial state), and action. */
export class Origins {
	readonly #parents: Column;
	readonly #actions: Column;

	constructor(parents: Column, actions: Column) {
		this.#parents = parents;
		this.#actions = actions;
	}

	isInitial(index: number): boolean {
		return this.#parents.at(index) === 0;
	}

	/** The actions from an initial state to the state of an index. */
	actionsTo(index: number): number[] {
		const actions: number[] = [];
		for (let at = index; this.#parents.at(at) !== 0; at = this.#parents.at(at) - 1) actions.push(this.#actions.at(at));
		return actions.reverse();
	}

	/** The action of the initial state that an index comes from: its name among the initial states. */
	rootOf(index: number): number {
		let at = index;
		while (this.#parents.at(at) !== 0) at = this.#parents.at(at) - 1;
		return this.#actions.at(at);
	}
}

/** Takes the actions one after the other from an initial state and describes what happens. */
export function replay(
	space: Replayable,
	root: number,
	actions: readonly number[],
): Pick<Counterexample, "initial" | "steps"> {
	const sink = new ReplaySink(space.stateWords);
	sink.wanted = root;
	space.begin(sink);
	let words = sink.found();
	const initial = space.describeState(words, 0);
	const steps = actions.map((wanted): TraceStep => {
		const action = space.describeAction(words, 0, wanted);
		sink.wanted = wanted;
		space.expand(words, 0, sink);
		words = sink.found();
		return { action, state: space.describeState(words, 0) };
	});
	return { initial, steps };
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
