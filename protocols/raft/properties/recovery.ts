/** What a group comes to when its faults have stopped. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { votersOf } from "../configuration.ts";
import type { Configuration, LogIndex, Term } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";

export const leaderExists: Property<RaftObservation> = {
	id: "leader-exists",
	kind: "eventually",
	statement: "The latest term that a living member speaks of has a leader, who is alive.",
	source: "Raft §5.2, §9.3",
	needs: "events",
	watch: () => new LeaderExists(new Map()),
};

export const replicasEqual: Property<RaftObservation> = {
	id: "replicas-equal",
	kind: "eventually",
	statement: "Every voter has the same log end, has it committed, and has handed it to its application.",
	source: "Raft §5.3, §5.5",
	needs: "machine",
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
	readonly configuration: Configuration;
	readonly configurationIndex: LogIndex;
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
		const { commitIndex: committed, deliveredIndex: applied, log, configuration, configurationIndex } = machine;
		this.#reaches.set(node, { last: log.lastIndex, committed, applied, configuration, configurationIndex });
		const voters = votersOf(this.#latestConfiguration());
		const wanted = Math.max(...voters.map((voter) => this.#reaches.get(voter)?.last ?? 0));
		for (const voter of voters) {
			const reach = this.#reaches.get(voter);
			const isLevel = reach?.last === wanted && reach.committed === wanted && reach.applied === wanted;
			if (isLevel) continue;
			const {
				committed: itsCommit,
				applied: itsApplied,
				last,
			} = reach ?? { committed: null, applied: null, last: null };
			return violated({ voter, last, committed: itsCommit, applied: itsApplied, seenAt: node, wanted });
		}
		return holds;
	}

	/** That of the living member whose configuration stands furthest in the log: others may not have heard of it. */
	#latestConfiguration(): Configuration {
		const reaches = [...this.#reaches.values()];
		return reaches.reduce((a, b) => (b.configurationIndex > a.configurationIndex ? b : a)).configuration;
	}

	get state(): unknown {
		return this.#reaches;
	}

	copy(): ReplicasEqual {
		return new ReplicasEqual(new Map(this.#reaches));
	}
}
