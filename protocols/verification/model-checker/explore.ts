/** A whole search in one call, for tests and scripts; a program that must stay responsive advances a `Search` itself. */
import { type Model, modelSpace } from "./model.ts";
import { Search, type SearchBounds, type SearchResult } from "./search.ts";
import type { StateSpace } from "./state-space.ts";

const EXPANSIONS_AT_ONCE = 10_000;

/** Explores a space to its end, its first violation, or the bound. @throws QuorateError as `Search` and the space */
export function explore(space: StateSpace, bounds: SearchBounds): SearchResult {
	const search = new Search(space, bounds);
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
