/**
 * Anti-entropy for values of any kind: CRDTs, key-value states, sets. A {@link ReconciledValue} is three functions over bytes;
 * {@link AntiEntropyMachine} carries its digests and differences between members as gossip (Demers et al., PODC 1987, §1.3).
 *
 * Not here: choosing whom to talk to by latency, splitting a difference that is over the limit.
 */
export {
	type AntiEntropyConfig,
	AntiEntropyMachine,
	type AntiEntropyPorts,
	antiEntropyConfig,
} from "./machine.ts";
export type { ReconciledValue } from "./port.ts";
export {
	type AntiEntropyEvent,
	type AntiEntropyMessage,
	type AntiEntropyTypes,
	antiEntropyLayouts,
	type NamedDifference,
	type NamedDigest,
} from "./vocabulary.ts";
