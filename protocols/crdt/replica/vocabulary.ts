/** The words of a replica: messages, requests, what is durable, events. */
import type { ErrorObject, LayoutTable, NodeId } from "../../core/index.ts";
import type { ReplicaId } from "../causality/replica.ts";
import type { CrdtChange } from "../document/changes.ts";
import type { Value } from "../encoding/value.ts";
import type { Schema } from "../types/schema.ts";
import {
	type CollectionEvent,
	type CollectionMessage,
	type CollectionRecord,
	collectionSteps,
} from "./collection-agreement.ts";
import type { CrdtCommand } from "./commands.ts";

/** What a replica has applied. It asks for what is missing, and acknowledges everything that it names. */
export interface Digest {
	readonly type: "digest";
	/** An encoded `CausalContext`. */
	readonly context: Uint8Array;
	/** How often the sender has been collected. */
	readonly epoch: number;
	/** Whether the receiver may answer with its own: an answer is not answered. */
	readonly isAnswer: boolean;
}
/** An update: one transaction, or a difference. */
export interface Delta {
	readonly type: "delta";
	readonly update: Uint8Array;
}
/** A whole state, for who is behind what the sender's log reaches back to. */
export interface WholeState {
	readonly type: "state";
	readonly state: Uint8Array;
}

export type CrdtMessage = Digest | Delta | WholeState | CollectionMessage;

export const crdtLayouts: LayoutTable = {
	protocol: "crdt",
	version: 2,
	messages: [
		{
			type: "digest",
			fields: [
				{ name: "context", kind: "bytes" },
				{ name: "epoch", kind: "safe-integer" },
				{ name: "isAnswer", kind: "boolean" },
			],
		},
		{ type: "delta", fields: [{ name: "update", kind: "bytes" }] },
		{ type: "state", fields: [{ name: "state", kind: "bytes" }] },
		{
			type: "collection",
			fields: [
				{ name: "step", kind: { oneOf: collectionSteps } },
				{ name: "epoch", kind: "safe-integer" },
				{ name: "round", kind: "safe-integer" },
				{ name: "context", kind: "bytes" },
			],
		},
	],
};

export type CrdtRequest =
	/** One transaction: all of its commands or none become known to others together. */
	| { readonly type: "change"; readonly commands: readonly CrdtCommand[] }
	/** A named part more, as `CrdtDocument.define`. */
	| { readonly type: "define"; readonly name: string; readonly schema: Schema }
	/** The whole value, as it is here now. */
	| { readonly type: "read" }
	/** Exchange with these members now, by default with all. */
	| { readonly type: "synchronize"; readonly members?: readonly NodeId[] }
	/**
	 * Collect, as soon as the group agrees on a point: own changes of all members wait meanwhile. It comes to nothing while a member
	 * can not be reached; the event `collected` tells when it has come about.
	 */
	| { readonly type: "collect" };

export type CrdtReply =
	/** Done and durable; `through` is the replica's last operation now. */
	| { readonly type: "changed"; readonly replica: ReplicaId; readonly through: number }
	| { readonly type: "defined" }
	| { readonly type: "value"; readonly value: Readonly<Record<string, Value>> }
	| { readonly type: "synchronizing"; readonly members: readonly NodeId[] }
	/** Who leads the round, if one begins. */
	| { readonly type: "collecting"; readonly leader: NodeId }
	/** Commands before the one that failed have been done; `done` says how many. */
	| { readonly type: "refused"; readonly error: ErrorObject; readonly done: number };

export type CrdtWrite =
	/** Put behind the updates that are there. */
	| { readonly type: "append"; readonly update: Uint8Array }
	/** Replace state and updates by this state. */
	| { readonly type: "replace"; readonly state: Uint8Array }
	/** Replace the record of collections. */
	| { readonly type: "collection"; readonly record: CollectionRecord };

export interface CrdtDurable {
	/** The last whole state; null before the first. */
	readonly state: Uint8Array | null;
	/** What was appended since, in order. */
	readonly updates: readonly Uint8Array[];
	/** The last record of collections; null before the first. */
	readonly collection: CollectionRecord | null;
}

export type CrdtEvent =
	| CrdtChange
	| CollectionEvent
	/** A message brought nothing but an error: it was refused, and the document is as before. */
	| { readonly type: "message-refused"; readonly from: NodeId; readonly error: ErrorObject }
	/**
	 * The group was collected without this replica, which has made operations before it heard of that: they can not be taken in any
	 * more, and changes are refused with `crdt-behind-floor`. It has to start anew, with nothing and as a new incarnation.
	 */
	| { readonly type: "epoch-missed"; readonly epoch: number }
	/** A message of no member was ignored. */
	| { readonly type: "stranger"; readonly from: NodeId }
	/** A member was sent the whole state, since the log does not reach back far enough. */
	| { readonly type: "state-sent"; readonly to: NodeId; readonly bytes: number }
	/** Records left the log: `acknowledged` by all members, or beyond the log's bound. */
	| { readonly type: "log-cut"; readonly records: number; readonly reason: "acknowledged" | "bound" };

export interface CrdtTypes {
	readonly message: CrdtMessage;
	readonly request: CrdtRequest;
	readonly reply: CrdtReply;
	readonly timer: "sync" | "collection";
	readonly write: CrdtWrite;
	readonly read: never;
	readonly readResult: never;
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: CrdtEvent;
	readonly durable: CrdtDurable;
}
