/**
 * `protocols/verification/model-checker`: explores every interleaving within bounds, breadth first, and shows the shortest
 * way to a violation. Explicit states, as in TLC (Yu, Manolios, Lamport 1999) and stateright; symmetry by the least
 * fingerprint over all renamings (Ip and Dill 1996).
 *
 * {@link exploreModel} takes a {@link Model} of plain values. {@link groupSpace} takes the state machines of a protocol,
 * the very ones that run on threads, with a small {@link GroupPort}. {@link Search} explores either, step by step, and
 * its result says honestly whether that was everything.
 *
 * What it does not do: it proves nothing beyond the bounds; it takes two states with the same 64-bit fingerprint for one
 * ({@link SearchResult.collisionProbability}); it judges `eventually` for plain models only, and never under symmetry.
 */
export { modelMalformed, modelUnbounded } from "./errors.ts";
export { explore, exploreModel } from "./explore.ts";
export {
	BUDGET_MAX,
	type Envelope,
	type GroupBounds,
	type GroupModel,
	type GroupPort,
	IN_FLIGHT_MAX,
	SYMMETRIC_MEMBERS_MAX,
} from "./group-model.ts";
export { type GroupSpace, groupSpace } from "./group-space.ts";
export { type Model, modelSpace, type StateProperty } from "./model.ts";
export {
	type Counterexample,
	type PropertyOutcome,
	type PropertyResult,
	Search,
	type SearchBounds,
	type SearchProgress,
	type SearchResult,
	type SearchVerdict,
	STATES_MAX,
	type TraceStep,
} from "./search.ts";
export type { LivenessView, StateSpace, SuccessorSink } from "./state-space.ts";
