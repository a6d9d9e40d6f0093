/**
 * Linearizable reads without the log (thesis §6.4), the leader's side. A read is answered from the state at the leader's
 * commit index, once a quorum has confirmed that it was still leader after the read arrived:
 *
 * 1. The leader has committed an entry of its term, so its commit index covers everything decided before.
 * 2. A round's number is raised after its reads arrived, and leaves in append-entries from then on. Whoever echoes it
 *    had not seen a later term; if a quorum did, no other leader had committed anything before the round began.
 * 3. The reads are answered when everything up to the commit index at the round's begin is applied.
 *
 * A follower's question for a read index is answered with that commit index after 2; the follower does 3 (`follower-reads.ts`).
 */
import type { NodeId } from "../core/index.ts";
import { type AskedIndex, type PendingRead, type RaftCore, reply, sendImmediate } from "./core.ts";
import type { LogIndex } from "./entry.ts";
import { answersByLease } from "./lease.ts";
import type { ReadIndexRequest } from "./messages.ts";
import { agreedByQuorum } from "./replication.ts";
import { beginRound } from "./round.ts";

/**
 * A follower wants a read index. What is asked again while it waits is one question; one that finds no place here is
 * asked again.
 */
export function handleReadIndexRequest(core: RaftCore, from: NodeId, { life, question }: ReadIndexRequest): void {
	if (core.role !== "leader" || core.pendingReads >= core.config.maxPendingReads) return;
	const isSame = (other: AskedIndex): boolean =>
		other.from === from && other.life === life && other.question === question;
	if (core.asked.some(isSame) || core.readRounds.some(({ asked }) => asked.some(isSame))) return;
	core.asked.push({ from, life, question });
	core.pendingReads++;
}

/** Opens a round for the reads that have none, unless a lease will do or too many rounds are under way. */
export function openReadRound(core: RaftCore): void {
	if (core.reads.length + core.asked.length === 0) return;
	if (core.readRounds.length >= core.config.maxInflightReadRounds) return;
	if (core.log.termAt(core.commitIndex) !== core.term) return;
	if (answersByLease(core) && !core.reads.some(({ needsRound }) => needsRound)) return;
	beginRound(core);
	core.readRounds.push({ round: core.round, index: core.commitIndex, reads: core.reads, asked: core.asked });
	core.reads = [];
	core.asked = [];
}

/** Lets the application answer the reads whose round a quorum has confirmed, and followers theirs; by lease all. */
export function completeReads(core: RaftCore): void {
	if (core.reads.length + core.asked.length > 0 && core.deliveredIndex === core.commitIndex && answersByLease(core)) {
		query(
			core,
			core.reads.filter(({ needsRound }) => !needsRound),
		);
		answerAsked(core, core.asked, core.commitIndex);
		core.reads = core.reads.filter(({ needsRound }) => needsRound);
		core.asked = [];
	}
	if (core.readRounds.length === 0) return;
	const confirmed = agreedByQuorum(core, "ackedRound", core.round);
	let done = 0;
	for (const { round, index, reads, asked } of core.readRounds) {
		if (round > confirmed || index > core.deliveredIndex) break;
		query(core, reads);
		answerAsked(core, asked, index);
		done++;
	}
	core.readRounds.splice(0, done);
}

/** Lets the application answer reads from the state as it is now. */
export function query(core: RaftCore, reads: readonly PendingRead[]): void {
	for (const { requestId, query } of reads) {
		core.out.push({ type: "apply", delivery: { type: "query", requestId, query }, release: "immediate" });
	}
	core.pendingReads -= reads.length;
}

/** It claims nothing about this leader's disk: what is committed is on a quorum's. */
function answerAsked(core: RaftCore, asked: readonly AskedIndex[], index: LogIndex): void {
	for (const { from, life, question } of asked) {
		sendImmediate(core, from, { type: "read-index-response", term: core.term, life, question, index });
	}
	core.pendingReads -= asked.length;
}

/**
 * The leader steps down, or a follower has lost its leader: it may not answer, and a read can be asked again elsewhere
 * without harm. What followers have asked, they ask their next leader.
 */
export function refuseReads(core: RaftCore, leader: NodeId | null): void {
	const waiting = [...core.readRounds, ...core.questions].flatMap(({ reads }) => reads).concat(core.reads);
	core.readRounds = [];
	core.questions = [];
	core.questionTimes.clear();
	core.reads = [];
	core.asked = [];
	core.pendingReads = 0;
	for (const { requestId } of waiting) reply(core, requestId, { type: "refused", reason: "not-leader", leader });
}
