/** How many members decide, from the committed configuration alone: never from who can be reached. */
import type { Configuration } from "./entities.ts";

/**
 * The least number of members such that any two sets of that size share a correct one: `⌈(n + f + 1) / 2⌉` (Malkhi and
 * Reiter 1998), which is 2f + 1 when n = 3f + 1.
 */
export function quorumOf({ members, faults }: Configuration): number {
	return Math.floor((members.length + faults) / 2) + 1;
}

/** The least number of members of which at least one is correct: f + 1. */
export function weakQuorumOf({ faults }: Configuration): number {
	return faults + 1;
}
