/** Leader append-only, from a leader's log after each batch. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex, Term } from "../entry.ts";
import type { RaftView } from "../view.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";

/** The end of a leader's log when last seen. By log matching it stands for everything before. */
interface LogEnd {
	readonly term: Term;
	readonly lastIndex: LogIndex;
	/** Of the last entry; null if it was the base. */
	readonly digest: EntryDigest | null;
}

export const leaderAppendOnly: Property<RaftObservation> = {
	id: "leader-append-only",
	kind: "always",
	statement: "A leader never overwrites or deletes entries of its log; it only appends.",
	source: "Raft Figure 3, §5.3",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new LeaderAppendOnly(new Map()),
};

class LeaderAppendOnly implements Watcher<RaftObservation> {
	/** Those that lead at present. */
	readonly #ends: Map<NodeId, LogEnd>;

	constructor(ends: Map<NodeId, LogEnd>) {
		this.#ends = ends;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") this.#ends.delete(observation.node);
		if (observation.type !== "batch") return null;
		const { node, machine, effects } = observation;
		const end = this.#ends.get(node);
		if (machine.role !== "leader") {
			if (end !== undefined) this.#ends.delete(node);
			return null;
		}
		const { term } = machine;
		if (end === undefined || end.term !== term) {
			this.#ends.set(node, endOf(machine));
			return null;
		}
		const { lastIndex } = end;
		for (const effect of effects) {
			if (effect.type !== "persist" || effect.write.truncateFrom === undefined) continue;
			return violated({ node, term, cutFrom: effect.write.truncateFrom });
		}
		if (machine.log.lastIndex < lastIndex)
			return violated({ node, term, lastIndex: machine.log.lastIndex, lastIndexBefore: lastIndex });
		if (
			lastIndex > machine.log.baseIndex &&
			end.digest !== null &&
			entryDigest(machine.log.entryAt(lastIndex)) !== end.digest
		) {
			return violated({ node, term, overwritten: lastIndex });
		}
		if (machine.log.lastIndex !== lastIndex) this.#ends.set(node, endOf(machine));
		return holds;
	}

	get state(): unknown {
		return this.#ends;
	}

	copy(): LeaderAppendOnly {
		return new LeaderAppendOnly(new Map(this.#ends));
	}
}

function endOf({ term, log }: RaftView): LogEnd {
	const { lastIndex } = log;
	return { term, lastIndex, digest: lastIndex > log.baseIndex ? entryDigest(log.entryAt(lastIndex)) : null };
}
