/**
 * Infection-style dissemination (SWIM §4.1): news ride on probes as far as they fit, and a tick of their own carries them
 * to a few members while there are any (memberlist), the lately dead among them.
 */
import type { NodeId } from "../../core/index.ts";
import { emit, groupSize, type SwimCore, send, setTimer } from "./core.ts";
import { retransmitLimit } from "./formulae.ts";
import { eventBytes, type MemberUpdate, PACKET_OVERHEAD_BYTES, type UserEvent, updateBytes } from "./messages.ts";

/** What rides on one packet. */
export interface Cargo {
	readonly updates: readonly MemberUpdate[];
	readonly events: readonly UserEvent[];
}

/** Puts a statement about a member on its way; it replaces what was still to be said of that member. */
export function spread(core: SwimCore, update: MemberUpdate): void {
	if (core.isQuiet && update.by !== core.config.nodeId) return;
	core.updates.push(update.node, update, updateBytes(update));
	keepGossiping(core);
}

/** Puts a user event on its way. */
export function spreadEvent(core: SwimCore, event: UserEvent): void {
	core.events.push(`${event.lamport}/${event.origin}/${event.name}`, event, eventBytes(event));
	keepGossiping(core);
}

/** Fills a packet: `first` goes before everything, then statements about members, then events. */
export function loadCargo(core: SwimCore, reservedBytes: number, first: MemberUpdate | null = null): Cargo {
	if (first === null && core.updates.size === 0 && core.events.size === 0) return NO_CARGO;
	const sendsMax = retransmitLimit(core.config.retransmitMultiplier, groupSize(core));
	let budgetBytes = core.config.packetBytesMax - PACKET_OVERHEAD_BYTES - reservedBytes;
	const updates: MemberUpdate[] = [];
	const events: UserEvent[] = [];
	if (first !== null) {
		updates.push(first);
		budgetBytes -= updateBytes(first);
	}
	budgetBytes -= core.updates.take(budgetBytes, sendsMax, updates);
	core.events.take(budgetBytes, sendsMax, events);
	return { updates, events };
}

const NO_CARGO: Cargo = { updates: [], events: [] };

/** The gossip tick: news to a few members. It is set only while there are news. */
export function handleGossipTimer(core: SwimCore): void {
	core.isGossiping = false;
	for (const peer of core.members.draw(core.gossip.fanout, core.ports.choices, true)) {
		const cargo = loadCargo(core, 0);
		if (cargo === NO_CARGO) break;
		send(core, peer, { type: "gossip", ...cargo });
	}
	keepGossiping(core, core.gossip.intervalMs);
}

/** Says one thing to one member at once. */
export function tellAtOnce(core: SwimCore, to: NodeId, update: MemberUpdate): void {
	send(core, to, { type: "gossip", updates: [update], events: [] });
}

/** Local health moves within its bounds (Lifeguard §IV-A). */
export function changeHealth(core: SwimCore, by: number): void {
	const score = Math.min(core.config.healthScoreMax, Math.max(0, core.health + by));
	if (score === core.health) return;
	core.health = score;
	emit(core, { type: "health-changed", score });
}

/** The ticks of a group are out of step with each other, so the first after a silence comes at any moment of an interval. */
function keepGossiping(core: SwimCore, afterMsMin = 1): void {
	if (core.isGossiping || core.phase === "new" || core.phase === "left") return;
	if (core.updates.size === 0 && core.events.size === 0) return;
	if (core.members.present + core.members.count("dead") === 0) return;
	core.isGossiping = true;
	setTimer(core, "gossip", Math.min(afterMsMin, core.gossip.intervalMs), core.gossip.intervalMs);
}
