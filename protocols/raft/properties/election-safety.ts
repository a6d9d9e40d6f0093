/** Election safety, from what members publish. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { Term } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";

/** Leaders remembered; beyond it those of the lowest terms are forgotten, which nobody campaigns in any more. */
export const LEADERS_MAX = 4096;

export const electionSafety: Property<RaftObservation> = {
	id: "election-safety",
	kind: "always",
	statement: "At most one leader is elected in a term.",
	source: "Raft Figure 3, §5.2",
	needs: "events",
	observes: ["event"],
	watch: () => new ElectionSafety(new Map()),
};

class ElectionSafety implements Watcher<RaftObservation> {
	readonly #leaders: Map<Term, NodeId>;

	constructor(leaders: Map<Term, NodeId>) {
		this.#leaders = leaders;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type !== "event") return null;
		const { node, event } = observation;
		if (event.type !== "role-changed" || event.role !== "leader") return null;
		const known = this.#leaders.get(event.term);
		if (known !== undefined) return known === node ? holds : violated({ term: event.term, leader: known, other: node });
		this.#leaders.set(event.term, node);
		if (this.#leaders.size > LEADERS_MAX) this.#leaders.delete(Math.min(...this.#leaders.keys()) as Term);
		return holds;
	}

	get state(): unknown {
		return this.#leaders;
	}

	copy(): ElectionSafety {
		return new ElectionSafety(new Map(this.#leaders));
	}
}
