/** What a member counts as durable is durable. */
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { DiskLogs } from "./disk-log.ts";
import { entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";

export const durableCounted: Property<RaftObservation> = {
	id: "durable-counted",
	kind: "always",
	statement: "The last entry that a member counts as durable is on its disk as it stands in its log.",
	source: "thesis §10.2.1 (a leader counts itself when its own write is done)",
	needs: "disk",
	observes: ["batch", "persisted"],
	watch: () => new DurableCounted(new DiskLogs()),
};

class DurableCounted implements Watcher<RaftObservation> {
	readonly #disks: DiskLogs;

	constructor(disks: DiskLogs) {
		this.#disks = disks;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "persisted") this.#disks.follow(observation.node, observation.durable);
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const { log } = machine;
		const disk = this.#disks.of(node);
		const index = log.durableThrough;
		// What is compacted is in a snapshot.
		if (disk === undefined || index <= log.baseIndex) return null;
		if (index > log.lastIndex) return violated({ node, index, lastIndex: log.lastIndex });
		const entry = log.entryAt(index);
		return disk.holds(index, entryDigest(entry)) ? holds : violated({ node, index, term: entry.term });
	}

	get state(): unknown {
		return this.#disks.state;
	}

	copy(): DurableCounted {
		return new DurableCounted(this.#disks.copy());
	}
}
