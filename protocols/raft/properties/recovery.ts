/** What a group comes to when its faults have stopped. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { votersOf } from "../configuration.ts";
import type { Configuration, LogIndex, Term } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";
import { unordered } from "./unordered.ts";

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
	statement: "Every voter is up and has committed, and handed its application, all that any log holds.",
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
	readonly configuration: Configuration;
	readonly configurationIndex: LogIndex;
}

class ReplicasEqual implements Watcher<RaftObservation> {
	readonly #reaches: Map<NodeId, Reach>;

	constructor(reaches: Map<NodeId, Reach>) {
		this.#reaches = reaches;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "ended") return this.#reaches.delete(observation.node) ? this.#compare() : null;
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const { commitIndex: committed, deliveredIndex: applied, log, configuration, configurationIndex } = machine;
		const last = log.lastIndex;
		const before = this.#reaches.get(node);
		const isUnmoved = before?.last === last && before.committed === committed && before.applied === applied;
		if (isUnmoved && before.configuration === configuration) return null;
		this.#reaches.set(node, { last, committed, applied, configuration, configurationIndex });
		return this.#compare();
	}

	get state(): unknown {
		const shown = [...this.#reaches].map(([node, { configuration, ...reach }]) => {
			return [node, { ...reach, configuration: unordered(configuration) }] as const;
		});
		return new Map(shown);
	}

	copy(): ReplicasEqual {
		return new ReplicasEqual(new Map(this.#reaches));
	}

	/** By log matching and state machine safety, who is equally far has the same. */
	#compare(): Finding {
		const voters = this.#latestVoters();
		if (voters.length === 0) return violated({ members: 0 });
		const wanted = Math.max(0, ...voters.map((voter) => this.#reaches.get(voter)?.last ?? 0));
		for (const voter of voters) {
			const reach = this.#reaches.get(voter);
			if (reach === undefined) return violated({ voter, isUp: false, wanted });
			const { last, committed, applied } = reach;
			if (applied < wanted || committed < wanted) return violated({ voter, last, committed, applied, wanted });
		}
		return holds;
	}

	/** Those of the living member whose configuration stands furthest in the log: others may not have heard of it. */
	#latestVoters(): readonly NodeId[] {
		let latest: Reach | null = null;
		for (const reach of this.#reaches.values()) {
			if (latest === null || reach.configurationIndex > latest.configurationIndex) latest = reach;
		}
		return latest === null ? [] : votersOf(latest.configuration);
	}
}
