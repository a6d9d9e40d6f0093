/**
 * What members of one push-sum say: which figure it is about, which epoch, and mass. Who hears of an epoch for the first time joins it with
 * its own mass, so nobody has to be told beforehand; a later epoch takes the place of a former one, and of its lost mass (Jelasity,
 * Montresor, Babaoglu, TOCS 2005, §5: restarts).
 */
import type { LayoutTable, NodeId } from "../../core/index.ts";
import { requireNumberField } from "../bounds.ts";
import type { Mass } from "./push-sum.ts";

/** Of the values that members have contributed; `count` is of the members themselves. */
export const aggregateKinds = ["average", "sum", "count"] as const;
export type AggregateKind = (typeof aggregateKinds)[number];

export interface MassMessage {
	readonly type: "mass";
	/** Who wants to know, and its number of this question. */
	readonly origin: NodeId;
	readonly serial: number;
	readonly kind: AggregateKind;
	/** Names the contributed values; empty for `count`. */
	readonly of: string;
	readonly epoch: number;
	/** Rounds that whoever joins by this message gives in, and their length in ms. */
	readonly rounds: number;
	readonly roundMs: number;
	readonly sum: number;
	readonly weight: number;
}

export const aggregationLayouts: LayoutTable = {
	protocol: "aggregation",
	version: 1,
	messages: [
		{
			type: "mass",
			fields: [
				{ name: "origin", kind: "text" },
				{ name: "serial", kind: "safe-integer" },
				{ name: "kind", kind: { oneOf: aggregateKinds } },
				{ name: "of", kind: "text" },
				{ name: "epoch", kind: "uint32" },
				{ name: "rounds", kind: "uint32" },
				{ name: "roundMs", kind: "uint32" },
				{ name: "sum", kind: "float64" },
				{ name: "weight", kind: "float64" },
			],
		},
	],
};

/**
 * What a member brings into an epoch. One that has contributed nothing has no weight in an average and adds nothing to a sum.
 * @param value what it has contributed; undefined for nothing
 */
export function initialMass(kind: AggregateKind, value: number | undefined, isOrigin: boolean): Mass {
	if (kind === "average") return value === undefined ? { sum: 0, weight: 0 } : { sum: value, weight: 1 };
	return { sum: kind === "count" ? 1 : (value ?? 0), weight: isOrigin ? 1 : 0 };
}

/**
 * Rounds after which an estimate is off by a share of `accuracy` at most, in all but about one of a thousand epochs (Kempe et al., theorem
 * 3.1: O(log n + log 1/ε + log 1/δ)), ⌈log2 n⌉ more for the news to reach all. Of values with both signs the share is of their mean magnitude.
 * @param accuracy in [1e-6, 0.5]
 * @throws QuorateError `gossip-config-invalid`
 */
export function aggregationRounds(members: number, accuracy: number): number {
	requireNumberField("accuracy", accuracy, [1e-6, 0.5]);
	return Math.ceil(2 * Math.log2(Math.max(2, members)) + 2 * Math.log2(1 / accuracy) + Math.log2(1_000));
}
