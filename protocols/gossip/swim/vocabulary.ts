/** SWIM's bundle of types for the contract of `protocols/core`: what enters and leaves a member beside its messages. */
import type { NodeId, ProtocolTypes } from "../../core/index.ts";
import type { SwimMessage, UpdateKind } from "./messages.ts";

/** What a local client may ask. */
export type SwimRequest =
	/** Meet a group through any of these members; answered when one of them has told its members, or none did. */
	| { readonly type: "join"; readonly seeds: readonly NodeId[] }
	/** Tell all that this member goes on purpose; answered when that was spread. The machine then only listens. */
	| { readonly type: "leave" }
	/** Say something else of oneself. */
	| { readonly type: "set-tags"; readonly tags: Uint8Array }
	/** Tell all members; answered as soon as it is on its way. Spread is not decided: nobody confirms. */
	| { readonly type: "spread-event"; readonly name: string; readonly payload: Uint8Array }
	/** Ask all members, or those that pass a filter; answers arrive as `query-answered` events until the query's time is over. */
	| { readonly type: "query"; readonly name: string; readonly payload: Uint8Array; readonly filter?: Uint8Array }
	/** Gossip to so many members so often from now on: the knobs of a tuning loop, with the bounds of the configuration. */
	| { readonly type: "tune"; readonly gossipFanout: number; readonly gossipIntervalMs: number }
	/** Answer a query that this member was told of. */
	| { readonly type: "answer-query"; readonly origin: NodeId; readonly lamport: number; readonly payload: Uint8Array };

/** What a local client is answered. */
export type SwimReply =
	| { readonly type: "joined"; readonly through: NodeId }
	| { readonly type: "left" }
	| { readonly type: "tags-set"; readonly incarnation: number }
	| { readonly type: "tuned" }
	| { readonly type: "event-spread"; readonly lamport: number }
	| { readonly type: "query-spread"; readonly lamport: number; readonly timeoutMs: number }
	| { readonly type: "query-answer-sent" }
	| { readonly type: "refused"; readonly reason: "no-seed-answered"; readonly attempts: number }
	| { readonly type: "refused"; readonly reason: "too-large"; readonly sizeBytes: number; readonly limitBytes: number }
	| { readonly type: "refused"; readonly reason: "malformed"; readonly field: string }
	| { readonly type: "refused"; readonly reason: "join-in-progress" | "leaving" | "too-many-events" };

/** Why an update of another member was not believed. */
export type UpdateRefusal =
	| "malformed"
	| "not-signed"
	/** An accusation of, or hearsay about, an incarnation far beyond any that was heard of. */
	| "incarnation-leap"
	| "table-full";

/** What observers are told. */
export type SwimEvent =
	| { readonly type: "member-joined"; readonly node: NodeId; readonly incarnation: number; readonly tags: Uint8Array }
	| { readonly type: "member-suspected"; readonly node: NodeId; readonly incarnation: number; readonly by: NodeId }
	/** A suspect has refuted. */
	| { readonly type: "member-cleared"; readonly node: NodeId; readonly incarnation: number }
	| { readonly type: "member-failed"; readonly node: NodeId; readonly incarnation: number; readonly by: NodeId }
	| { readonly type: "member-left"; readonly node: NodeId; readonly incarnation: number }
	| { readonly type: "member-updated"; readonly node: NodeId; readonly incarnation: number; readonly tags: Uint8Array }
	/** Dead for so long that it is forgotten; its id is as if new. */
	| { readonly type: "member-forgotten"; readonly node: NodeId }
	/** This member was accused and says that it lives. */
	| { readonly type: "refuted"; readonly incarnation: number; readonly accusation: UpdateKind; readonly by: NodeId }
	/** A direct probe and all indirect ones went unanswered. */
	| { readonly type: "probe-failed"; readonly node: NodeId }
	| { readonly type: "health-changed"; readonly score: number }
	| {
			readonly type: "update-refused";
			readonly reason: UpdateRefusal;
			readonly from: NodeId;
			readonly node: string;
			readonly incarnation: number;
	  }
	/** No incarnation is left to refute with: come back under another id. */
	| { readonly type: "incarnation-exhausted"; readonly incarnation: number }
	| {
			readonly type: "user-event";
			readonly name: string;
			readonly lamport: number;
			readonly origin: NodeId;
			readonly payload: Uint8Array;
	  }
	| {
			readonly type: "query-received";
			readonly name: string;
			readonly lamport: number;
			readonly origin: NodeId;
			readonly payload: Uint8Array;
	  }
	| {
			readonly type: "query-answered";
			readonly lamport: number;
			readonly from: NodeId;
			readonly payload: Uint8Array;
	  }
	| { readonly type: "query-ended"; readonly lamport: number; readonly answers: number };

/** What outlives a crash: the highest incarnation that this member has used, and its tags. A host without a disk gives 0 and none. */
export interface SwimDurable {
	readonly incarnation: number;
	/** As it has set them last; left out when it has none. */
	readonly tags?: Uint8Array;
}

/** `suspicion/NODE`: the next decision about a suspect. `dead/NODE`: a dead member's next stage. `relay/SEQUENCE`, `query/LAMPORT`. */
export type SwimTimer =
	| "probe"
	| "probe-timeout"
	| "gossip"
	| "sync"
	| "heal"
	| "join"
	| "leave"
	| `suspicion/${string}`
	| `dead/${string}`
	| `relay/${number}`
	| `query/${number}`;

export interface SwimTypes extends ProtocolTypes {
	readonly message: SwimMessage;
	readonly request: SwimRequest;
	readonly reply: SwimReply;
	readonly timer: SwimTimer;
	readonly write: SwimDurable;
	readonly read: never;
	readonly readResult: never;
	/** Nothing is decided here, so nothing is applied. */
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: SwimEvent;
	readonly durable: SwimDurable;
}
