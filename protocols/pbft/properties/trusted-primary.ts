/** Nobody follows a primary that is shown to be faulty. */
import { type Finding, holds, type Property, violated } from "../../verification/index.ts";
import { primaryOf } from "../entities.ts";
import type { PbftObservation } from "./observation.ts";

export const convictedNeverLeads: Property<PbftObservation> = {
	id: "convicted-never-leads",
	kind: "always",
	statement:
		"A member that can show everyone that another is faulty is in no view which that one leads, nor asks for one, while no more than f are such.",
	source: "PeerReview, SOSP 2007 (what evidence is for); here instead of the timeout of OSDI'99 §4.4 alone",
	needs: "machine",
	observes: ["batch"],
	watch: () => ({ observe: checkPrimary, state: null, copy: () => convictedNeverLeads.watch() }),
};

function checkPrimary(observation: PbftObservation): Finding | null {
	if (observation.type !== "batch") return null;
	const { node, machine } = observation;
	const { deposed, configuration, view, alarm, recovery, hasLeft, stable } = machine;
	if (deposed.size === 0 || deposed.size > configuration.faults) return null;
	// Who has stopped, is none of the members, or does not know where the group is says nothing that counts.
	const isSilent = alarm !== null || hasLeft || !configuration.members.includes(node);
	if (isSilent || recovery?.estimate === null || (stable?.epoch ?? 0) > configuration.epoch) return null;
	const primary = primaryOf(configuration, view);
	return deposed.has(primary) ? violated({ node, view, primary }) : holds;
}
