/** What a deterministic host does to its group. */
import type { NodeId } from "../../../protocols/core/index.ts";

/** How bad the world is. Probabilities in [0, 1], times in milliseconds. */
export interface World {
	readonly lossChance: number;
	readonly duplicateChance: number;
	readonly latencyMs: { readonly min: number; readonly max: number };
	readonly writeMs: { readonly min: number; readonly max: number };
	/** The disks of these nodes take ten times as long. */
	readonly slowDisks: readonly NodeId[];
	/** Time from a snapshot's order until it is durable. */
	readonly snapshotMs: { readonly min: number; readonly max: number };
}

export const kindWorld: World = {
	lossChance: 0,
	duplicateChance: 0,
	latencyMs: { min: 1, max: 3 },
	writeMs: { min: 0, max: 2 },
	slowDisks: [],
	snapshotMs: { min: 0, max: 5 },
};
