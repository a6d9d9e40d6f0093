/** What local clients ask: taken in by a leader within its bounds, refused by everyone else. */
import { assertNever, type RequestId } from "../core/index.ts";
import { refusalByLoad, refusalBySize } from "./admission.ts";
import { type PendingRead, type RaftCore, reply } from "./core.ts";
import type { Entry, SessionId } from "./entry.ts";
import { forgetLeader } from "./forget-leader.ts";
import { forward, refusalToForward } from "./forwarding.ts";
import { beginChange, leaveJoint } from "./membership.ts";
import { isFreshEnough, isReadByFollowers, mayAnswerNow, queryNow } from "./read-level.ts";
import { appendOwn } from "./replication.ts";
import { requestSnapshot } from "./snapshot-request.ts";
import { beginTransfer } from "./transfer.ts";
import type { RaftRefusal, RaftRequest } from "./vocabulary.ts";
import { isWithoutApplication } from "./witness.ts";

const noData: Uint8Array = new Uint8Array(0);

export function handleRequest(core: RaftCore, requestId: RequestId, request: RaftRequest): void {
	if (request.type === "forget-leader") {
		forgetLeader(core, requestId);
		return;
	}
	if (request.type === "request-snapshot") {
		refuse(core, requestId, requestSnapshot(core, requestId));
		return;
	}
	if (request.type === "application-behind") {
		core.isApplicationBehind = request.isBehind;
		return;
	}
	const refusal = refusalOf(core, request);
	if (refusal !== null) {
		refuse(core, requestId, refusal);
		return;
	}
	const { term } = core;
	switch (request.type) {
		case "propose": {
			const { session, serial, firstIncomplete, data } = request;
			propose(core, requestId, { term, kind: "command", session, serial, firstIncomplete, data });
			return;
		}
		case "open-session": {
			const session = 0 as SessionId;
			propose(core, requestId, { term, kind: "open-session", session, serial: 0, firstIncomplete: 0, data: noData });
			return;
		}
		case "read":
			takeRead(core, { requestId, query: request.query, needsRound: false });
			return;
		case "read-at":
			if (request.level === "stale" && isFreshEnough(core, request.maxStalenessMs))
				queryNow(core, requestId, request.query);
			else takeRead(core, { requestId, query: request.query, needsRound: request.level === "index" });
			return;
		case "change-membership":
			refuse(core, requestId, beginChange(core, requestId, request.change, request.transition));
			return;
		case "leave-joint":
			refuse(core, requestId, leaveJoint(core, requestId));
			return;
		case "transfer-leadership":
			refuse(core, requestId, beginTransfer(core, requestId, request.to));
			return;
		default:
			assertNever(request, "request");
	}
}

function propose(core: RaftCore, requestId: RequestId, entry: Entry): void {
	if (core.role === "leader") appendOwn(core, entry, requestId);
	else forward(core, requestId, entry);
}

function refuse(core: RaftCore, requestId: RequestId, refusal: RaftRefusal | null): void {
	if (refusal !== null) reply(core, requestId, { type: "refused", ...refusal });
}

function takeRead(core: RaftCore, read: PendingRead): void {
	core.reads.push(read);
	core.pendingReads++;
}

type Refusable = Exclude<RaftRequest, { type: "forget-leader" | "request-snapshot" | "application-behind" }>;

function refusalOf(core: RaftCore, request: Refusable): RaftRefusal | null {
	const isProposal = request.type === "propose" || request.type === "open-session";
	const dataBytes = request.type === "propose" ? request.data.length : 0;
	const { maxPendingReads, forwardProposals } = core.config;
	const isRead = request.type === "read" || request.type === "read-at";
	if (core.role !== "leader") {
		if (isRead && mayAnswerNow(core, request)) return null;
		const isTaken = (isRead && isReadByFollowers(core, request)) || (isProposal && forwardProposals);
		if (!isTaken || core.leader === null || isWithoutApplication(core))
			return { reason: "not-leader", leader: core.leader };
		if (isProposal) return refusalBySize(core, dataBytes) ?? refusalToForward(core, dataBytes);
	}
	if (isRead) {
		if (request.type === "read-at" && request.level === "lease" && core.config.lease === null)
			return { reason: "lease-off" };
		return core.pendingReads >= maxPendingReads ? { reason: "too-many-pending", limit: maxPendingReads } : null;
	}
	if (core.transfer !== null) return { reason: "transfer-in-progress", to: core.transfer.to };
	// A leader under load must still take orders; of changes there is one at a time.
	if (!isProposal) return null;
	return refusalBySize(core, dataBytes) ?? refusalByLoad(core, dataBytes, core.pendingProposals);
}
