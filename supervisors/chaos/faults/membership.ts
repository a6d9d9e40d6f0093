/** What operators do to a group while it works. No faults, but experiments time them like faults. */
import { type FaultKind, target } from "../fault-kind.ts";

export const membershipFaults: readonly FaultKind[] = [
	{
		kind: "transfer-leadership",
		category: "membership",
		lasts: false,
		counts: null,
		means: "Asks the leader to hand its leadership over.",
		concerns: "target",
		arguments: [target("follower", "Who is to lead.")],
	},
];
