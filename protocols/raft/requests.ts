/** What local clients ask: taken in by a leader within its bounds, refused by everyone else. */
import { assertNever, type RequestId } from "../core/index.ts";
import { type RaftCore, reply } from "./core.ts";
import type { Entry, SessionId } from "./entry.ts";
import { appendOwn } from "./replication.ts";
import type { RaftRefusal, RaftRequest } from "./vocabulary.ts";

const noData: Uint8Array = new Uint8Array(0);

export function handleRequest(core: RaftCore, requestId: RequestId, request: RaftRequest): void {
	const refusal = refusalOf(core, request);
	if (refusal !== null) {
		reply(core, requestId, { type: "refused", ...refusal });
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
		default:
			assertNever(request, "request");
	}
}

function refusalOf(core: RaftCore, request: RaftRequest): RaftRefusal | null {
	if (core.role !== "leader") return { reason: "not-leader", leader: core.leader };
	const { maxPendingReads, maxPendingProposals, maxEntryBytes } = core.config;
	if (request.type === "read") {
		return core.pendingReads >= maxPendingReads ? { reason: "too-many-pending", limit: maxPendingReads } : null;
	}
	if (request.type === "propose" && request.data.length > maxEntryBytes) {
		return { reason: "too-large", sizeBytes: request.data.length, limitBytes: maxEntryBytes };
	}
	if (core.pendingProposals < maxPendingProposals) return null;
	return { reason: "too-many-pending", limit: maxPendingProposals };
}
