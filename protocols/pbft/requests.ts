/** Requests of clients: who may ask, what waits, and for what the primary is given time (OSDI'99 §4.1, §4.2, §4.5.2). */
import type { NodeId, RequestId } from "../core/index.ts";
import { authenticatorOf } from "./authenticators.ts";
import { equalBytes } from "./bytes.ts";
import {
	broadcast,
	budgetOf,
	cancelTimer,
	deliver,
	isAtEpochEnd,
	isPrimary,
	type PbftCore,
	reply,
	sendImmediate,
	setTimer,
	suspect,
	takesPart,
	type WaitingRequest,
} from "./core.ts";
import { type ClientRequest, type Digest, primaryOf } from "./entities.ts";
import type { Forward, Unverifiable } from "./messages.ts";
import { weakQuorumOf } from "./quorum.ts";
import { read } from "./reads.ts";
import { beat } from "./slow-primary.ts";
import { requestDigest, requestStatement } from "./statements.ts";
import type { PbftRefusal, PbftRequest } from "./vocabulary.ts";
import { isAuthenticated } from "./vote-authentication.ts";

/** Local asks for one request that may wait; one more is refused, and the client asks again. */
const ASKERS_MAX = 8;
/** Clients of whom one member has complained that are remembered. */
const COMPLAINTS_MAX = 1024;

/** What the request timer runs for when it is a change of membership; no request has such a key. */
const PENDING_CHANGE = "";

export function keyOf({ client, timestamp }: ClientRequest): string {
	return `${client}:${timestamp}`;
}

/** A local client asks. */
export function handleRequest(core: PbftCore, requestId: RequestId, { request }: PbftRequest): void {
	const refuse = (refusal: PbftRefusal): void => reply(core, requestId, { type: "refused", ...refusal });
	if (core.alarm !== null) {
		refuse({ reason: "halted" });
		return;
	}
	if (!takesPart(core)) {
		refuse({ reason: "not-a-member" });
		return;
	}
	if (!core.shapes.isRequest(request)) {
		refuse({ reason: "malformed" });
		return;
	}
	const { client, timestamp } = request;
	const known = waitingAs(core, request);
	const digest = known?.digest ?? digestOf(core, request);
	if (known === undefined && !isProved(core, request, digest)) {
		const isUnsigned = request.signature.length === 0 && mustSign(core, client);
		refuse({ reason: isUnsigned ? "signature-required" : "unauthenticated" });
		return;
	}
	if (request.kind === "read") {
		read(core, requestId, request);
		return;
	}
	switch (core.clients.look(client, timestamp)) {
		case "executed":
			deliver(core, { type: "repeat-reply", requestId, client, timestamp, view: core.view });
			return;
		case "stale":
			refuse({ reason: "stale-timestamp" });
			return;
		case "full":
			refuse({ reason: "too-many-clients", limit: core.config.clientsMax });
			return;
		default: {
			const waiting = keepWaiting(core, request, digest);
			if (waiting === null || waiting.requestIds.length >= ASKERS_MAX) {
				refuse({ reason: "too-many-waiting", limit: core.config.waitingMax });
				return;
			}
			waiting.requestIds.push(requestId);
		}
	}
}

/** A backup passes requests on. Each is checked here: the backup's word is not enough. */
export function handleForward(core: PbftCore, from: NodeId, { requests }: Forward): void {
	for (const request of requests) {
		if (budgetOf(core, from).offences >= core.config.offencesMax) return;
		if (request.kind === "read" || core.clients.look(request.client, request.timestamp) !== "new") continue;
		if (core.waiting.has(keyOf(request))) continue;
		const digest = digestOf(core, request);
		if (isProved(core, request, digest)) keepWaiting(core, request, digest);
		// An authenticator that is good for the backup alone is its client's doing.
		else if (request.signature.length > 0) suspect(core, from, "unauthenticated-request");
	}
}

/** This very request, if it waits here: its client was found to have made it, and its digest is known. */
export function waitingAs(core: PbftCore, request: ClientRequest): WaitingRequest | undefined {
	const known = core.waiting.get(keyOf(request));
	if (known === undefined || known.request.kind !== request.kind) return undefined;
	return equalBytes(known.request.operation, request.operation) ? known : undefined;
}

export function digestOf(core: PbftCore, request: ClientRequest): Digest {
	return requestDigest(core.config.cluster, core.crypto.digest, request);
}

/** Whether its client has made this request, by what comes with it: as this member can tell for itself. */
export function isProved(core: PbftCore, request: ClientRequest, digest: Digest): boolean {
	const bytes = requestStatement(digest);
	if (request.signature.length > 0) return core.crypto.verify(request.client, bytes, request.signature);
	if (mustSign(core, request.client)) return false;
	const own = authenticatorOf(request.macs, core.config.nodeId);
	return own !== null && core.crypto.isAuthentic(request.client, bytes, own);
}

/** Whether a client's authenticators have failed at f + 1 members, one of them correct. */
function mustSign(core: PbftCore, client: NodeId): boolean {
	let members = 0;
	for (const clients of core.complaints.values()) if (clients.has(client)) members++;
	return members >= weakQuorumOf(core.configuration);
}

/**
 * This member can not check an authenticator that the primary could. A client that makes such on purpose stops the group, since the
 * batch is not prepared, and would stop each next primary likewise (Aardvark, NSDI 2009): so members tell each other, and after at most
 * one view change it has to sign. A primary that spoils authenticators gets a client no further than that.
 */
export function complain(core: PbftCore, client: NodeId): void {
	if (core.complaints.get(core.config.nodeId)?.has(client)) return;
	noteComplaint(core, core.config.nodeId, client);
	broadcast(core, { type: "unverifiable", client });
}

export function handleUnverifiable(core: PbftCore, from: NodeId, { client }: Unverifiable): void {
	noteComplaint(core, from, client);
}

function noteComplaint(core: PbftCore, from: NodeId, client: NodeId): void {
	let clients = core.complaints.get(from);
	if (clients === undefined) {
		clients = new Set();
		core.complaints.set(from, clients);
	}
	clients.add(client);
	// The oldest gives way, of each member for itself: one that makes up clients crowds out its own words alone.
	const [oldest] = clients;
	if (clients.size > COMPLAINTS_MAX && oldest !== undefined) clients.delete(oldest);
	if (mustSign(core, client)) dropUnsigned(core, client);
}

function dropUnsigned(core: PbftCore, client: NodeId): void {
	for (const [key, { request }] of [...core.waiting]) {
		if (request.client !== client || request.signature.length > 0) continue;
		for (const requestId of stopWaiting(core, key)?.requestIds ?? []) {
			reply(core, requestId, { type: "refused", reason: "signature-required" });
		}
	}
	timeNext(core);
}

/** Takes an authentic, new request among those that wait, and starts the timer for it; null if there is no room. */
function keepWaiting(core: PbftCore, request: ClientRequest, digest: Digest): WaitingRequest | null {
	const key = keyOf(request);
	const known = core.waiting.get(key);
	// A client that uses one timestamp for two requests gets one of them executed.
	if (known !== undefined) return equalBytes(known.digest, digest) ? known : null;
	if (core.waiting.size >= core.config.waitingMax) return null;
	const waiting: WaitingRequest = { request, digest, requestIds: [] };
	core.waiting.set(key, waiting);
	core.unproposed.set(key, waiting);
	if (core.waiting.size === 1) beat(core);
	if (!isPrimary(core) || !core.isActive) forwardInTime(core, request);
	timeRequests(core);
	return waiting;
}

/** The primary is asked by clients too: what it proposes in time need not be passed on. Views begin with all that waits passed on. */
function forwardInTime(core: PbftCore, request: ClientRequest): void {
	const delayMs = forwardDelayOf(core);
	if (delayMs === 0) {
		core.forwards.push(request);
		return;
	}
	core.unforwarded.young.push(request);
	if (core.isForwardTimerSet) return;
	core.isForwardTimerSet = true;
	setTimer(core, "forward", delayMs);
}

function forwardDelayOf({ config }: PbftCore): number {
	return Math.min(config.forwardDelayMs, Math.floor(config.viewTimeoutMs / 4));
}

export function handleForwardTimer(core: PbftCore): void {
	const { young, old } = core.unforwarded;
	core.isForwardTimerSet = false;
	core.unforwarded = { young: [], old: young };
	if (!isPrimary(core)) for (const request of old) if (core.unproposed.has(keyOf(request))) core.forwards.push(request);
	if (young.length === 0) return;
	core.isForwardTimerSet = true;
	setTimer(core, "forward", forwardDelayOf(core));
}

/** Passes requests on to the primary, together, when the batch ends. */
export function forwardRequests(core: PbftCore): void {
	if (core.forwards.length === 0 || !core.isActive) return;
	const primary = primaryOf(core.configuration, core.view);
	const { batchMaxRequests } = core.config;
	if (primary !== core.config.nodeId) {
		for (let i = 0; i < core.forwards.length; i += batchMaxRequests) {
			const requests = core.forwards.slice(i, i + batchMaxRequests);
			sendImmediate(core, primary, { type: "forward", requests });
		}
	}
	core.forwards = [];
}

/**
 * Runs the request timer while a backup knows of a request that is not executed, and for the one that has waited longest
 * (OSDI'99 §4.5.2): messages alone never start it, and a primary that serves others does not make up for one that it starves.
 */
export function timeRequests(core: PbftCore): void {
	if (!core.isActive) return;
	// Where votes are authenticated a backup may have decided what the primary can not be shown: then it is the primary that has to leave.
	if (isPrimary(core) && !isAuthenticated(core)) return;
	if (core.timedRequest !== null || isAtEpochEnd(core)) return;
	const [oldest] = core.waiting.keys();
	const timed = oldest ?? (core.pending === null ? undefined : PENDING_CHANGE);
	if (timed === undefined) return;
	core.timedRequest = timed;
	core.queue = { periods: 0, executed: core.executed, overtaken: 0 };
	setTimer(core, "request", timeoutOf(core));
}

/** The timed request is not executed in its time. Returns whether it is only queueing, and gives it as much again if so. */
export function isQueueing(core: PbftCore): boolean {
	const { periods, executed, overtaken } = core.queue;
	if (core.timedRequest === null || core.timedRequest === PENDING_CHANGE) return false;
	if (periods >= core.config.queuePeriodsMax || core.executed === executed || overtaken >= core.waiting.size)
		return false;
	core.queue = { periods: periods + 1, executed: core.executed, overtaken: 0 };
	setTimer(core, "request", timeoutOf(core));
	return true;
}

/**
 * A slot was executed. A change of membership that is ordered waits for slots as a request waits for its own, so the primary is given time
 * for each; at the epoch's end nothing is waited for but others' checkpoints.
 */
export function timeChange(core: PbftCore): void {
	if (isAtEpochEnd(core) || core.timedRequest === PENDING_CHANGE) stopTimingRequests(core);
	if (core.pending !== null) timeRequests(core);
}

/** A request was executed, or waits no more for another reason; {@link timeNext} follows. */
export function stopWaiting(core: PbftCore, key: string): WaitingRequest | undefined {
	const waiting = core.waiting.get(key);
	if (waiting === undefined) return undefined;
	core.waiting.delete(key);
	core.unproposed.delete(key);
	if (core.timedRequest !== key) core.queue.overtaken++;
	return waiting;
}

/** Requests wait no more: if the timed one is among them its timer stops, and runs again only if others wait. */
export function timeNext(core: PbftCore): void {
	const { timedRequest } = core;
	if (timedRequest === null || timedRequest === PENDING_CHANGE || core.waiting.has(timedRequest)) return;
	core.timedRequest = null;
	timeRequests(core);
	if (core.timedRequest === null) cancelTimer(core, "request");
}

export function stopTimingRequests(core: PbftCore): void {
	if (core.timedRequest === null) return;
	core.timedRequest = null;
	cancelTimer(core, "request");
}

/** The timeout of views: doubled for each in a row that brought no progress. */
export function timeoutOf(core: PbftCore): number {
	const { viewTimeoutMs, viewTimeoutMaxMs } = core.config;
	return Math.min(viewTimeoutMs * 2 ** Math.min(core.failedViews, 40), viewTimeoutMaxMs);
}
