/**
 * The model checker.
 */
export { explore, exploreModel } from "./explore.ts";
export { collisionProbability } from "./fingerprint-set.ts";
export type { Envelope, GroupBounds, GroupModel, GroupPort } from "./group-model.ts";
export { GroupSpace, groupSpace } from "./group-space.ts";
export { type Model, modelSpace, type StateProperty } from "./model.ts";
export { Search, type SearchBounds, type SearchProgress, type SearchResult } from "./search.ts";
