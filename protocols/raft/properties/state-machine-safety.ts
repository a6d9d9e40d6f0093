/** State machine safety, from what members hand their applications. */
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex } from "../entry.ts";
import { indexAfter } from "../log.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

export const stateMachineSafety: Property<RaftObservation> = {
	id: "state-machine-safety",
	kind: "always",
	statement: "If a member has applied an entry at an index, no member ever applies another one there.",
	source: "Raft Figure 3, §5.4.3",
	needs: "machine",
	observes: ["batch"],
	watch: () => new StateMachineSafety(new Map()),
};

class StateMachineSafety implements Watcher<RaftObservation> {
	readonly #applied: Map<LogIndex, EntryDigest>;

	constructor(applied: Map<LogIndex, EntryDigest>) {
		this.#applied = applied;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type !== "batch") return null;
		let finding: Finding | null = null;
		for (const effect of observation.effects) {
			if (effect.type !== "apply" || effect.delivery.type !== "entries") continue;
			let index = effect.delivery.firstIndex;
			for (const entry of effect.delivery.entries) {
				const digest = entryDigest(entry);
				const known = this.#applied.get(index);
				if (known === undefined) remember(this.#applied, index, digest);
				else if (known !== digest) return violated({ node: observation.node, index, term: entry.term });
				index = indexAfter(index, 1);
			}
			finding = holds;
		}
		return finding;
	}

	get state(): unknown {
		return this.#applied;
	}

	copy(): StateMachineSafety {
		return new StateMachineSafety(new Map(this.#applied));
	}
}
