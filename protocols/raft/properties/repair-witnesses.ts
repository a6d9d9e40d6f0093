/** Damage of disks that a run must have found and repaired before it says anything about that. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, type Watcher } from "../../verification/index.ts";
import type { RaftObservation } from "./observation.ts";
import { publishes } from "./witnesses.ts";

export const entryFetchedAgain: Property<RaftObservation> = {
	id: "entry-fetched-again",
	kind: "sometimes",
	statement: "A member finds an entry of its log damaged, and gets it again from its leader.",
	source: "recovery of Raft's state (CTRL; Alagappan et al., FAST 2018)",
	needs: "events",
	observes: ["event"],
	watch: () => new EntryFetchedAgain(new Set()),
};

export const snapshotFetchedAgain: Property<RaftObservation> = publishes(
	{
		id: "snapshot-fetched-again",
		statement: "A member finds its snapshot damaged, and gets its leader's.",
		source: "recovery of Raft's state (CTRL; Alagappan et al., FAST 2018)",
	},
	(event) => event.type === "snapshot-repaired",
);

export const snapshotTakenAgain: Property<RaftObservation> = publishes(
	{
		id: "snapshot-taken-again",
		statement: "A leader finds the snapshot damaged that it is to send, and takes another.",
		source: "recovery of Raft's state (CTRL; Alagappan et al., FAST 2018)",
	},
	(event) => event.type === "snapshot-damaged" && event.remedy === "own",
);

class EntryFetchedAgain implements Watcher<RaftObservation> {
	/** Members that have found damage in their logs and are not whole again. */
	readonly #damaged: Set<NodeId>;

	constructor(damaged: Set<NodeId>) {
		this.#damaged = damaged;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type !== "event") return null;
		const { node, event } = observation;
		if (event.type === "log-damaged" && event.from !== null) this.#damaged.add(node);
		if (event.type !== "log-repaired") return null;
		return this.#damaged.delete(node) ? holds : null;
	}

	get state(): unknown {
		return this.#damaged;
	}

	copy(): EntryFetchedAgain {
		return new EntryFetchedAgain(new Set(this.#damaged));
	}
}
