/** The settings of HyParView and Plumtree. */
import type { NodeId } from "../../core/index.ts";
import { type Bounds, requireIntegerField, requireRelation } from "../bounds.ts";

/** Defaults are those of the HyParView paper (§5.1) and, for Plumtree's times, of iroh-gossip. */
export interface BroadcastConfig {
	readonly nodeId: NodeId;
	/** Links that messages travel on. Default 5; bounds 2 to 64. */
	readonly activeViewMax: number;
	/** Members that are known as a reserve. Default 30; bounds 2 to 1,024. */
	readonly passiveViewMax: number;
	/** Hops of a join through active views. Default 6; bounds 1 to 32. */
	readonly activeWalk: number;
	/** With so many hops left, the joiner is put into passive views. Default 3. */
	readonly passiveWalk: number;
	/** Members of the active and of the passive view in a shuffle. Defaults 3 and 4. */
	readonly shuffleActive: number;
	readonly shufflePassive: number;
	/** Between shuffles, in ms. Default 60,000. */
	readonly shuffleIntervalMs: number;
	/** How long a request to become neighbours waits, in ms. Default 500. */
	readonly neighbourTimeoutMs: number;
	/** An announced message that has not come is asked for after so long, and at most one or two `graftRetryMs` more, in ms. Default 80. */
	readonly graftTimeoutMs: number;
	/** And of the next announcer after so long; also the tick in which waiting is counted. Default 40. */
	readonly graftRetryMs: number;
	/** Announcements are gathered for so long, in ms. Default 5. */
	readonly lazyIntervalMs: number;
	/** A path that is so many hops longer than an announced one is exchanged for it. Default 7; bounds 1 to 64. */
	readonly optimisationHops: number;
	/** Messages that are kept for those who ask. Default 1,024; bounds 1 to 1,048,576. */
	readonly messagesMax: number;
	/** Ids that are remembered, so that no message is delivered twice. Default 16,384; at least `messagesMax`. */
	readonly idsMax: number;
}

const defaults = {
	activeViewMax: 5,
	passiveViewMax: 30,
	activeWalk: 6,
	passiveWalk: 3,
	shuffleActive: 3,
	shufflePassive: 4,
	shuffleIntervalMs: 60_000,
	neighbourTimeoutMs: 500,
	graftTimeoutMs: 80,
	graftRetryMs: 40,
	lazyIntervalMs: 5,
	optimisationHops: 7,
	messagesMax: 1_024,
	idsMax: 16_384,
} as const;

const durationMs: Bounds = [1, 2 ** 31 - 1];
const bounds: Readonly<Record<keyof typeof defaults, Bounds>> = {
	activeViewMax: [2, 64],
	passiveViewMax: [2, 1_024],
	activeWalk: [1, 32],
	passiveWalk: [0, 32],
	shuffleActive: [0, 64],
	shufflePassive: [0, 64],
	shuffleIntervalMs: durationMs,
	neighbourTimeoutMs: durationMs,
	graftTimeoutMs: durationMs,
	graftRetryMs: durationMs,
	lazyIntervalMs: durationMs,
	optimisationHops: [1, 64],
	messagesMax: [1, 1_048_576],
	idsMax: [1, 16_777_216],
};

/** @throws QuorateError `gossip-config-invalid`, `gossip-config-contradiction` */
export function broadcastConfig(
	given: Pick<BroadcastConfig, "nodeId"> & Partial<Omit<BroadcastConfig, "nodeId">>,
): BroadcastConfig {
	const config: BroadcastConfig = { ...defaults, ...given };
	for (const [field, range] of Object.entries(bounds)) {
		requireIntegerField(field, config[field as keyof typeof bounds], range);
	}
	const { passiveWalk, activeWalk, idsMax, messagesMax } = config;
	requireRelation(passiveWalk <= activeWalk, "passiveWalk is at most activeWalk", passiveWalk, activeWalk);
	requireRelation(messagesMax <= idsMax, "messagesMax is at most idsMax", messagesMax, idsMax);
	return config;
}
