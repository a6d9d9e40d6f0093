/** What a search is bounded by, and what it says in the end. */
import type { FindingDetails } from "../property.ts";
import type { SpaceProperty } from "./state-space.ts";

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

/** A way from an initial state to a violation; of a breadth-first search there is none with fewer steps. */
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

/** A search that can be advanced bit by bit. */
export interface StateSearch {
	/** Expands so many states at most; whether there is more to do. */
	advance(expansionsMax: number): boolean;
	readonly progress: SearchProgress;
	/** What is known now. A search that was not advanced to its end is not exhausted. */
	result(): SearchResult;
}
