/**
 * Reads by lease (thesis §6.4.1), off unless the config says so: a leader answers without a round of its own for as long as
 * nobody else can lead.
 *
 * 1. A round began at `t`, by the leader's clock. Each member of a quorum that echoed it heard the leader after `t`, and
 *    gives no vote and does not campaign for `electionTimeoutMs.min` after that, by its own clock, whatever terms it
 *    hears of (`guardLease`). A restart forgets when that was, so it waits as long before it votes.
 * 2. Every later leader needs one of them. So nobody else leads, or commits, before `electionTimeoutMs.min` after `t` by
 *    the fastest of their clocks. With clocks that run at `1 ± d` of true time that is not before
 *    `electionTimeoutMs.min × (1 − d) / (1 + d)` after `t` by this leader's: for so long, less what a clock in whole
 *    milliseconds may hide, it answers.
 * 3. A successor that the leader has asked to campaign is exempt from 1, however late it comes. So a leader that has begun
 *    a transfer has no lease any more in its term.
 * 4. `now` of a batch's end is read after its requests came. So what was decided before a read came was decided before
 *    the lease ended, by this leader, and is in the state that answers it; it does not matter how late the answer leaves.
 *
 * Times are no part of the state: with leases equal states may behave differently, so models have none.
 */
import type { RaftCore } from "./core.ts";
import { agreedByQuorum } from "./replication.ts";
import { leaseMs } from "./round.ts";

/** How long this leader may answer without a round, in milliseconds from now; 0: not at all. */
export function leaseLeftMs(core: RaftCore): number {
	if (core.role !== "leader" || core.isLeaseOver || core.roundBegins.length === 0) return 0;
	const confirmed = agreedByQuorum(core, "ackedRound", core.round);
	const begin = core.roundBegins.findLast(({ round }) => round <= confirmed);
	return begin === undefined ? 0 : Math.max(0, begin.atMs + leaseMs(core.config) - core.nowMs);
}

/** Whether reads may be answered at the end of this batch: by lease, from a state that has all that is committed. */
export function answersByLease(core: RaftCore): boolean {
	return core.log.termAt(core.commitIndex) === core.term && leaseLeftMs(core) > 0;
}
