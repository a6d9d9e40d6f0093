/**
 * What members tell each other, its layouts, and its size in bytes, since packets are bounded and the machine fills them.
 * The sender is never inside: the host vouches for it (`from`).
 */
import type { Field, LayoutTable, NodeId } from "../../core/index.ts";

/** What is said of a member: it lives, it is suspected, it is dead, or (by itself) it has left. */
export const updateKinds = ["alive", "suspect", "dead", "left"] as const;
export type UpdateKind = (typeof updateKinds)[number];

/** One statement about one member (SWIM §4.2), the unit of dissemination. */
export interface MemberUpdate {
	readonly kind: UpdateKind;
	readonly node: NodeId;
	/** Which of its lives and refutations is spoken of; only the member itself raises it. */
	readonly incarnation: number;
	/** Who says so: the member itself of `alive` and `left`, an accuser of the others. */
	readonly by: NodeId;
	/** What the member says of itself, with `alive` only; at most `TAGS_BYTES_MAX` bytes. */
	readonly tags: Uint8Array;
	/** The signature of `by`; empty in a group that does not sign. */
	readonly signature: Uint8Array;
}

/** A named message for all members, delivered at most once at each. */
export interface UserEvent {
	readonly name: string;
	/** The origin's Lamport time. */
	readonly lamport: number;
	readonly origin: NodeId;
	readonly payload: Uint8Array;
	/** Answers are wanted, by {@link QueryAnswer} to the origin. */
	readonly isQuery: boolean;
	/** Of a query: who is asked, as `encodeFilter` has it; empty if everybody is, and of an event. Passed on by all. */
	readonly filter: Uint8Array;
}

/** What rides on every packet, as far as it fits. */
interface Piggyback {
	readonly updates: readonly MemberUpdate[];
	readonly events: readonly UserEvent[];
}

/** Are you there? */
export interface Ping extends Piggyback {
	readonly type: "ping";
	readonly sequence: number;
}
/** I am. Also what a relay passes back. */
export interface Ack extends Piggyback {
	readonly type: "ack";
	readonly sequence: number;
	/** What the probed host says beside (memberlist's ping delegate); empty if it says nothing, and from a relay. */
	readonly payload: Uint8Array;
}
/** Ping `target` for me (SWIM §3.1). */
export interface PingRequest extends Piggyback {
	readonly type: "ping-request";
	readonly sequence: number;
	readonly target: NodeId;
}
/** I have asked and heard nothing yet: so your own link works (Lifeguard §IV-A). */
export interface Nack {
	readonly type: "nack";
	readonly sequence: number;
}
/** Nothing but news. */
export interface Gossip extends Piggyback {
	readonly type: "gossip";
}
/** All or a part of what the sender holds; the receiver answers with what it holds. */
export interface SyncRequest {
	readonly type: "sync-request";
	/** Names the exchange for who asked. */
	readonly sequence: number;
	readonly members: readonly MemberUpdate[];
	/** The sender's Lamport time: a joiner must not speak in the past. */
	readonly lamport: number;
}
export interface SyncResponse {
	readonly type: "sync-response";
	readonly sequence: number;
	readonly members: readonly MemberUpdate[];
	readonly lamport: number;
}
/** One member's answer to a query. */
export interface QueryAnswer {
	readonly type: "query-answer";
	readonly lamport: number;
	readonly payload: Uint8Array;
}

export type SwimMessage = Ping | Ack | PingRequest | Nack | Gossip | SyncRequest | SyncResponse | QueryAnswer;

const updateFields: readonly Field[] = [
	{ name: "kind", kind: { oneOf: updateKinds } },
	{ name: "node", kind: "text" },
	{ name: "incarnation", kind: "safe-integer" },
	{ name: "by", kind: "text" },
	{ name: "tags", kind: "bytes" },
	{ name: "signature", kind: "bytes" },
];
const eventFields: readonly Field[] = [
	{ name: "name", kind: "text" },
	{ name: "lamport", kind: "safe-integer" },
	{ name: "origin", kind: "text" },
	{ name: "payload", kind: "bytes" },
	{ name: "isQuery", kind: "boolean" },
	{ name: "filter", kind: "bytes" },
];
const piggyback: readonly Field[] = [
	{ name: "updates", kind: { list: updateFields } },
	{ name: "events", kind: { list: eventFields } },
];
const sequence: Field = { name: "sequence", kind: "uint32" };
const lamport: Field = { name: "lamport", kind: "safe-integer" };
const members: Field = { name: "members", kind: { list: updateFields } };

export const swimLayouts: LayoutTable = {
	protocol: "swim",
	version: 3,
	messages: [
		{ type: "ping", fields: [sequence, ...piggyback] },
		{ type: "ack", fields: [sequence, { name: "payload", kind: "bytes" }, ...piggyback] },
		{ type: "ping-request", fields: [sequence, { name: "target", kind: "text" }, ...piggyback] },
		{ type: "nack", fields: [sequence] },
		{ type: "gossip", fields: piggyback },
		{ type: "sync-request", fields: [sequence, members, lamport] },
		{ type: "sync-response", fields: [sequence, members, lamport] },
		{ type: "query-answer", fields: [lamport, { name: "payload", kind: "bytes" }] },
	],
};

/** Bytes of a length, as the layouts encode one. */
const LENGTH_BYTES = 4;
const INTEGER_BYTES = 8;
const SEQUENCE_BYTES = 4;
/** What every message has that carries byte fields: its schema number, and where their contents begin. */
const FRAME_BYTES = 1 + LENGTH_BYTES;
/** A packet's fixed part at its largest, without the target of a ping-request: frame, sequence, two counts. */
export const PACKET_OVERHEAD_BYTES: number = FRAME_BYTES + SEQUENCE_BYTES + 2 * LENGTH_BYTES;

/** What an acknowledgement's payload takes of a packet. */
export function ackPayloadBytes(payload: Uint8Array): number {
	return LENGTH_BYTES + payload.length;
}

/** Bytes of an update on the wire. Ids and names are ASCII, so their length is their size. */
export function updateBytes({ node, by, tags, signature }: MemberUpdate): number {
	return 1 + INTEGER_BYTES + 4 * LENGTH_BYTES + node.length + by.length + tags.length + signature.length;
}

/** Bytes of an event on the wire. */
export function eventBytes({ name, origin, payload, filter }: UserEvent): number {
	return 1 + INTEGER_BYTES + 4 * LENGTH_BYTES + name.length + origin.length + payload.length + filter.length;
}

/** Bytes of a whole message on the wire, its schema number (one byte) included. */
export function messageBytes(message: SwimMessage): number {
	switch (message.type) {
		case "nack":
			return 1 + SEQUENCE_BYTES;
		case "query-answer":
			return FRAME_BYTES + INTEGER_BYTES + LENGTH_BYTES + message.payload.length;
		case "sync-request":
		case "sync-response":
			return FRAME_BYTES + SEQUENCE_BYTES + INTEGER_BYTES + LENGTH_BYTES + sum(message.members, updateBytes);
		case "gossip":
			return FRAME_BYTES + 2 * LENGTH_BYTES + sum(message.updates, updateBytes) + sum(message.events, eventBytes);
		default: {
			const target = message.type === "ping-request" ? LENGTH_BYTES + message.target.length : 0;
			const payload = message.type === "ack" ? ackPayloadBytes(message.payload) : 0;
			return (
				PACKET_OVERHEAD_BYTES + target + payload + sum(message.updates, updateBytes) + sum(message.events, eventBytes)
			);
		}
	}
}

function sum<T>(list: readonly T[], bytesOf: (item: T) => number): number {
	let bytes = 0;
	for (const item of list) bytes += bytesOf(item);
	return bytes;
}
