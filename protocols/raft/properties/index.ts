/**
 * `protocols/raft/properties`: what must be true of a Raft group, as data (`Property` of `protocols/verification`).
 *
 * Source: Figure 3 and §5 of the extended Raft paper, and what these imply; each property cites its place.
 *
 * Place: beside the machine, which does not know them. Model checker, simulator, tests and monitors in production watch
 * the same list; each takes those whose depth it can see.
 */
import type { Property } from "../../verification/index.ts";
import { electionSafety } from "./election-safety.ts";
import type { RaftObservation } from "./observation.ts";

export type { RaftObservation } from "./observation.ts";

/** Every property of a Raft group, those of Figure 3 first. */
export const raftProperties: readonly Property<RaftObservation>[] = [electionSafety];
