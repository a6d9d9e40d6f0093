/**
 * Linearizable reads at a follower (thesis §6.4): it asks its leader for a read index and answers when it has applied that
 * far.
 *
 * 1. A question gathers the reads that have none; those that come after it was first sent get the next one. So whatever
 *    index answers it covers everything that was decided when its reads arrived, also if it was asked again, or of the
 *    next leader (each confirms that it leads after the question arrived).
 * 2. The first answer counts and closes the question, so that no read is answered twice (etcd#20418).
 * 3. Questions are numbered within a life, and lives by a number that is durable before the first question of a life
 *    leaves. So an answer to a former life's question, which may be older, is not taken for one of this life's.
 *
 * What is lost is asked again with each heartbeat interval, for a maximum election timeout.
 */
import { type RaftCore, reply, sendImmediate, setTimer } from "./core.ts";
import { isHardStateDurable, sendDurable } from "./durability.ts";
import { beginAsking } from "./forwarding.ts";
import type { ReadIndexResponse } from "./messages.ts";
import { query } from "./read-index.ts";
import { noteAsked, noteClosed } from "./read-level.ts";

/** At the end of a follower's batch: asks for the reads that have no question yet, and what the leader was not asked. */
export function askReadIndex(core: RaftCore): void {
	if (core.reads.length > 0 && core.questions.length < core.config.maxInflightReadRounds) {
		if (!core.hasAsked) beginAsking(core);
		const question = ++core.lastQuestion;
		noteAsked(core, question);
		core.questions.push({ question, reads: core.reads, isSent: false, index: null, waits: 0 });
		core.reads = [];
	}
	sendQuestions(core);
	if (core.questions.length === 0 || core.isReadTimerSet) return;
	core.isReadTimerSet = true;
	setTimer(core, "read", core.config.heartbeatMs);
}

function sendQuestions(core: RaftCore): void {
	const { leader, term, askingLives: life } = core;
	if (leader === null) return;
	// A question rests on nothing but the term and the number of the life.
	const send = isHardStateDurable(core) ? sendImmediate : sendDurable;
	for (const each of core.questions) {
		if (each.isSent || each.index !== null) continue;
		each.isSent = true;
		send(core, leader, { type: "read-index-request", term, life, question: each.question });
	}
}

/** The leader of the term has answered a question, perhaps one that is closed. */
export function handleReadIndexResponse(core: RaftCore, { life, question, index }: ReadIndexResponse): void {
	if (life !== core.askingLives) return;
	const found = core.questions.find((each) => each.question === question);
	if (found !== undefined && found.index === null) found.index = index;
}

/** At the end of a batch: answers the reads whose index is applied. */
export function answerFollowerReads(core: RaftCore): void {
	// The state is wrong, or there is none.
	if (core.wantedSnapshot !== null) return;
	core.questions = core.questions.filter(({ question, index, reads }) => {
		if (index === null || index > core.deliveredIndex) return true;
		noteClosed(core, question, true);
		query(core, reads);
		return false;
	});
}

/** The read timer fired: what waits is asked again, or has waited too long. */
export function handleReadTimer(core: RaftCore): void {
	core.isReadTimerSet = false;
	const { heartbeatMs, electionTimeoutMs } = core.config;
	core.questions = core.questions.filter((each) => {
		each.waits++;
		each.isSent = false;
		if (each.waits * heartbeatMs < electionTimeoutMs.max) return true;
		for (const { requestId } of each.reads) {
			reply(core, requestId, { type: "refused", reason: "read-index-timeout", leader: core.leader });
		}
		noteClosed(core, each.question, false);
		core.pendingReads -= each.reads.length;
		return false;
	});
}
