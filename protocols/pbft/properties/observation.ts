/** What the properties of PBFT look at: correct members alone, since nothing holds of what the others do. */
import type { GroupObservation } from "../../verification/index.ts";
import type { PbftView } from "../view.ts";
import type { PbftTypes } from "../vocabulary.ts";

/** One thing that has happened at a correct member of a PBFT group. */
export type PbftObservation = GroupObservation<PbftTypes, PbftView>;
/** One thing that a correct member has published. */
export type PbftPublished = Extract<PbftObservation, { type: "event" }>;
