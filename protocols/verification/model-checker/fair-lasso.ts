/**
 * The judge of `eventually`: a run that never gets there and yet is fair. In a finite graph such a run is a lasso, a
 * path into a cycle, within the states where the property does not hold. Weak fairness of a class of actions: one that
 * stays possible for ever is taken sometime.
 *
 * 1. Staying put is always possible, so every state alone is a cycle of no steps.
 * 2. The states that a run visits for ever lie in one strongly connected component of that subgraph.
 * 3. If a cycle is fair, so is a tour of its whole component: a class that is impossible somewhere on the cycle, or taken
 *    on it, is so on the tour. Hence it is enough to ask of each component whether every class is taken inside it, or
 *    impossible in one of its states.
 * 4. A fair component's tour is made of a real path to a witness for each class and back, edge by edge.
 */
import { assert } from "../../core/index.ts";
import { BEYOND, type StateGraph } from "./state-graph.ts";
import type { LivenessView } from "./state-space.ts";

/** A fair run on which the property never holds: actions from an initial state, then actions for ever. */
export interface Lasso {
	readonly initial: number;
	readonly prefix: readonly number[];
	/** Empty: the run stops for ever, and nothing fair is possible there. */
	readonly cycle: readonly number[];
}

export interface LassoQuestion {
	readonly liveness: LivenessView;
	readonly holds: (state: number) => boolean;
	readonly isInitial: (state: number) => boolean;
}

/** A fair lasso with as short a prefix as any, or null: the property holds in the end on every fair run. */
export function findFairLasso(graph: StateGraph, question: LassoQuestion): Lasso | null {
	const without = new Subgraph(graph, question);
	const classes = question.liveness.fairClasses.length;
	let best: { readonly start: number; readonly component: readonly number[]; readonly witnesses: Witness[] } | null =
		null;
	for (const component of without.components()) {
		// States are numbered as the breadth-first search found them.
		const start = component.reduce((least, state) => Math.min(least, state));
		if (best !== null && best.start < start) continue;
		const witnesses = fairWitnesses(without, component, question.liveness, classes);
		if (witnesses !== null) best = { start, component, witnesses };
	}
	if (best === null) return null;
	const { start, component, witnesses } = best;
	const { initial, actions } = without.pathTo(start);
	return { initial, prefix: actions, cycle: tour(without, new Set(component), start, witnesses) };
}

/** Where a class of actions gets its due: on an edge, or in a state where it is impossible. */
type Witness = { readonly edge: number; readonly from: number } | { readonly state: number };

/** One witness for each class; null if one has none, so that staying in the component is unfair. */
function fairWitnesses(
	without: Subgraph,
	component: readonly number[],
	liveness: LivenessView,
	classes: number,
): Witness[] | null {
	const inside = new Set(component);
	const witnesses: Witness[] = [];
	for (let fairClass = 0; fairClass < classes; fairClass++) {
		const witness = witnessOf(without, inside, fairClass, liveness);
		if (witness === null) return null;
		witnesses.push(witness);
	}
	return witnesses;
}

function witnessOf(
	{ graph }: Subgraph,
	inside: ReadonlySet<number>,
	fairClass: number,
	liveness: LivenessView,
): Witness | null {
	for (const state of inside) {
		let isPossible = false;
		for (let edge = graph.edgesFrom(state); edge < graph.edgesFrom(state + 1); edge++) {
			if (liveness.fairClassOf(graph.action(edge)) !== fairClass) continue;
			isPossible = true;
			if (inside.has(graph.target(edge))) return { edge, from: state };
		}
		if (!isPossible) return { state };
	}
	return null;
}

/** The actions of a closed walk from `start` past every witness, within the component. */
function tour(without: Subgraph, inside: ReadonlySet<number>, start: number, witnesses: readonly Witness[]): number[] {
	const actions: number[] = [];
	let at = start;
	const walkTo = (target: number): void => {
		actions.push(...without.walk(at, target, inside));
		at = target;
	};
	for (const witness of witnesses) {
		if ("state" in witness) {
			walkTo(witness.state);
			continue;
		}
		walkTo(witness.from);
		actions.push(without.graph.action(witness.edge));
		at = without.graph.target(witness.edge);
	}
	walkTo(start);
	return actions;
}

/**
 * The states where the property does not hold, as far as they can be reached: through such states alone, or, where it must
 * hold again and again, through any.
 */
class Subgraph {
	readonly graph: StateGraph;
	/** Of each reached state the edge that it was reached by, plus one; 0: not reached. Initial states have their mark. */
	readonly #reachedBy: Float64Array;
	readonly #reachedFrom: Uint32Array;
	readonly #order: number[] = [];

	readonly #isInside: (state: number) => boolean;

	constructor(graph: StateGraph, { liveness, holds, isInitial }: LassoQuestion) {
		this.graph = graph;
		this.#isInside = (state) => this.#reachedBy[state] !== 0 && (!liveness.isRecurrent || !holds(state));
		const isPassed = (state: number): boolean => liveness.isRecurrent || !holds(state);
		this.#reachedBy = new Float64Array(graph.states);
		this.#reachedFrom = new Uint32Array(graph.states);
		for (let state = 0; state < graph.states; state++) {
			if (!isInitial(state) || !isPassed(state)) continue;
			this.#reachedBy[state] = INITIAL;
			this.#order.push(state);
		}
		for (const state of this.#order) {
			for (let edge = graph.edgesFrom(state); edge < graph.edgesFrom(state + 1); edge++) {
				const target = graph.target(edge);
				if (target === BEYOND || this.#reachedBy[target] !== 0 || !isPassed(target)) continue;
				this.#reachedBy[target] = edge + 1;
				this.#reachedFrom[target] = state;
				this.#order.push(target);
			}
		}
	}

	/** The shortest way from an initial state, through states of this subgraph alone. */
	pathTo(state: number): { readonly initial: number; readonly actions: number[] } {
		const actions: number[] = [];
		let at = state;
		for (; this.#reachedBy[at] !== INITIAL; at = this.#reachedFrom[at]!) {
			actions.push(this.graph.action(this.#reachedBy[at]! - 1));
		}
		return { initial: at, actions: actions.reverse() };
	}

	/** The actions of a shortest walk from one state to another inside a component; none if they are the same. */
	walk(from: number, to: number, inside: ReadonlySet<number>): number[] {
		const cameBy = new Map<number, { readonly edge: number; readonly from: number }>();
		const queue = [from];
		for (const state of queue) {
			if (state === to) break;
			for (let edge = this.graph.edgesFrom(state); edge < this.graph.edgesFrom(state + 1); edge++) {
				const target = this.graph.target(edge);
				if (!inside.has(target) || target === from || cameBy.has(target)) continue;
				cameBy.set(target, { edge, from: state });
				queue.push(target);
			}
		}
		const actions: number[] = [];
		for (let at = to; at !== from; ) {
			const step = cameBy.get(at);
			assert(step !== undefined, "a component is strongly connected");
			actions.push(this.graph.action(step.edge));
			at = step.from;
		}
		return actions.reverse();
	}

	/** The strongly connected components (Tarjan 1972, with a stack of its own), single states included. */
	*components(): Generator<readonly number[]> {
		const { graph } = this;
		const number = new Uint32Array(graph.states);
		const low = new Uint32Array(graph.states);
		const isOnStack = new Uint8Array(graph.states);
		const stack: number[] = [];
		let next = 1;
		for (const root of this.#order) {
			if (number[root] !== 0 || !this.#isInside(root)) continue;
			const calls: { readonly state: number; edge: number }[] = [];
			const enter = (state: number): void => {
				number[state] = next;
				low[state] = next++;
				isOnStack[state] = 1;
				stack.push(state);
				calls.push({ state, edge: graph.edgesFrom(state) });
			};
			enter(root);
			while (calls.length > 0) {
				const call = calls[calls.length - 1]!;
				const { state } = call;
				if (call.edge < graph.edgesFrom(state + 1)) {
					const target = graph.target(call.edge++);
					if (target === BEYOND || !this.#isInside(target)) continue;
					if (number[target] === 0) enter(target);
					else if (isOnStack[target] === 1) low[state] = Math.min(low[state]!, number[target]!);
					continue;
				}
				calls.pop();
				const parent = calls[calls.length - 1]?.state;
				if (parent !== undefined) low[parent] = Math.min(low[parent]!, low[state]!);
				if (low[state] !== number[state]) continue;
				const component: number[] = [];
				for (let member = -1; member !== state; ) {
					member = stack.pop()!;
					isOnStack[member] = 0;
					component.push(member);
				}
				yield component;
			}
		}
	}
}

/** The mark of an initial state among the edges. */
const INITIAL = -1;
