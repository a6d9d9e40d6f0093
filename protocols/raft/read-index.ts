/**
 * Linearizable reads without the log (thesis §6.4). A read is answered from the state at the leader's commit index,
 * once a quorum has confirmed that it was still leader after the read arrived:
 *
 * 1. The leader has committed an entry of its term, so its commit index covers everything decided before.
 * 2. A round's number is raised after its reads arrived, and leaves in append-entries from then on. Whoever echoes it
 *    had not seen a later term; if a quorum did, no other leader had committed anything before the round began.
 * 3. The reads are answered when everything up to the commit index at the round's begin is applied.
 */
import type { NodeId } from "../core/index.ts";
import { type RaftCore, reply } from "./core.ts";
import { agreedByQuorum } from "./replication.ts";

/** Opens a round for the reads that have none, unless too many rounds are under way. */
export function openReadRound(core: RaftCore): void {
	if (core.reads.length === 0 || core.readRounds.length >= core.config.maxInflightReadRounds) return;
	if (core.log.termAt(core.commitIndex) !== core.term) return;
	core.round++;
	core.readRounds.push({ round: core.round, index: core.commitIndex, reads: core.reads });
	core.reads = [];
}

/** Lets the application answer the reads whose round a quorum has confirmed. */
export function completeReads(core: RaftCore): void {
	if (core.readRounds.length === 0) return;
	const confirmed = agreedByQuorum(core, "ackedRound", core.round);
	let done = 0;
	for (const { round, index, reads } of core.readRounds) {
		if (round > confirmed || index > core.deliveredIndex) break;
		for (const { requestId, query } of reads) {
			core.out.push({ type: "apply", delivery: { type: "query", requestId, query }, release: "immediate" });
		}
		core.pendingReads -= reads.length;
		done++;
	}
	core.readRounds.splice(0, done);
}

/** The leader steps down: it may not answer any more, and a read can be asked again elsewhere without harm. */
export function refuseReads(core: RaftCore, leader: NodeId | null): void {
	const waiting = [...core.readRounds.flatMap((round) => round.reads), ...core.reads];
	core.readRounds = [];
	core.reads = [];
	core.pendingReads = 0;
	for (const { requestId } of waiting) reply(core, requestId, { type: "refused", reason: "not-leader", leader });
}
