/**
 * Whole states are exchanged (memberlist's push-pull): to join, from time to time with a random member, and with a member
 * that is held dead, so that a healed partition grows together (serf's reconnect). Each message describes a bounded number of
 * members and stands for itself, so nothing has to be assembled.
 */
import type { NodeId, RequestId } from "../../core/index.ts";
import { cancelTimer, groupSize, NO_BYTES, nextSequence, reply, type SwimCore, send, setTimer } from "./core.ts";
import { syncIntervalScaledMs } from "./formulae.ts";
import type { MemberUpdate, SyncRequest, SyncResponse } from "./messages.ts";
import { signUpdate } from "./signing.ts";
import { accusationOf } from "./standing.ts";
import { handleUpdate } from "./updates.ts";
import { LAMPORT_LEAP_MAX } from "./user-events.ts";

/**
 * In a larger group the first exchange is put off to any moment of the group's own interval. Who starts does not know how large its group
 * is, so it would come within the interval of a small one, as in memberlist: ten thousand members that start together would exchange as
 * many states of as many members at ten times their pace. In smaller groups it is cheap, and the sooner what was lost is told the better.
 */
const EXCHANGES_TOGETHER_MAX = 1_024;

export function handleSyncTimer(core: SwimCore): void {
	const { syncIntervalMs } = core.config;
	const intervalMs = syncIntervalScaledMs(syncIntervalMs, groupSize(core));
	const isEarly = !core.isInPace && groupSize(core) > EXCHANGES_TOGETHER_MAX;
	core.isInPace = true;
	if (isEarly) {
		setTimer(core, "sync", 1, intervalMs - syncIntervalMs);
		return;
	}
	setTimer(core, "sync", intervalMs);
	for (const peer of core.members.draw(1, core.ports.choices, false)) requestSync(core, peer, nextSequence(core));
}

/** Tries a dead member with probability dead/present, so that a group tries a few in each interval, whatever its size. */
export function handleHealTimer(core: SwimCore): void {
	setTimer(core, "heal", core.config.healIntervalMs);
	const { members, ports } = core;
	const dead = members.count("dead") + members.count("buried");
	if (dead === 0 || ports.choices.below(groupSize(core)) >= dead) return;
	const peer = members.drawDead(ports.choices);
	if (peer !== null) requestSync(core, peer, nextSequence(core));
}

export function beginJoin(core: SwimCore, requestId: RequestId | null, seeds: readonly NodeId[]): void {
	const sequence = nextSequence(core);
	core.joining = { requestId, seeds, attempts: 0, sequence };
	core.newcomer = core.members.size === 0 ? { sequence, through: null } : null;
	tryJoin(core);
}

/** No seed has answered yet. */
export function handleJoinTimer(core: SwimCore): void {
	if (core.joining !== null) tryJoin(core);
}

function tryJoin(core: SwimCore): void {
	const { joining, config } = core;
	if (joining === null) return;
	if (joining.attempts >= config.joinAttemptsMax) {
		core.joining = null;
		if (joining.requestId === null) return;
		reply(core, joining.requestId, { type: "refused", reason: "no-seed-answered", attempts: joining.attempts });
		return;
	}
	core.joining = { ...joining, attempts: joining.attempts + 1 };
	for (const seed of joining.seeds) if (seed !== config.nodeId) requestSync(core, seed, joining.sequence);
	setTimer(core, "join", config.joinRetryMs);
}

export function handleSyncRequest(core: SwimCore, from: NodeId, request: SyncRequest): void {
	if (core.phase === "left") return;
	heedLamport(core, request.lamport, LAMPORT_LEAP_MAX);
	// First, so that the answer tells the sender what is held against it.
	merge(core, from, request.members);
	for (const members of describeAll(core)) {
		send(core, from, { type: "sync-response", sequence: request.sequence, members, lamport: core.lamport });
	}
}

export function handleSyncResponse(core: SwimCore, from: NodeId, response: SyncResponse): void {
	const { joining } = core;
	// An answer to a join is one of a seed that was asked; the number of the exchange can be guessed.
	const isJoined = joining !== null && joining.sequence === response.sequence && joining.seeds.includes(from);
	heedLamport(core, response.lamport, isJoined ? Number.MAX_SAFE_INTEGER : LAMPORT_LEAP_MAX);
	core.isQuiet = isNewcomersFirst(core, from, response.sequence);
	merge(core, from, response.members);
	core.isQuiet = false;
	if (!isJoined) return;
	core.joining = null;
	cancelTimer(core, "join");
	if (joining.requestId !== null) reply(core, joining.requestId, { type: "joined", through: from });
}

/**
 * Follows another's Lamport time, by so much in one message: one word of a wrong clock must not end the numbers of all. Who joins takes
 * over what its seed has, or its events would be old to the group.
 */
function heedLamport(core: SwimCore, lamport: number, leapMax: number): void {
	if (!Number.isSafeInteger(lamport)) return;
	core.lamport = Math.max(core.lamport, Math.min(lamport, core.lamport + leapMax));
}

/**
 * What the first seed tells somebody who knew nobody is no news: the seed has it, and there is nobody else to tell. Without
 * this, each of n newcomers spreads n statements. What further seeds tell is spread, for they may not know each other.
 */
function isNewcomersFirst(core: SwimCore, from: NodeId, sequence: number): boolean {
	const { newcomer } = core;
	if (newcomer === null || newcomer.sequence !== sequence) return false;
	if (newcomer.through === null) core.newcomer = { ...newcomer, through: from };
	return core.newcomer?.through === from;
}

function requestSync(core: SwimCore, to: NodeId, sequence: number): void {
	for (const members of describeAll(core))
		send(core, to, { type: "sync-request", sequence, members, lamport: core.lamport });
}

/** All that is held, in messages of bounded length. A suspect is described twice: that it exists, and that it is suspected. */
function describeAll(core: SwimCore): MemberUpdate[][] {
	const { members, config } = core;
	const all: MemberUpdate[] = [core.own];
	for (let place = 0; place < members.size; place++) {
		const slot = members.slotAt(place);
		const state = members.stateAt(slot);
		// What was buried is held back: it would be suspected anew wherever it is still believed.
		if (state === "buried") continue;
		if (state === "alive" || state === "suspect") all.push(members.statementAt(slot));
		if (state !== "alive") all.push(accusationOf(core, members.at(place)));
	}
	const messages: MemberUpdate[][] = [];
	for (let at = 0; at < all.length; at += config.syncMembersMax)
		messages.push(all.slice(at, at + config.syncMembersMax));
	return messages;
}

/**
 * Takes over what another holds. That it holds a member dead is only a reason to suspect that member: it may have refuted
 * since (memberlist `mergeState`).
 */
function merge(core: SwimCore, from: NodeId, members: readonly MemberUpdate[]): void {
	for (const update of members.slice(0, SYNC_MEMBERS_MAX)) {
		const isVerdict = update.kind === "dead" && update.node !== core.config.nodeId;
		handleUpdate(core, isVerdict ? asSuspicion(core, update) : update, from);
	}
}

/** More in one message than any configuration sends are not looked at. */
const SYNC_MEMBERS_MAX = 65_536;

function asSuspicion(core: SwimCore, { node, incarnation }: MemberUpdate): MemberUpdate {
	const by = core.config.nodeId;
	return signUpdate(core.ports.crypto, { kind: "suspect", node, incarnation, by, tags: NO_BYTES, signature: NO_BYTES });
}
