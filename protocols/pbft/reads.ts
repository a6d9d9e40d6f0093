/** Reads that are not ordered (OSDI'99 §5.1.3): answered from a state in which nothing is tentative. */
import type { RequestId } from "../core/index.ts";
import { deliver, type PbftCore, reply } from "./core.ts";
import type { ClientRequest } from "./entities.ts";

/** Reads that wait for a batch to be committed; one more is refused, and its client asks again. */
const READS_HELD_MAX = 1024;

/** Answers a read, or keeps it until what is executed is committed. */
export function read(core: PbftCore, requestId: RequestId, request: ClientRequest): void {
	if (core.tentative === null) {
		deliver(core, { type: "query", requestId, request, view: core.view });
	} else if (core.heldReads.length < READS_HELD_MAX) {
		core.heldReads.push({ requestId, request });
	} else {
		reply(core, requestId, { type: "refused", reason: "too-many-waiting", limit: READS_HELD_MAX });
	}
}

/** Nothing is tentative any more. */
export function releaseReads(core: PbftCore): void {
	for (const { requestId, request } of core.heldReads.splice(0)) read(core, requestId, request);
}
