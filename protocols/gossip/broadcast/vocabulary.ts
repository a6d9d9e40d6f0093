/** What enters and leaves a broadcasting member. */
import type { NodeId, ProtocolTypes } from "../../core/index.ts";

/** One message to all: its origin's number of it makes the id. */
export interface Broadcast {
	readonly id: string;
	readonly payload: Uint8Array;
}

/** The overlay (HyParView §4). */
export type OverlayMessage =
	| { readonly type: "join" }
	| { readonly type: "forward-join"; readonly node: NodeId; readonly hops: number }
	/** Let us be neighbours; `isUrgent` from who has none, and is never refused. */
	| { readonly type: "neighbour"; readonly isUrgent: boolean }
	| { readonly type: "neighbour-answer"; readonly isAccepted: boolean }
	| { readonly type: "disconnect" }
	| { readonly type: "shuffle"; readonly origin: NodeId; readonly nodes: readonly NodeId[]; readonly hops: number }
	| { readonly type: "shuffle-answer"; readonly nodes: readonly NodeId[] };

/** The tree (Plumtree §3). */
export type TreeMessage =
	| { readonly type: "tree-gossip"; readonly broadcast: Broadcast; readonly hops: number }
	/** I have these, from so many hops. */
	| { readonly type: "tree-have"; readonly ids: readonly string[]; readonly hops: readonly number[] }
	/** Send me what you announced, and everything from now on; an empty id asks for the link alone. */
	| { readonly type: "tree-graft"; readonly id: string }
	/** Announce only, from now on. */
	| { readonly type: "tree-prune" };

export type BroadcastMessage = OverlayMessage | TreeMessage;

export interface BroadcastTypes extends ProtocolTypes {
	readonly message: BroadcastMessage;
	readonly request:
		| { readonly type: "join"; readonly contact: NodeId }
		| { readonly type: "broadcast"; readonly payload: Uint8Array };
	readonly reply: { readonly type: "joining" } | { readonly type: "broadcasting"; readonly id: string };
	readonly timer: "shuffle" | "neighbour" | "lazy" | "graft";
	readonly write: never;
	readonly read: never;
	readonly readResult: never;
	/** A message, once. Hops from its origin. */
	readonly delivery: { readonly type: "delivered"; readonly broadcast: Broadcast; readonly hops: number };
	readonly snapshot: never;
	readonly event:
		| { readonly type: "neighbour-up"; readonly node: NodeId }
		| { readonly type: "neighbour-down"; readonly node: NodeId }
		/** A broadcast came again. */
		| { readonly type: "duplicate"; readonly id: string };
	readonly durable: null;
}
