/** What can be wrong with a network, as data. */

import { type DelayDistribution, problemOf } from "./delay-distribution.ts";
import { faultInvalid } from "./errors.ts";

/** Which links a fault is on, by node name; what is not given is all nodes. */
export interface LinkFilter {
	readonly from?: readonly string[];
	readonly to?: readonly string[];
}

/** Probabilities are per message, in `[0, 1]`; times are virtual milliseconds. */
export type NetworkFault =
	/**
	 * Nodes hear each other only if one group holds both; those that no group names form one together. A node in two groups
	 * is a bridge.
	 */
	| { readonly kind: "partition"; readonly groups: readonly (readonly string[])[] }
	/** Nothing passes these links, in this direction. */
	| ({ readonly kind: "one-way" } & LinkFilter)
	/** Each node hears only the `reach` next ones (default 1) on both sides. Nodes that are not named hear everybody. */
	| { readonly kind: "ring"; readonly order: readonly string[]; readonly reach?: number }
	/** These nodes are cut off from all others, and from each other; `in` and `out`: in that direction only. */
	| { readonly kind: "isolate"; readonly nodes: readonly string[]; readonly direction?: "both" | "in" | "out" }
	| ({ readonly kind: "loss"; readonly probability: number } & LinkFilter)
	/** Messages of these types are lost. */
	| ({
			readonly kind: "drop-kind";
			readonly messageTypes: readonly string[];
			readonly probability?: number;
	  } & LinkFilter)
	/** The link is up and down by turns, beginning at a drawn moment of its period. */
	| ({ readonly kind: "flap"; readonly upMs: number; readonly downMs: number } & LinkFilter)
	/** A second copy, as late as any message. */
	| ({ readonly kind: "duplicate"; readonly probability: number } & LinkFilter)
	/** A second copy, long after. */
	| ({
			readonly kind: "replay";
			readonly probability: number;
			readonly ageMs: { readonly min: number; readonly max: number };
	  } & LinkFilter)
	/** Some wait up to so much longer, and are overtaken. */
	| ({ readonly kind: "reorder"; readonly probability: number; readonly windowMs: number } & LinkFilter)
	/** Every message takes this much longer. */
	| ({ readonly kind: "delay"; readonly delay: DelayDistribution } & LinkFilter)
	/** A link carries so much; what would wait behind more than `queueBytesMax` is lost. Each link for itself. */
	| ({ readonly kind: "bandwidth"; readonly bytesPerMs: number; readonly queueBytesMax: number } & LinkFilter)
	/** Flips this many bits; `isChecked` (default true) as in `Corruption`. */
	| ({
			readonly kind: "corrupt";
			readonly probability: number;
			readonly bits: number;
			readonly isChecked?: boolean;
	  } & LinkFilter)
	/** Messages wait until the fault is removed, and then all come; see {@link CLOG_MESSAGES_MAX}. */
	| ({ readonly kind: "clog" } & LinkFilter);

export type NetworkFaultKind = NetworkFault["kind"];

/** Every kind, for catalogues. */
export const networkFaultKinds: readonly NetworkFaultKind[] = [
	"partition",
	"one-way",
	"ring",
	"isolate",
	"loss",
	"drop-kind",
	"flap",
	"duplicate",
	"replay",
	"reorder",
	"delay",
	"bandwidth",
	"corrupt",
	"clog",
];

/** Messages that one clog holds; more are lost. */
export const CLOG_MESSAGES_MAX = 65_536;
/** Bits that one corruption flips at most. */
export const CORRUPT_BITS_MAX = 1_024;

/** @throws QuorateError `fault-invalid` */
export function checkNetworkFault(fault: NetworkFault): void {
	const { kind } = fault;
	const refuse = (argument: string, expected: string, actual: unknown): never => {
		throw faultInvalid({ kind, argument, expected, actual: String(actual).slice(0, 80) });
	};
	const positive = (argument: string, value: number): void => {
		if (!(value > 0 && Number.isFinite(value))) refuse(argument, "a number over 0", value);
	};
	if (
		"probability" in fault &&
		fault.probability !== undefined &&
		!(fault.probability >= 0 && fault.probability <= 1)
	) {
		refuse("probability", "a number from 0 to 1", fault.probability);
	}
	switch (kind) {
		case "ring":
			if (fault.order.length < 3) refuse("order", "three nodes or more", fault.order.length);
			if (fault.reach !== undefined) positive("reach", fault.reach);
			return;
		case "flap":
			positive("upMs", fault.upMs);
			positive("downMs", fault.downMs);
			return;
		case "replay": {
			const { min, max } = fault.ageMs;
			if (!(min >= 0 && max >= min)) refuse("ageMs", "a range of milliseconds", `${min} to ${max}`);
			return;
		}
		case "reorder":
			positive("windowMs", fault.windowMs);
			return;
		case "delay": {
			const problem = problemOf(fault.delay);
			if (problem !== null) refuse("delay", "a distribution of milliseconds", problem);
			return;
		}
		case "bandwidth":
			positive("bytesPerMs", fault.bytesPerMs);
			positive("queueBytesMax", fault.queueBytesMax);
			return;
		case "corrupt":
			if (!(Number.isInteger(fault.bits) && fault.bits >= 1 && fault.bits <= CORRUPT_BITS_MAX)) {
				refuse("bits", `an integer from 1 to ${CORRUPT_BITS_MAX}`, fault.bits);
			}
			return;
		default:
			if (!networkFaultKinds.includes(kind)) refuse("kind", networkFaultKinds.join(", "), kind);
	}
}
