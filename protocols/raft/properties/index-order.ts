/** The indices of a member keep their order. */
import { type Finding, holds, type Property, violated } from "../../verification/index.ts";
import type { RaftObservation } from "./observation.ts";
import { stateless } from "./stateless.ts";

export const indexOrder: Property<RaftObservation> = {
	id: "index-order",
	kind: "always",
	statement: "Purged <= snapshot <= applied <= committed <= last, where an installed snapshot counts as applied.",
	source: "Raft Figure 2, §7",
	needs: "machine",
	observes: ["batch"],
	watch: () => stateless(checkOrder),
};

function checkOrder(observation: RaftObservation): Finding | null {
	if (observation.type !== "batch") return null;
	const { snapshot, restoring, deliveredIndex, commitIndex, log } = observation.machine;
	const snapshotIndex = snapshot?.lastIndex ?? 0;
	// The application loads an installed snapshot when it is durable; until then it is behind.
	const appliedIndex = Math.max(deliveredIndex, restoring?.snapshot.lastIndex ?? 0);
	const { baseIndex, lastIndex } = log;
	const isOrdered =
		baseIndex <= snapshotIndex &&
		snapshotIndex <= appliedIndex &&
		appliedIndex <= commitIndex &&
		commitIndex <= lastIndex;
	if (isOrdered) return holds;
	const { node } = observation;
	return violated({
		node,
		purged: baseIndex,
		snapshot: snapshotIndex,
		applied: appliedIndex,
		committed: commitIndex,
		last: lastIndex,
	});
}
