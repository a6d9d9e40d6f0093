/** The edges of an explored state space, in the order in which the states were expanded. */
import { Column } from "./columns.ts";

/** The target of an edge that leaves the bounds. */
export const BEYOND = 0xffff_ffff;

export class StateGraph {
	/** Where the edges of each state begin. */
	readonly #begins = new Column();
	readonly #targets = new Column();
	readonly #actions = new Column();

	/** The states whose edges are known: all, when the search is complete. */
	get states(): number {
		return this.#begins.length;
	}

	get memoryBytes(): number {
		return this.#begins.memoryBytes + this.#targets.memoryBytes + this.#actions.memoryBytes;
	}

	/** The edges that come now are those of the next state. */
	beginState(): void {
		this.#begins.push(this.#targets.length);
	}

	edge(target: number, action: number): void {
		// Initial states are put before any state is expanded.
		if (this.#begins.length === 0) return;
		this.#targets.push(target);
		this.#actions.push(action);
	}

	edgeBeyond(action: number): void {
		this.edge(BEYOND, action);
	}

	/** The edges of a state are those from `edgesFrom(state)` to before `edgesFrom(state + 1)`. */
	edgesFrom(state: number): number {
		return state === this.#begins.length ? this.#targets.length : this.#begins.at(state);
	}

	target(edge: number): number {
		return this.#targets.at(edge);
	}

	action(edge: number): number {
		return this.#actions.at(edge);
	}
}
