/** Nobody is convicted who is correct, and what is shown as decided is proved. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { quorumOf } from "../quorum.ts";
import type { PbftObservation } from "./observation.ts";

export const noFalseConviction: Property<PbftObservation> = {
	id: "no-false-conviction",
	kind: "always",
	statement: "Evidence never names a correct member.",
	source: "PeerReview, SOSP 2007 (accuracy)",
	needs: "machine",
	observes: ["started", "event"],
	watch: () => new NoFalseConviction(new Set()),
};

export const decidedByQuorum: Property<PbftObservation> = {
	id: "decided-by-quorum",
	kind: "always",
	statement:
		"A decision carries commits of a quorum of distinct members, and the member that shows it is past the slot's preparation.",
	source: "OSDI'99 §4.2 (committed)",
	needs: "machine",
	observes: ["batch"],
	watch: () => ({ observe: checkDecisions, state: null, copy: () => decidedByQuorum.watch() }),
};

class NoFalseConviction implements Watcher<PbftObservation> {
	readonly #correct: Set<NodeId>;

	constructor(correct: Set<NodeId>) {
		this.#correct = correct;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type === "started") this.#correct.add(observation.node);
		if (observation.type !== "event") return null;
		const { node, event } = observation;
		if (event.type !== "evidence") return null;
		const { culprit, type } = event.evidence;
		return this.#correct.has(culprit) ? violated({ node, culprit, evidence: type }) : holds;
	}

	get state(): unknown {
		return this.#correct;
	}

	copy(): NoFalseConviction {
		return new NoFalseConviction(new Set(this.#correct));
	}
}

function checkDecisions(observation: PbftObservation): Finding | null {
	if (observation.type !== "batch") return null;
	let finding: Finding | null = null;
	const { configuration, history } = observation.machine;
	for (const effect of observation.effects) {
		if (effect.type !== "emit" || effect.event.type !== "decided") continue;
		const { commits, sequence, epoch } = effect.event.certificate;
		// A batch may go on into the next epoch.
		const ofEpoch = [configuration, ...history].find((known) => known.epoch === epoch);
		if (ofEpoch === undefined) continue;
		// Where votes are authenticated a member may take a decision from f + 1 others, and has nobody's commits for it.
		if (observation.machine.config.votes === "authenticated" && commits.length === 0) continue;
		const senders = new Set(commits.map(({ sender }) => sender).filter((sender) => ofEpoch.members.includes(sender)))
			.size;
		const quorum = quorumOf(ofEpoch);
		if (senders < quorum) return violated({ node: observation.node, sequence, senders, quorum });
		finding = holds;
	}
	return finding;
}
