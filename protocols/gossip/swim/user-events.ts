/**
 * Named messages for all members, and questions to them (serf). An event is delivered at most once at a member, and reaches
 * all with the probability of gossip: spread is not decided. Lamport times order an origin's events and keep what is old from
 * being delivered as if it were new.
 */
import { isNodeId, type NodeId, type RequestId } from "../../core/index.ts";
import { emit, groupSize, NO_BYTES, reply, type SwimCore, send, setTimer } from "./core.ts";
import { spreadEvent } from "./dissemination.ts";
import { queryTimeoutMs } from "./formulae.ts";
import type { QueryAnswer, UserEvent } from "./messages.ts";
import { decodeFilter, isAsked } from "./tags.ts";

/** Name, payload and filter of an event together, in bytes (serf's UserEventSizeLimit). */
export const EVENT_BYTES_MAX = 512;
/** Payload of an answer, in bytes (serf's QueryResponseSizeLimit). */
export const ANSWER_BYTES_MAX = 1_024;
/** Lamport times whose events are remembered; older ones are dropped (serf's buffers have as many places). */
export const EVENT_TIMES_MAX = 512;
/** Events of one Lamport time; more are dropped. */
export const EVENTS_PER_TIME_MAX = 64;
/** Queries of one member that may be open, and queries of others that it may still answer. */
export const QUERIES_MAX = 512;
/** How far ahead of this member's Lamport time an event may be; beyond it a clock is wrong, or lies. */
export const LAMPORT_LEAP_MAX: number = 2 ** 20;

/** The name of an event. */
export const EVENT_NAME: RegExp = /^[\x20-\x7e]{1,128}$/;

/** Starts an event, or a query: then `filter` says who is asked. */
export function startEvent(
	core: SwimCore,
	requestId: RequestId,
	name: string,
	payload: Uint8Array,
	filter: Uint8Array | null,
): void {
	const isQuery = filter !== null;
	if (typeof name !== "string" || !EVENT_NAME.test(name)) {
		reply(core, requestId, { type: "refused", reason: "malformed", field: "name" });
		return;
	}
	if (isQuery && !isFilter(filter)) {
		reply(core, requestId, { type: "refused", reason: "malformed", field: "filter" });
		return;
	}
	const sizeBytes = name.length + payload.length + (filter?.length ?? 0);
	if (sizeBytes > EVENT_BYTES_MAX) {
		reply(core, requestId, { type: "refused", reason: "too-large", sizeBytes, limitBytes: EVENT_BYTES_MAX });
		return;
	}
	if (isQuery && core.queries.size >= QUERIES_MAX) {
		reply(core, requestId, { type: "refused", reason: "too-many-events" });
		return;
	}
	core.lamport++;
	const { lamport } = core;
	if (isQuery) {
		const timeoutMs = queryTimeoutMs(core.gossip.intervalMs, groupSize(core));
		core.queries.set(lamport, []);
		setTimer(core, `query/${lamport}`, timeoutMs);
		reply(core, requestId, { type: "query-spread", lamport, timeoutMs });
	} else {
		reply(core, requestId, { type: "event-spread", lamport });
	}
	deliver(core, { name, lamport, origin: core.config.nodeId, payload, isQuery, filter: filter ?? NO_BYTES });
}

/** Takes an event that another has passed on. */
export function handleEvent(core: SwimCore, event: UserEvent): void {
	if (!isWellFormed(event) || event.lamport > core.lamport + LAMPORT_LEAP_MAX) return;
	core.lamport = Math.max(core.lamport, event.lamport);
	deliver(core, event);
}

export function answerQuery(
	core: SwimCore,
	requestId: RequestId,
	origin: NodeId,
	lamport: number,
	payload: Uint8Array,
): void {
	if (!core.askedQueries.delete(`${lamport}/${origin}`)) {
		reply(core, requestId, { type: "refused", reason: "malformed", field: "lamport" });
		return;
	}
	if (payload.length > ANSWER_BYTES_MAX) {
		const limitBytes = ANSWER_BYTES_MAX;
		reply(core, requestId, { type: "refused", reason: "too-large", sizeBytes: payload.length, limitBytes });
		return;
	}
	reply(core, requestId, { type: "query-answer-sent" });
	if (origin === core.config.nodeId) handleQueryAnswer(core, origin, { type: "query-answer", lamport, payload });
	else send(core, origin, { type: "query-answer", lamport, payload });
}

/** One answer of each member counts, while the query is open. */
export function handleQueryAnswer(core: SwimCore, from: NodeId, { lamport, payload }: QueryAnswer): void {
	const answered = core.queries.get(lamport);
	if (answered === undefined || answered.includes(from) || payload.length > ANSWER_BYTES_MAX) return;
	core.queries.set(lamport, [...answered, from]);
	emit(core, { type: "query-answered", lamport, from, payload });
}

export function handleQueryTimer(core: SwimCore, lamport: number): void {
	const answers = core.queries.get(lamport)?.length ?? 0;
	core.queries.delete(lamport);
	emit(core, { type: "query-ended", lamport, answers });
}

function deliver(core: SwimCore, event: UserEvent): void {
	const { name, lamport, origin, payload, isQuery, filter } = event;
	if (lamport <= core.lamport - EVENT_TIMES_MAX) return;
	const key = `${origin}/${isQuery ? "query" : "event"}/${name}`;
	const seen = core.seenEvents.get(lamport) ?? [];
	if (seen.includes(key) || seen.length >= EVENTS_PER_TIME_MAX) return;
	core.seenEvents.set(lamport, [...seen, key]);
	for (const time of core.seenEvents.keys()) if (time <= core.lamport - EVENT_TIMES_MAX) core.seenEvents.delete(time);
	if (isForThisMember(core, filter)) {
		if (isQuery) noteQuery(core, `${lamport}/${origin}`);
		emit(core, { type: isQuery ? "query-received" : "user-event", name, lamport, origin, payload });
	}
	// Who is not asked passes it on all the same: those who are may hear it from nobody else.
	spreadEvent(core, event);
}

/** The oldest that was not answered makes room. */
function noteQuery(core: SwimCore, key: string): void {
	if (core.askedQueries.size >= QUERIES_MAX) {
		for (const oldest of core.askedQueries) {
			core.askedQueries.delete(oldest);
			break;
		}
	}
	core.askedQueries.add(key);
}

function isForThisMember(core: SwimCore, filterBytes: Uint8Array): boolean {
	const filter = filterBytes.length === 0 ? null : decodeFilter(filterBytes);
	return filter === null || isAsked(filter, core.config.nodeId, core.tags);
}

function isFilter(bytes: Uint8Array): boolean {
	return bytes instanceof Uint8Array && (bytes.length === 0 || decodeFilter(bytes) !== null);
}

function isWellFormed({ name, lamport, origin, payload, isQuery, filter }: UserEvent): boolean {
	if (typeof name !== "string" || !EVENT_NAME.test(name) || !isNodeId(origin)) return false;
	if (!Number.isSafeInteger(lamport) || lamport < 1) return false;
	if (!(payload instanceof Uint8Array) || typeof isQuery !== "boolean") return false;
	if (!(filter instanceof Uint8Array)) return false;
	if (!isQuery && filter.length > 0) return false;
	return name.length + payload.length + filter.length <= EVENT_BYTES_MAX && isFilter(filter);
}
