/** What a witness never does. */
import { type Finding, holds, type Property, violated } from "../../verification/index.ts";
import { isWitness } from "../configuration.ts";
import type { RaftObservation } from "./observation.ts";
import { stateless } from "./stateless.ts";

export const witnessRole: Property<RaftObservation> = {
	id: "witness-role",
	kind: "always",
	statement: "A witness is never candidate or leader, and hands its application no entry and no query.",
	source: "Raft §5.4.1 (who leads has what is committed); witnesses as in dragonboat",
	needs: "machine",
	observes: ["batch"],
	watch: () => stateless(checkRole),
};

function checkRole(observation: RaftObservation): Finding | null {
	if (observation.type !== "batch") return null;
	const { node, machine, effects } = observation;
	if (!isWitness(machine.configuration, node)) return holds;
	if (machine.role !== "follower") return violated({ node, term: machine.term, role: machine.role });
	for (const effect of effects) {
		if (effect.type !== "apply" || effect.delivery.type === "restore-snapshot") continue;
		return violated({ node, term: machine.term, delivery: effect.delivery.type });
	}
	return holds;
}
