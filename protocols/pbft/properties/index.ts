/**
 * `protocols/pbft/properties`: what must be true of a PBFT group, as data (`Property` of `protocols/verification`).
 *
 * Source: Castro and Liskov, OSDI 1999 and TOCS 2002; each property cites its place.
 *
 * Place: beside the machine, which does not know them. They speak of correct members alone, and observers show them no others; they
 * hold while at most f members lie. Whether what was executed was asked for (validity) and what clients see is judged by who knows
 * the clients.
 */
import type { Property } from "../../verification/index.ts";
import { exactlyOnce, executionOrder } from "./execution-order.ts";
import { decidedByQuorum, noFalseConviction } from "./justice.ts";
import { configurationAgreement, configurationChanged, decidedInItsEpoch, noFalseIsolation } from "./membership.ts";
import type { PbftObservation } from "./observation.ts";
import { durableBeforeSent, oneVoice, voteInViewOnly } from "./one-voice.ts";
import { replicasEqual } from "./recovery.ts";
import { agreement, checkpointAgreement, historyAgreement } from "./same-at.ts";
import { convictedNeverLeads } from "./trusted-primary.ts";
import {
	checkpointStable,
	decidedInLaterView,
	memberConvicted,
	somethingDecided,
	stateTransferred,
	viewChanged,
} from "./witnesses.ts";

export type { PbftObservation } from "./observation.ts";

/** Every property of a PBFT group: safety first, then what it needs, witnesses and recovery. */
export const pbftProperties: readonly Property<PbftObservation>[] = [
	agreement,
	historyAgreement,
	executionOrder,
	exactlyOnce,
	checkpointAgreement,
	decidedByQuorum,
	oneVoice,
	voteInViewOnly,
	durableBeforeSent,
	noFalseConviction,
	convictedNeverLeads,
	somethingDecided,
	viewChanged,
	decidedInLaterView,
	checkpointStable,
	stateTransferred,
	memberConvicted,
	replicasEqual,
];

/** Of groups whose members change: beside {@link pbftProperties}. */
export const pbftMembershipProperties: readonly Property<PbftObservation>[] = [
	configurationAgreement,
	decidedInItsEpoch,
	noFalseIsolation,
	configurationChanged,
];
