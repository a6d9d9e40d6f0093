/** Leader completeness, from each leader's log and everything that anybody took for committed. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex, Term } from "../entry.ts";
import { indexAfter } from "../log.ts";
import { CommittedLog } from "./committed-log.ts";
import { entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";

type Batch = Extract<RaftObservation, { type: "batch" }>;

/** How far a leader was found complete. */
interface Checked {
	readonly term: Term;
	readonly through: LogIndex;
}

/**
 * A commit may become known after a later leader was elected, so a leader is held against what was committed not only
 * when it is elected but with each of its batches.
 */
export const leaderCompleteness: Property<RaftObservation> = {
	id: "leader-completeness",
	kind: "always",
	statement: "An entry committed in a term is in the logs of the leaders of all later terms.",
	source: "Raft Figure 3, §5.4",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new LeaderCompleteness(new CommittedLog(), new Map()),
};

class LeaderCompleteness implements Watcher<RaftObservation> {
	readonly #committed: CommittedLog;
	/** Those that lead at present. */
	readonly #checked: Map<NodeId, Checked>;

	constructor(committed: CommittedLog, checked: Map<NodeId, Checked>) {
		this.#committed = committed;
		this.#checked = checked;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") {
			this.#committed.forget(observation.node);
			this.#checked.delete(observation.node);
		}
		if (observation.type !== "batch") return null;
		this.#committed.follow(observation);
		if (observation.machine.role === "leader") return this.#checkLeader(observation);
		if (this.#checked.size > 0) this.#checked.delete(observation.node);
		return null;
	}

	get state(): unknown {
		return { committed: this.#committed.state, checked: this.#checked };
	}

	copy(): LeaderCompleteness {
		return new LeaderCompleteness(this.#committed.copy(), new Map(this.#checked));
	}

	#checkLeader({ node, machine }: Batch): Finding | null {
		const { term, log } = machine;
		const { highest } = this.#committed;
		const checked = this.#checked.get(node);
		const isNew = checked?.term !== term;
		if (!isNew && checked.through >= highest) return null;
		const from = Math.max(isNew ? 0 : checked.through, log.baseIndex) as LogIndex;
		for (let index = indexAfter(from, 1); index <= highest; index = indexAfter(index, 1)) {
			const committed = this.#committed.at(index);
			if (committed === undefined || committed.byTerm >= term) continue;
			if (index > log.lastIndex || entryDigest(log.entryAt(index)) !== committed.digest) {
				return violated({ node, term, index, committedByTerm: committed.byTerm, lastIndex: log.lastIndex });
			}
		}
		this.#checked.set(node, { term, through: highest });
		return holds;
	}
}
