/**
 * The failure detector: one member is probed in each period, directly and then through others (SWIM §3.1, §4.3), at a pace
 * that this member's own health allows (Lifeguard's LHA-Probe, §IV-A).
 */
import { isNodeId, type NodeId } from "../../core/index.ts";
import { cancelTimer, emit, NO_BYTES, nextSequence, type SwimCore, send, setTimer } from "./core.ts";
import { type Cargo, changeHealth, loadCargo } from "./dissemination.ts";
import { type Ack, ackPayloadBytes, type MemberUpdate, type Nack, type Ping, type PingRequest } from "./messages.ts";
import { signUpdate } from "./signing.ts";
import { accusationOf } from "./standing.ts";
import { suspect } from "./suspicion.ts";
import { handleSign } from "./updates.ts";

/** A period ends, the next begins. */
export function handleProbeTimer(core: SwimCore): void {
	concludeProbe(core);
	setTimer(core, "probe", core.config.probeIntervalMs * (core.health + 1));
	const target = nextTarget(core);
	if (target === null) return;
	const sequence = nextSequence(core);
	core.probe = { target, sequence, acknowledged: false, relays: [], nacks: [] };
	sendPing(core, target, sequence);
	setTimer(core, "probe-timeout", core.config.probeTimeoutMs);
}

/** The direct probe went unanswered in time: others are asked. */
export function handleProbeTimeout(core: SwimCore): void {
	const { probe, config } = core;
	if (probe === null || probe.acknowledged) return;
	core.probes = { ...core.probes, judged: core.probes.judged + 1 };
	const relays = core.members.draw(config.indirectProbes, core.ports.choices, false, [probe.target]);
	core.probe = { ...probe, relays };
	for (const relay of relays) {
		const { sequence, target } = probe;
		const cargo = loadCargo(core, TARGET_BYTES_MAX);
		send(core, relay, { type: "ping-request", sequence, target, ...cargo });
	}
}

/** Room in a packet for the target of a ping-request: a node id and its length. */
const TARGET_BYTES_MAX = 68;

export function handlePing(core: SwimCore, from: NodeId, { sequence }: Ping): void {
	if (core.phase === "left") return;
	const payload = core.ports.ackPayload?.() ?? NO_BYTES;
	send(core, from, { type: "ack", sequence, payload, ...loadCargo(core, ackPayloadBytes(payload)) });
	handleSign(core, from);
}

/** Probes a member for another one. */
export function handlePingRequest(core: SwimCore, from: NodeId, request: PingRequest): void {
	handleSign(core, from);
	if (core.phase === "left" || core.relays.size >= core.config.relaysMax || !isNodeId(request.target)) return;
	const sequence = nextSequence(core);
	core.relays.set(sequence, { origin: from, originSequence: request.sequence, target: request.target });
	sendPing(core, request.target, sequence);
	setTimer(core, `relay/${sequence}`, core.config.probeTimeoutMs);
}

/** Nothing was heard for another one: it is told that its request has arrived. */
export function handleRelayTimer(core: SwimCore, sequence: number): void {
	const relay = core.relays.get(sequence);
	if (relay === undefined) return;
	core.relays.delete(sequence);
	send(core, relay.origin, { type: "nack", sequence: relay.originSequence });
}

export function handleAck(core: SwimCore, from: NodeId, { sequence }: Ack): void {
	const relay = core.relays.get(sequence);
	if (relay !== undefined && relay.target === from) {
		core.relays.delete(sequence);
		cancelTimer(core, `relay/${sequence}`);
		// Without the target's payload: what the origin would measure is not its own round trip.
		const cargo = loadCargo(core, ackPayloadBytes(NO_BYTES));
		send(core, relay.origin, { type: "ack", sequence: relay.originSequence, payload: NO_BYTES, ...cargo });
	}
	const { probe } = core;
	if (probe === null || probe.sequence !== sequence || probe.acknowledged) return;
	if (from !== probe.target && !probe.relays.includes(from)) return;
	core.probe = { ...probe, acknowledged: true };
	if (probe.relays.length === 0) core.probes = { judged: core.probes.judged + 1, answered: core.probes.answered + 1 };
	cancelTimer(core, "probe-timeout");
	changeHealth(core, -1);
	handleSign(core, probe.target);
}

export function handleNack(core: SwimCore, from: NodeId, { sequence }: Nack): void {
	const { probe } = core;
	if (probe === null || probe.sequence !== sequence || probe.nacks.includes(from)) return;
	if (probe.relays.includes(from)) core.probe = { ...probe, nacks: [...probe.nacks, from] };
}

/**
 * Judges the period's probe. Who was asked to relay and has not even said that it heard nothing is a sign that it is this
 * member that is slow (Lifeguard §IV-A); so is a failed probe that nobody could be asked about.
 */
function concludeProbe(core: SwimCore): void {
	const { probe } = core;
	core.probe = null;
	if (probe === null || probe.acknowledged) return;
	const { target, relays, nacks } = probe;
	emit(core, { type: "probe-failed", node: target });
	changeHealth(core, relays.length > 0 ? relays.length - nacks.length : 1);
	const state = core.members.stateOf(target);
	if (state !== "alive" && state !== "suspect") return;
	const incarnation = core.members.incarnationOf(target);
	const by = core.config.nodeId;
	const accusation: MemberUpdate = {
		kind: "suspect",
		node: target,
		incarnation,
		by,
		tags: NO_BYTES,
		signature: NO_BYTES,
	};
	suspect(core, signUpdate(core.ports.crypto, accusation));
}

/** The next member in the order of probing that is believed to be there; a new order after each pass. */
function nextTarget(core: SwimCore): NodeId | null {
	const { members } = core;
	if (members.present === 0) return null;
	for (let looked = 0; looked <= members.size; looked++) {
		if (core.probePlace >= members.size) {
			core.probePlace = 0;
			members.shuffle(core.ports.choices);
		}
		const place = core.probePlace++;
		if (members.isPresentAt(place)) return members.at(place);
	}
	return null;
}

/** With the buddy system, a suspect hears of its suspicion before anything else (Lifeguard §IV-C). */
function sendPing(core: SwimCore, target: NodeId, sequence: number): void {
	const isBuddy = core.config.buddySystem && core.members.stateOf(target) === "suspect";
	const cargo: Cargo = loadCargo(core, 0, isBuddy ? accusationOf(core, target) : null);
	send(core, target, { type: "ping", sequence, ...cargo });
}
