/**
 * `protocols/verification/model-checker`: explores every interleaving within bounds, breadth first, and shows the shortest
 * way to a violation; a group on a cumulative network by what covers what, and shows a way. Explicit states, as in TLC (Yu,
 * Manolios, Lamport 1999) and stateright; symmetry by the least fingerprint over all renamings (Ip and Dill 1996).
 *
 * {@link exploreModel} takes a {@link Model} of plain values. {@link groupSpace} takes the state machines of a protocol,
 * the very ones that run on threads, with a small {@link GroupPort}. {@link startSearch} explores either, step by step, and
 * its result says honestly whether that was everything.
 *
 * What it does not do: it proves nothing beyond the bounds; it takes two states with the same 64-bit fingerprint for one
 * ({@link SearchResult.collisionProbability}); it judges `eventually` never under symmetry, and on runs within the bounds
 * only.
 */
export type { CumulativeSpace } from "./cumulative-space.ts";
export { modelMalformed, modelUnbounded } from "./errors.ts";
export { explore, exploreModel, startSearch } from "./explore.ts";
export {
	BUDGET_MAX,
	type Envelope,
	type GroupBounds,
	type GroupModel,
	type GroupPort,
	IN_FLIGHT_MAX,
	RANK_MAX,
	SYMMETRIC_MEMBERS_MAX,
} from "./group-model.ts";
export { type GroupSpace, groupSpace } from "./group-space.ts";
export { type Model, modelSpace, type StateProperty } from "./model.ts";
export { Search } from "./search.ts";
export {
	type Counterexample,
	type PropertyOutcome,
	type PropertyResult,
	type SearchBounds,
	type SearchProgress,
	type SearchResult,
	type SearchVerdict,
	STATES_MAX,
	type StateSearch,
	type TraceStep,
} from "./search-result.ts";
export type { CoveringSpace, LivenessView, StateSpace, SuccessorSink } from "./state-space.ts";
