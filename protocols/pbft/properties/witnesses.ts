/** What must have happened at least once, or what was seen proves little. */
import { holds, type Property } from "../../verification/index.ts";
import type { PbftEvent } from "../events.ts";
import type { PbftObservation } from "./observation.ts";

/** A property that one published event witnesses. */
export function witness(
	id: string,
	statement: string,
	source: string,
	isWitness: (event: PbftEvent) => boolean,
): Property<PbftObservation> {
	const property: Property<PbftObservation> = {
		id,
		kind: "sometimes",
		statement,
		source,
		needs: "events",
		observes: ["event"],
		watch: () => ({
			observe: (observation) => (observation.type === "event" && isWitness(observation.event) ? holds : null),
			state: null,
			copy: () => property.watch(),
		}),
	};
	return property;
}

export const somethingDecided: Property<PbftObservation> = witness(
	"something-decided",
	"A slot is decided.",
	"OSDI'99 §4.2",
	(event) => event.type === "decided" && event.requests > 0,
);

export const viewChanged: Property<PbftObservation> = witness(
	"view-changed",
	"A later view is entered.",
	"OSDI'99 §4.4",
	(event) => event.type === "view-entered" && event.view > 0,
);

export const decidedInLaterView: Property<PbftObservation> = witness(
	"decided-in-later-view",
	"A slot is decided in a later view.",
	"OSDI'99 §4.4",
	(event) => event.type === "decided" && event.certificate.view > 0,
);

export const checkpointStable: Property<PbftObservation> = witness(
	"checkpoint-became-stable",
	"A checkpoint becomes stable.",
	"OSDI'99 §4.3",
	(event) => event.type === "checkpoint-stable",
);

export const stateTransferred: Property<PbftObservation> = witness(
	"state-transferred",
	"A member takes over a state from others.",
	"OSDI'99 §4.3",
	(event) => event.type === "restored" && event.from === "transfer",
);

export const memberConvicted: Property<PbftObservation> = witness(
	"member-convicted",
	"A member is convicted by evidence.",
	"PeerReview, SOSP 2007 (completeness)",
	(event) => event.type === "evidence",
);
