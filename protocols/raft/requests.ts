/** What local clients ask: taken in by a leader within its bounds, refused by everyone else. */
import { assertNever, type RequestId } from "../core/index.ts";
import { ENTRY_OVERHEAD_BYTES } from "./config.ts";
import { type RaftCore, reply } from "./core.ts";
import type { Entry, SessionId } from "./entry.ts";
import { forgetLeader } from "./forget-leader.ts";
import { beginChange, leaveJoint } from "./membership.ts";
import { appendOwn } from "./replication.ts";
import { beginTransfer } from "./transfer.ts";
import type { RaftRefusal, RaftRequest } from "./vocabulary.ts";

const noData: Uint8Array = new Uint8Array(0);

export function handleRequest(core: RaftCore, requestId: RequestId, request: RaftRequest): void {
	if (request.type === "forget-leader") {
		forgetLeader(core, requestId);
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
			const entry: Entry = { term, kind: "command", session, serial, firstIncomplete, data };
			appendOwn(core, entry, requestId);
			return;
		}
		case "open-session": {
			const session = 0 as SessionId;
			const entry: Entry = { term, kind: "open-session", session, serial: 0, firstIncomplete: 0, data: noData };
			appendOwn(core, entry, requestId);
			return;
		}
		case "read":
			core.reads.push({ requestId, query: request.query });
			core.pendingReads++;
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

function refuse(core: RaftCore, requestId: RequestId, refusal: RaftRefusal | null): void {
	if (refusal !== null) reply(core, requestId, { type: "refused", ...refusal });
}

function refusalOf(core: RaftCore, request: RaftRequest): RaftRefusal | null {
	const isFollowerRead = request.type === "read" && core.config.followerReads && core.leader !== null;
	if (core.role !== "leader" && !isFollowerRead) return { reason: "not-leader", leader: core.leader };
	const { maxPendingReads, maxPendingProposals, maxUncommittedBytes, maxEntryBytes } = core.config;
	if (request.type === "read") {
		return core.pendingReads >= maxPendingReads ? { reason: "too-many-pending", limit: maxPendingReads } : null;
	}
	if (core.transfer !== null) return { reason: "transfer-in-progress", to: core.transfer.to };
	if (request.type === "propose" && request.data.length > maxEntryBytes) {
		return { reason: "too-large", sizeBytes: request.data.length, limitBytes: maxEntryBytes };
	}
	// A leader under load must still take orders; of changes there is one at a time.
	if (request.type !== "propose" && request.type !== "open-session") return null;
	if (core.pendingProposals >= maxPendingProposals) return { reason: "too-many-pending", limit: maxPendingProposals };
	const sizeBytes = ENTRY_OVERHEAD_BYTES + (request.type === "propose" ? request.data.length : 0);
	// One that is larger than the bound alone would never be taken if it had to fit in.
	if (core.uncommittedBytes === 0 || core.uncommittedBytes + sizeBytes <= maxUncommittedBytes) return null;
	return { reason: "too-many-uncommitted-bytes", limitBytes: maxUncommittedBytes };
}
