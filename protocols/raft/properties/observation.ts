/** What the properties of Raft look at. */
import type { GroupObservation } from "../../verification/index.ts";
import type { RaftView } from "../view.ts";
import type { RaftTypes } from "../vocabulary.ts";

/** One thing that has happened in a Raft group. `durable` may be the disk's own value: valid during the call only. */
export type RaftObservation = GroupObservation<RaftTypes, RaftView>;
