/**
 * Commit in two places (raft-rs' group commit): with zones named in the config, what a quorum has is committed only when voters of two
 * zones have it durable, so that no zone, lost for good, takes with it what was acknowledged. It makes commits fewer, never more, and
 * elections and reads count as ever: no safety rests on it, and members need not agree about zones.
 *
 * The price: where all voters of all zones but one are cut off, nothing is committed, though a quorum is there. Witnesses hold no
 * commands and do not count; neither does who has no zone. A configuration with voters in fewer than two zones commits by quorum alone.
 */
import type { NodeId } from "../core/index.ts";
import type { RaftConfig } from "./config.ts";
import { isWitness, votersOf } from "./configuration.ts";
import type { Configuration } from "./entry.ts";

/** The largest value that two zones have reached; infinite where fewer than two have voters. */
export function largestInTwoZones(
	{ commitZones }: RaftConfig,
	configuration: Configuration,
	reached: (voter: NodeId) => number,
): number {
	const best = new Map<string, number>();
	for (const voter of votersOf(configuration)) {
		const zone = Object.hasOwn(commitZones, voter) ? commitZones[voter] : undefined;
		if (zone === undefined || isWitness(configuration, voter)) continue;
		best.set(zone, Math.max(best.get(zone) ?? 0, reached(voter)));
	}
	if (best.size < 2) return Number.POSITIVE_INFINITY;
	return [...best.values()].sort((a, b) => b - a)[1] as number;
}
