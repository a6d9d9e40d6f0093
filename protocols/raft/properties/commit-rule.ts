/** What a leader commits by counting replicas. */
import { type Finding, holds, type Property, violated } from "../../verification/index.ts";
import type { RaftObservation } from "./observation.ts";
import { stateless } from "./stateless.ts";

/**
 * Without it a committed entry can still be overwritten, but only in runs as rare as Figure 8: that is why the rule has a
 * property of its own.
 */
export const commitRule: Property<RaftObservation> = {
	id: "commits-own-term",
	kind: "always",
	statement: "What a leader commits last is an entry of its own term; those of earlier terms only follow it.",
	source: "Raft §5.4.2 (Figure 8)",
	needs: "machine",
	observes: ["batch"],
	watch: () => stateless(judge),
};

/** In its own term a leader has never followed anybody, so whatever it commits there it has counted itself. */
function judge(observation: RaftObservation): Finding | null {
	if (observation.type !== "batch") return null;
	const { node, machine, effects } = observation;
	if (machine.role !== "leader") return null;
	let finding: Finding | null = null;
	for (const effect of effects) {
		if (effect.type !== "emit" || effect.event.type !== "commit-advanced") continue;
		const { index, term } = effect.event;
		const entryTerm = machine.log.termAt(index);
		// Of the term before, as a follower; or compacted since.
		if (term !== machine.term || entryTerm === undefined) continue;
		if (entryTerm !== term) return violated({ node, index, term, entryTerm });
		finding = holds;
	}
	return finding;
}
