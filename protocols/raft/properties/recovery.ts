/** What a group comes to when its faults have stopped. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex, Term } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";

export const leaderExists: Property<RaftObservation> = {
	id: "leader-exists",
	kind: "eventually",
	statement: "The latest term that a living member speaks of has a leader, who is alive.",
	source: "Raft §5.2, §9.3",
	needs: "events",
	observes: ["ended", "event"],
	watch: () => new LeaderExists(new Map()),
};

export const replicasEqual: Property<RaftObservation> = {
	id: "replicas-equal",
	kind: "eventually",
	statement: "Every voter has the same log end, has it committed, and has handed it to its application.",
	source: "Raft §5.3, §5.5",
	needs: "machine",
	observes: ["ended", "batch"],
	watch: () => new ReplicasEqual(new Map()),
};

/** What a living member said last of its role. */
interface Said {
	readonly term: Term;
	readonly leads: boolean;
}

class LeaderExists implements Watcher<RaftObservation> {
	readonly #said: Map<NodeId, Said>;

	constructor(said: Map<NodeId, Said>) {
		this.#said = said;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "ended") this.#said.delete(observation.node);
		else if (observation.type === "event" && observation.event.type === "role-changed") {
			const { term, role } = observation.event;
			this.#said.set(observation.node, { term, leads: role === "leader" });
		} else return null;
		let latest = 0;
		for (const { term } of this.#said.values()) if (term > latest) latest = term;
		for (const { term, leads } of this.#said.values()) if (leads && term === latest) return holds;
		return violated({ latestTerm: latest, members: this.#said.size });
	}

	get state(): unknown {
		return this.#said;
	}

	copy(): LeaderExists {
		return new LeaderExists(new Map(this.#said));
	}
}

/** How far a living member is. */
interface Reach {
	readonly last: LogIndex;
	readonly committed: LogIndex;
	readonly applied: LogIndex;
}

class ReplicasEqual implements Watcher<RaftObservation> {
	readonly #reaches: Map<NodeId, Reach>;

	constructor(reaches: Map<NodeId, Reach>) {
		this.#reaches = reaches;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "ended") this.#reaches.delete(observation.node);
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const { commitIndex: committed, deliveredIndex: applied, log } = machine;
		const last = log.lastIndex;
		const before = this.#reaches.get(node);
		if (before?.last === last && before.committed === committed && before.applied === applied) return null;
		this.#reaches.set(node, { last, committed, applied });
		for (const voter of machine.configuration.voters) {
			const reach = this.#reaches.get(voter);
			const isLevel = reach !== undefined && reach.last === last && reach.committed === last && reach.applied === last;
			if (isLevel) continue;
			const {
				committed: itsCommit,
				applied: itsApplied,
				last: itsLast,
			} = reach ?? { committed: null, applied: null, last: null };
			return violated({ voter, last: itsLast, committed: itsCommit, applied: itsApplied, seenAt: node, wanted: last });
		}
		return holds;
	}

	get state(): unknown {
		return this.#reaches;
	}

	copy(): ReplicasEqual {
		return new ReplicasEqual(new Map(this.#reaches));
	}
}
