/** A member's snapshot and its log are of one history. */
import { type Finding, holds, type Property, violated } from "../../verification/index.ts";
import type { RaftObservation } from "./observation.ts";
import { stateless } from "./stateless.ts";

export const snapshotMatchesLog: Property<RaftObservation> = {
	id: "snapshot-matches-log",
	kind: "always",
	statement: "Where a member's log has the last entry of its snapshot, it has it in the snapshot's term.",
	source: "Raft §7 (Figure 13, rules 6 and 7)",
	needs: "machine",
	observes: ["batch"],
	watch: () => stateless(checkEnd),
};

function checkEnd(observation: RaftObservation): Finding | null {
	if (observation.type !== "batch") return null;
	const { snapshot, log } = observation.machine;
	if (snapshot === null) return holds;
	const { lastIndex, lastTerm } = snapshot;
	const logTerm = log.termAt(lastIndex);
	if (logTerm === undefined || logTerm === lastTerm) return holds;
	return violated({ node: observation.node, lastIndex, lastTerm, logTerm });
}
