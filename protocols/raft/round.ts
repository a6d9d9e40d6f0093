/** The rounds by which a leader asks whether it is followed, and what a member owes who asked (`lease.ts` says why). */
import type { RaftConfig } from "./config.ts";
import type { RaftCore } from "./core.ts";

const MILLION = 1_000_000;
/** Clocks may be read in whole milliseconds, and a timer of such a clock may fire one early. */
const LEASE_MARGIN_MS = 2;

/** Raises the round's number; what leaves from now on asks for its echo. */
export function beginRound(core: RaftCore): void {
	core.round++;
	if (core.config.lease === null) return;
	forgetExpired(core);
	core.roundBegins.push({ round: core.round, atMs: core.nowMs });
}

/** How long after its begin a confirmed round is a lease. */
export function leaseMs({ electionTimeoutMs, lease }: RaftConfig): number {
	if (lease === null) return 0;
	const { maxClockDriftPpm } = lease;
	return (electionTimeoutMs.min * (MILLION - maxClockDriftPpm)) / (MILLION + maxClockDriftPpm) - LEASE_MARGIN_MS;
}

/** So there are no more begins than rounds in one lease: one each heartbeat, and those that reads have opened. */
function forgetExpired(core: RaftCore): void {
	const expiredMs = core.nowMs - leaseMs(core.config);
	core.roundBegins = core.roundBegins.filter(({ atMs }) => atMs > expiredMs);
}

/** This member has heard its leader, or may have before it restarted: the leader may count on its vote staying away. */
export function guardLease(core: RaftCore): void {
	if (core.config.lease !== null) core.guardsLease = true;
}
