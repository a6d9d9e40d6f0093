/** Commit index and applied index only grow, within a life. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";

type Field = "commitIndex" | "deliveredIndex";

export const monotoneCommit: Property<RaftObservation> = {
	id: "monotone-commit",
	kind: "always",
	statement: "A member's commit index never decreases in one life.",
	source: "Raft Figure 2 (commitIndex)",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new MonotoneIndex("commitIndex", new Map()),
};

export const monotoneApplied: Property<RaftObservation> = {
	id: "monotone-applied",
	kind: "always",
	statement: "How far a member has handed its application the log never decreases in one life.",
	source: "Raft Figure 2 (lastApplied)",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new MonotoneIndex("deliveredIndex", new Map()),
};

class MonotoneIndex implements Watcher<RaftObservation> {
	readonly #field: Field;
	readonly #seen: Map<NodeId, LogIndex>;

	constructor(field: Field, seen: Map<NodeId, LogIndex>) {
		this.#field = field;
		this.#seen = seen;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") this.#seen.delete(observation.node);
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const index = machine[this.#field];
		const before = this.#seen.get(node);
		if (before !== undefined && index < before) return violated({ node, index, before });
		if (index !== before) this.#seen.set(node, index);
		return holds;
	}

	get state(): unknown {
		return this.#seen;
	}

	copy(): MonotoneIndex {
		return new MonotoneIndex(this.#field, new Map(this.#seen));
	}
}
