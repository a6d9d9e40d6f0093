/** The state of one member, and what every concern does with it. No field is a time: delays are the host's to keep. */
import type { ChoicePort, CryptoPort, Effect, NodeId, RequestId, WriteId } from "../../core/index.ts";
import { BroadcastQueue } from "./broadcast-queue.ts";
import type { SwimConfig } from "./config.ts";
import type { MemberDirectory } from "./member-directory.ts";
import { MemberTable } from "./member-table.ts";
import type { MemberUpdate, SwimMessage, UserEvent } from "./messages.ts";
import type { SwimEvent, SwimReply, SwimTimer, SwimTypes } from "./vocabulary.ts";

/** What the host lends to a member. */
export interface SwimPorts {
	/** Which peers are spoken to. */
	readonly choices: ChoicePort;
	/** If given, every statement is signed, and unsigned ones are refused. All members of a group have one, or none. */
	readonly crypto?: CryptoPort;
	/** What this member's acknowledgements carry for whoever measures the round trip, such as its coordinate. Default: nothing. */
	readonly ackPayload?: () => Uint8Array;
	/** Numbers for members; machines of one process may share it. Default: one of its own. */
	readonly directory?: MemberDirectory;
}

/** Items of each queue that may wait, as memberlist's `queueDepth` guard in serf (4,096). */
export const QUEUE_ITEMS_MAX = 4_096;

/** A suspicion that has not been decided. */
export interface Suspicion {
	readonly incarnation: number;
	/** Members that suspect it independently; the first is who suspected it. */
	readonly accusers: readonly NodeId[];
	/** Confirmations that bring it to its shortest (k), and its bounds. Fixed when it begins. */
	readonly wanted: number;
	readonly minMs: number;
	readonly maxMs: number;
	/** The suspicion has lasted as long as so many confirmations would let it: `wanted + 1` at first, and falling. */
	readonly level: number;
	/** As it is passed on. */
	readonly update: MemberUpdate;
}

/** The probe of the present period. */
export interface Probe {
	readonly target: NodeId;
	readonly sequence: number;
	readonly acknowledged: boolean;
	readonly relays: readonly NodeId[];
	readonly nacks: readonly NodeId[];
}

/** A probe that another member has asked for. */
export interface Relay {
	readonly origin: NodeId;
	readonly originSequence: number;
	readonly target: NodeId;
}

/** A join that has not been answered. */
export interface Joining {
	readonly requestId: RequestId | null;
	readonly seeds: readonly NodeId[];
	readonly attempts: number;
	readonly sequence: number;
}

/** A member that knew nobody when it asked to join. */
export interface Newcomer {
	readonly sequence: number;
	/** The seed that answered first. */
	readonly through: NodeId | null;
}

export interface SwimCore {
	readonly config: SwimConfig;
	readonly ports: SwimPorts;
	/** Where effects go; set by each step. */
	out: Effect<SwimTypes>[];
	phase: "new" | "running" | "leaving" | "left";
	/** Never sent lower than before in this life. */
	incarnation: number;
	tags: Uint8Array;
	/** What this member says of itself at `incarnation`. */
	own: MemberUpdate;
	readonly members: MemberTable;
	readonly suspicions: Map<NodeId, Suspicion>;
	/** What the accusers of dead members have signed; empty in a group that does not sign. */
	readonly accusations: Map<NodeId, MemberUpdate>;
	readonly updates: BroadcastQueue<MemberUpdate>;
	readonly events: BroadcastQueue<UserEvent>;
	/** As configured, until it is tuned. */
	gossip: { readonly fanout: number; readonly intervalMs: number };
	/** Direct probes of this life that were judged, and those of them that were answered in time: what loss is estimated from. */
	probes: { readonly judged: number; readonly answered: number };
	/** The gossip timer is set. */
	isGossiping: boolean;
	/** Exchanges of whole states are at the pace of the group's size. */
	isInPace: boolean;
	/** Local health, 0 is well. */
	health: number;
	sequence: number;
	probe: Probe | null;
	/** The next place of the order of probing. */
	probePlace: number;
	readonly relays: Map<number, Relay>;
	joining: Joining | null;
	newcomer: Newcomer | null;
	/** What is taken over now is known wherever it came from, and to nobody else that this member could tell. */
	isQuiet: boolean;
	leaveRequestId: RequestId | null;
	lastWriteId: WriteId;
	/** Lamport time of user events. */
	lamport: number;
	/** The keys of events that were delivered, by Lamport time. */
	readonly seenEvents: Map<number, readonly string[]>;
	/** Queries of this member that are still answered: who has answered. */
	readonly queries: Map<number, readonly NodeId[]>;
	/** Queries of others that may be answered, by origin and Lamport time. */
	readonly askedQueries: Set<string>;
}

export const NO_BYTES: Uint8Array = new Uint8Array(0);

export function createCore(config: SwimConfig, ports: SwimPorts): SwimCore {
	const { nodeId } = config;
	return {
		config,
		ports,
		out: [],
		phase: "new",
		incarnation: 0,
		tags: NO_BYTES,
		own: { kind: "alive", node: nodeId, incarnation: 0, by: nodeId, tags: NO_BYTES, signature: NO_BYTES },
		members: new MemberTable(ports.directory),
		suspicions: new Map(),
		accusations: new Map(),
		updates: new BroadcastQueue(Math.max(QUEUE_ITEMS_MAX, config.membersMax)),
		events: new BroadcastQueue(QUEUE_ITEMS_MAX),
		gossip: { fanout: config.gossipFanout, intervalMs: config.gossipIntervalMs },
		probes: { judged: 0, answered: 0 },
		isGossiping: false,
		isInPace: false,
		health: 0,
		sequence: 0,
		probe: null,
		probePlace: 0,
		relays: new Map(),
		joining: null,
		newcomer: null,
		isQuiet: false,
		leaveRequestId: null,
		lastWriteId: 0,
		lamport: 0,
		seenEvents: new Map(),
		queries: new Map(),
		askedQueries: new Set(),
	};
}

export function copyCore(core: SwimCore): SwimCore {
	return {
		...core,
		out: [],
		members: core.members.copy(),
		suspicions: new Map(core.suspicions),
		accusations: new Map(core.accusations),
		updates: core.updates.copy(),
		events: core.events.copy(),
		relays: new Map(core.relays),
		seenEvents: new Map(core.seenEvents),
		queries: new Map(core.queries),
		askedQueries: new Set(core.askedQueries),
	};
}

/** The state as plain data. The order of probing is part of it: it decides what is probed next. */
export function viewCore(core: SwimCore): unknown {
	const { phase, incarnation, tags, members, isGossiping, health, sequence, probe, probePlace, joining } = core;
	const order = members.ids();
	return {
		phase,
		incarnation,
		tags,
		order,
		states: order.map((id) => members.stateOf(id)),
		statements: order.map((id) => members.statementOf(id)),
		suspicions: core.suspicions,
		accusations: core.accusations,
		updates: core.updates.view(),
		events: core.events.view(),
		gossip: core.gossip,
		probes: core.probes,
		isGossiping,
		isInPace: core.isInPace,
		health,
		sequence,
		probe,
		probePlace,
		relays: core.relays,
		joining,
		newcomer: core.newcomer,
		leaveRequestId: core.leaveRequestId,
		lastWriteId: core.lastWriteId,
		lamport: core.lamport,
		seenEvents: core.seenEvents,
		queries: core.queries,
		askedQueries: core.askedQueries,
	};
}

/** Members of the group as this one sees it, itself included: the n of all formulae. */
export function groupSize({ members }: SwimCore): number {
	return members.present + 1;
}

/**
 * Sends. Nothing waits for the disk: the one thing that is durable, the incarnation, only spares a refutation after a
 * restart, and a restart with a stale one is healed by whoever notices it.
 */
export function send({ out }: SwimCore, to: NodeId, message: SwimMessage): void {
	out.push({ type: "send", to, message, release: "immediate" });
}

export function emit({ out }: SwimCore, event: SwimEvent): void {
	out.push({ type: "emit", event });
}

export function reply({ out }: SwimCore, requestId: RequestId, answer: SwimReply): void {
	out.push({ type: "reply", requestId, reply: answer, release: "immediate" });
}

export function setTimer({ out }: SwimCore, timer: SwimTimer, minMs: number, maxMs: number = minMs): void {
	out.push({ type: "set-timer", timer, afterMs: { min: minMs, max: maxMs } });
}

export function cancelTimer({ out }: SwimCore, timer: SwimTimer): void {
	out.push({ type: "cancel-timer", timer });
}

/** Numbers of probes and exchanges; they wrap as their field on the wire does. */
export function nextSequence(core: SwimCore): number {
	core.sequence = (core.sequence + 1) >>> 0;
	return core.sequence;
}
