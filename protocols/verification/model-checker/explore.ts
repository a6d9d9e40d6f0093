/** A whole search in one call, for tests and scripts; a program that must stay responsive advances a `Search` itself. */

import { CoveringSearch } from "./covering-search.ts";
import { type Model, modelSpace } from "./model.ts";
import { Search } from "./search.ts";
import type { SearchBounds, SearchResult, StateSearch } from "./search-result.ts";
import type { CoveringSpace, StateSpace } from "./state-space.ts";

const EXPANSIONS_AT_ONCE = 10_000;

/**
 * The search of a space: breadth first, or by ranks where states cover each other.
 * @throws QuorateError `model-unbounded`
 */
export function startSearch(space: StateSpace | CoveringSpace, bounds: SearchBounds): StateSearch {
	return "covers" in space ? new CoveringSearch(space, bounds) : new Search(space, bounds);
}

/** Explores a space to its end, its first violation, or the bound. @throws QuorateError as `Search` and the space */
export function explore(space: StateSpace, bounds: SearchBounds): SearchResult {
	const search = startSearch(space, bounds);
	while (search.advance(EXPANSIONS_AT_ONCE));
	return search.result();
}

/**
 * Explores a model of plain values.
 * @throws QuorateError `model-unbounded`, `model-malformed`, `property-threw`
 */
export function exploreModel<State, Action>(model: Model<State, Action>, bounds: SearchBounds): SearchResult {
	return explore(modelSpace(model), bounds);
}
