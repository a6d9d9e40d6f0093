/**
 * Reads that are not ordered (OSDI'99 §5.1.3): answered from a state in which nothing is tentative, and that has all in it that this
 * member had prepared when it was asked.
 *
 * Why a read sees what was answered before it began: (1) an answer counts when f + 1 members give it, so a correct one has committed it,
 * and a quorum has prepared its slot, on their disks; (2) a read counts when a quorum answers alike, so a correct member of the former
 * quorum is among them; (3) that member answers when it has executed the slot. To answer from whatever is executed would not be enough:
 * when all members start anew, what was executed and answered may be prepared on the disks, and no more.
 */
import type { RequestId } from "../core/index.ts";
import { deliver, type PbftCore, reply } from "./core.ts";
import type { ClientRequest, SequenceNumber } from "./entities.ts";

/** Reads that wait; one more is refused, and its client asks again. */
const READS_HELD_MAX = 1024;

/** A read that waits until nothing is tentative, and all up to `from` is executed. */
export interface HeldRead {
	readonly requestId: RequestId;
	readonly request: ClientRequest;
	readonly from: SequenceNumber;
}

/** Answers a read, or keeps it until it may be answered. */
export function read(core: PbftCore, requestId: RequestId, request: ClientRequest): void {
	answerOrHold(core, { requestId, request, from: lastPrepared(core) });
}

/** Something was executed, or nothing is tentative any more. */
export function releaseReads(core: PbftCore): void {
	for (const held of core.heldReads.splice(0)) answerOrHold(core, held);
}

function answerOrHold(core: PbftCore, held: HeldRead): void {
	const { requestId, request, from } = held;
	if (core.tentative === null && core.executed >= from) {
		deliver(core, { type: "query", requestId, request, view: core.view });
	} else if (core.heldReads.length < READS_HELD_MAX) {
		core.heldReads.push(held);
	} else {
		reply(core, requestId, { type: "refused", reason: "too-many-waiting", limit: READS_HELD_MAX });
	}
}

/** The last slot that somebody may have been answered from because of this member. */
function lastPrepared({ slots, executed }: PbftCore): SequenceNumber {
	let last = executed;
	for (const { sequence, isPrepared, prepared, decision } of slots.values()) {
		if (sequence > last && (isPrepared || prepared !== null || decision !== null)) last = sequence;
	}
	return last;
}
