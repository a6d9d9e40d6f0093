/** Terms and votes on the disk are never taken back. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { HardState } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";

export const durableVote: Property<RaftObservation> = {
	id: "durable-vote-kept",
	kind: "always",
	statement: "The term on a disk never decreases, and a vote on it stays until the term grows.",
	source: "Raft Figure 2 (currentTerm, votedFor), §5.2",
	needs: "disk",
	observes: ["persisted"],
	watch: () => new DurableVote(new Map()),
};

class DurableVote implements Watcher<RaftObservation> {
	readonly #disks: Map<NodeId, HardState>;

	constructor(disks: Map<NodeId, HardState>) {
		this.#disks = disks;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type !== "persisted") return null;
		const { node, durable } = observation;
		const { term, votedFor } = durable.hardState;
		const before = this.#disks.get(node);
		if (before !== undefined) {
			if (term < before.term) return violated({ node, term, termBefore: before.term });
			const isKept = term > before.term || before.votedFor === null || votedFor === before.votedFor;
			if (!isKept) return violated({ node, term, votedFor, votedForBefore: before.votedFor });
			if (term === before.term && votedFor === before.votedFor) return holds;
		}
		this.#disks.set(node, { term, votedFor });
		return holds;
	}

	get state(): unknown {
		return this.#disks;
	}

	copy(): DurableVote {
		return new DurableVote(new Map(this.#disks));
	}
}
