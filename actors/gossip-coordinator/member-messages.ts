/** What is said to and by a member's actor beside the messages of SWIM itself. */
import type { ErrorObject, NodeId } from "../../protocols/core/index.ts";
import type { DocumentSchema } from "../../protocols/crdt/index.ts";
import type {
	AggregateKind,
	ConvergenceReading,
	MemberStatus,
	SwimConfig,
	SwimEvent,
	SwimProfile,
	SwimReply,
	SwimRequest,
	SwimStatus,
} from "../../protocols/gossip/index.ts";

import type { Address } from "../../runtime/actor/index.ts";
import type { PublicIdentity, SecretIdentity } from "../../runtime/crypto/index.ts";
import type { AggregateOptions } from "./member-aggregates.ts";
import type { TreeReport } from "./member-broadcast.ts";
import type { ValuesCommand } from "./member-values.ts";

/** A member's settings: cloneable, since they travel to its thread. */
export interface GossipMemberArgs {
	readonly group: string;
	readonly node: string;
	readonly profile: SwimProfile;
	readonly tuning: Partial<Omit<SwimConfig, "nodeId">>;
	/** Share of messages that this member drops on arrival, in [0, 1]: for runs that show what loss does. */
	readonly lossChance: number;
	/** Where the storage actor is. Its thread is never replaced, so the address stays true. */
	readonly storage: Address;
	/** Its own keys; null in a group that does not sign. */
	readonly identity: SecretIdentity | null;
	/** Whether it measures round trips, and so places itself among the others. */
	readonly coordinates: boolean;
	/** How messages to all travel. */
	readonly dissemination: Dissemination;
	/** Values that the group shares; null if it shares none. */
	readonly values: SharedValues | null;
}

/** `rumours` ride on packets that are sent anyway; over the `tree` each member gets a message about once, and large ones go, too. */
export type Dissemination = "rumours" | "tree";

/** What a member needs to know of shared values. */
export interface SharedValues {
	readonly schema: DocumentSchema;
	/** Between exchanges of a member with another, in ms. */
	readonly intervalMs: number;
	/** For a member whose store is empty: a number of its life that none had before. */
	readonly incarnation: number;
}

export type MemberMessage =
	| { readonly type: "gossip-request"; readonly request: SwimRequest }
	| { readonly type: "gossip-status" }
	/** Somebody is about to start and to sign; told by the group, so that its first word is not lost. */
	| { readonly type: "gossip-enrol"; readonly identity: PublicIdentity }
	/** Changes shared values; the answer is a `ValuesReply`. */
	| { readonly type: "gossip-values-change"; readonly commands: readonly ValuesCommand[] }
	/** The answer is the value, or null in a group that shares none. */
	| { readonly type: "gossip-values-read" }
	/** The answer is a `CoordinateReport`, or null in a group that measures none. */
	| { readonly type: "gossip-coordinates" }
	/** Over the tree; the answer is the message's time: `{ lamport }`. */
	| { readonly type: "gossip-broadcast"; readonly name: string; readonly payload: Uint8Array }
	/** What this member brings into aggregates; the answer is an `AggregateReply`, or null when that is done. */
	| { readonly type: "gossip-contribute"; readonly name: string; readonly value: number }
	/** The answer is an `AggregateReply`. */
	| { readonly type: "gossip-aggregate"; readonly kind: AggregateKind; readonly options: Required<AggregateOptions> }
	/** The answer is a `ConvergenceReading`, or null before the first exchange and in a group that shares no values. */
	| { readonly type: "gossip-convergence" }
	/** Who are you, that speaks from this address? */
	| { readonly type: "gossip-who" }
	/** The actor of this node; believed only if the registry says so too. */
	| { readonly type: "gossip-hello"; readonly node: string };

/** What a member counts, since its start. */
export interface MemberTraffic {
	readonly sent: number;
	readonly sentBytes: number;
	readonly received: number;
	/** Dropped on arrival, by {@link GossipMemberArgs.lossChance}. */
	readonly lost: number;
	/** Not sent, since the receiver was not known yet, gone, or had no room. */
	readonly undeliverable: number;
}

/** A member as it sees itself and the others. */
export interface MemberReport {
	readonly node: string;
	readonly incarnation: number;
	readonly health: number;
	/** Believed to be there, itself included. */
	readonly present: number;
	readonly members: readonly MemberStatus[];
	readonly traffic: MemberTraffic;
	/** Null in a group whose messages are rumours. */
	readonly tree: TreeReport | null;
	readonly gossip: SwimStatus["gossip"];
	readonly probes: SwimStatus["probes"];
}

/** What a member tells beside its machine's events. */
export type MemberEvent =
	/** Its supervisor has started it again, with what it had kept, and it asks its contacts to take it back. */
	| { readonly type: "rejoining"; readonly incarnation: number; readonly contacts: readonly string[] }
	/** It keeps nothing any more, and goes on. */
	| { readonly type: "storage-lost"; readonly error: ErrorObject }
	/** A probe was acknowledged after so long: the median of the last three of this member, in ms. */
	| { readonly type: "round-trip-measured"; readonly node: NodeId; readonly roundTripMs: number }
	/** Another says that it is where nobody can be. The own coordinate is as before. */
	| { readonly type: "coordinate-refused"; readonly from: NodeId }
	/** The shared values of this member have changed: by its own doing (`from` is null), or by a difference from another. */
	| { readonly type: "values-changed"; readonly from: NodeId | null; readonly bytes: number }
	/** How many replicas hold what this member holds has changed, as far as it hears. */
	| { readonly type: "values-convergence"; readonly reading: ConvergenceReading }
	/** Somebody has gone or come while this member was asking for a figure of all: it begins anew. */
	| { readonly type: "aggregate-restarted"; readonly kind: AggregateKind; readonly of: string; readonly epoch: number }
	/** Another has sent bytes that are no difference, or none that is believed. The values are as before. */
	| { readonly type: "values-refused"; readonly from: NodeId; readonly code: string }
	/** What another lacks is over the limit of a message, so it is not sent. */
	| { readonly type: "values-too-large"; readonly to: NodeId; readonly sizeBytes: number; readonly limitBytes: number };

/** What a member's actor publishes: one event of its machine, or its own. */
export interface PublishedGossipEvent {
	readonly type: "gossip-event";
	readonly group: string;
	readonly node: string;
	readonly event: SwimEvent | MemberEvent;
}

/** The answer to a request, as it travels. */
export type MemberReply = SwimReply;

/** The name of a member's actor. */
export function memberName(group: string, node: string): string {
	return `gossip/${group}/${node}`;
}
