/** The numbers of SWIM and Lifeguard, as formulae over the number of members. */
import { assert } from "../../core/index.ts";

/** How often each update leaves one member: `multiplier × ⌈log10(n + 1)⌉` (memberlist `util.go`; SWIM §4.1 has λ log n). */
export function retransmitLimit(multiplier: number, members: number): number {
	return multiplier * Math.ceil(Math.log10(members + 1));
}

/** The shortest suspicion, in ms: `multiplier × max(1, log10 n) × probe interval`. */
export function suspicionMinMs(multiplier: number, members: number, probeIntervalMs: number): number {
	return Math.floor(multiplier * Math.max(1, Math.log10(Math.max(1, members))) * probeIntervalMs);
}

/**
 * How long a suspicion lasts that `confirmations` others have confirmed (Lifeguard §IV-B):
 * `max − (max − min) · log(c + 1) / log(k + 1)`, never below `min`; `min` if no confirmations can be had (`k` is 0).
 */
export function suspicionMs(confirmations: number, k: number, minMs: number, maxMs: number): number {
	assert(confirmations >= 0 && k >= 0 && minMs <= maxMs, "a suspicion has sound bounds");
	if (k === 0) return minMs;
	const share = Math.log(confirmations + 1) / Math.log(k + 1);
	return Math.max(minMs, Math.floor(maxMs - share * (maxMs - minMs)));
}

/** Confirmations that bring a suspicion to its shortest: `α − 2`, or none in a group that could not give them. */
export function confirmationsWanted(suspicionMultiplier: number, members: number): number {
	const k = Math.max(0, suspicionMultiplier - 2);
	return members - 2 < k ? 0 : k;
}

/** Larger groups exchange whole states more seldom: doubled at 33 members, tripled at 65 (memberlist `pushPullScale`). */
export function syncIntervalScaledMs(intervalMs: number, members: number): number {
	if (members <= 32) return intervalMs;
	return intervalMs * (Math.ceil(Math.log2(members) - 5) + 1);
}

/** How long a query is answered: `gossip interval × 16 × ⌈log10(n + 1)⌉` (serf `DefaultQueryTimeout`). */
export function queryTimeoutMs(gossipIntervalMs: number, members: number): number {
	return gossipIntervalMs * 16 * Math.ceil(Math.log10(members + 1));
}
