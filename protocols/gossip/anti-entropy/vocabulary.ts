/** What enters and leaves a member that exchanges differences. */
import type { Field, LayoutTable, NodeId, ProtocolTypes } from "../../core/index.ts";

/** One value in a message, by its name. */
export interface NamedDigest {
	readonly name: string;
	readonly digest: Uint8Array;
}
export interface NamedDifference {
	readonly name: string;
	readonly difference: Uint8Array;
}

export type AntiEntropyMessage =
	/** What the sender holds: answer with what it lacks, and with what you hold of what differs. */
	| { readonly type: "offer"; readonly digests: readonly NamedDigest[] }
	| {
			readonly type: "answer";
			readonly differences: readonly NamedDifference[];
			readonly digests: readonly NamedDigest[];
	  }
	/** The other direction. */
	| { readonly type: "supply"; readonly differences: readonly NamedDifference[] };

export type AntiEntropyEvent =
	/** A member's digest has passed by: food for a `ConvergenceMonitor`. */
	| { readonly type: "digest-heard"; readonly from: NodeId; readonly name: string; readonly digest: Uint8Array }
	/** A difference has changed a value. */
	| { readonly type: "value-changed"; readonly from: NodeId; readonly name: string; readonly bytes: number }
	/** Bytes that the value refuses; it is as before. */
	| { readonly type: "payload-refused"; readonly from: NodeId; readonly name: string; readonly code: string }
	/** A difference is over the limit and was not sent: the value needs another way, such as a whole state out of band. */
	| {
			readonly type: "difference-too-large";
			readonly to: NodeId;
			readonly name: string;
			readonly sizeBytes: number;
			readonly limitBytes: number;
	  };

export interface AntiEntropyTypes extends ProtocolTypes {
	readonly message: AntiEntropyMessage;
	/** Exchange with this member now; without one, with a member drawn at random. */
	readonly request: { readonly type: "exchange"; readonly with: NodeId | null };
	readonly reply: { readonly type: "exchanging"; readonly with: NodeId } | { readonly type: "nobody-there" };
	readonly timer: "exchange";
	readonly write: never;
	readonly read: never;
	readonly readResult: never;
	/** The values are the host's; they are changed through their port. */
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: AntiEntropyEvent;
	readonly durable: null;
}

const digests: Field = {
	name: "digests",
	kind: {
		list: [
			{ name: "name", kind: "text" },
			{ name: "digest", kind: "bytes" },
		],
	},
};
const differences: Field = {
	name: "differences",
	kind: {
		list: [
			{ name: "name", kind: "text" },
			{ name: "difference", kind: "bytes" },
		],
	},
};

export const antiEntropyLayouts: LayoutTable = {
	protocol: "anti-entropy",
	version: 1,
	messages: [
		{ type: "offer", fields: [digests] },
		{ type: "answer", fields: [differences, digests] },
		{ type: "supply", fields: [differences] },
	],
};
