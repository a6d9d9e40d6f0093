/** The layouts of PBFT's hot messages and of its journal: see `protocols/core/layout.ts`. */
import type { Field, FieldKind, LayoutTable } from "../core/index.ts";

const slotVoteFields: readonly Field[] = [
	{ name: "epoch", kind: "safe-integer" },
	{ name: "view", kind: "safe-integer" },
	{ name: "sequence", kind: "safe-integer" },
	{ name: "digest", kind: "bytes" },
	{ name: "signature", kind: "bytes" },
];

/** The layout of one client request, shared by every message and record that holds requests. */
export const requestFields: readonly Field[] = [
	{ name: "client", kind: "text" },
	{ name: "timestamp", kind: "safe-integer" },
	{ name: "kind", kind: { oneOf: ["command", "query", "read", "configure"] } },
	{ name: "operation", kind: "bytes" },
	{ name: "signature", kind: "bytes" },
	{ name: "macs", kind: "bytes" },
];

const batchFields: readonly Field[] = [
	{ name: "requests", kind: { list: requestFields } },
	{ name: "choice", kind: "bytes" },
];

const votesKind: FieldKind = {
	list: [
		{ name: "sender", kind: "text" },
		{ name: "signature", kind: "bytes" },
	],
};

const commitCertificateFields: readonly Field[] = [
	{ name: "epoch", kind: "safe-integer" },
	{ name: "view", kind: "safe-integer" },
	{ name: "sequence", kind: "safe-integer" },
	{ name: "digest", kind: "bytes" },
	{ name: "commits", kind: votesKind },
];

/** The messages of every slot, and those that repeat them; append only. The rare ones travel self-describing. */
export const pbftLayouts: LayoutTable = {
	protocol: "pbft",
	version: 3,
	messages: [
		{ type: "pre-prepare", fields: [...slotVoteFields, { name: "batch", kind: { record: batchFields } }] },
		{ type: "prepare", fields: slotVoteFields },
		{ type: "commit", fields: slotVoteFields },
		{ type: "forward", fields: [{ name: "requests", kind: { list: requestFields } }] },
		{
			type: "checkpoint",
			fields: [
				{ name: "epoch", kind: "safe-integer" },
				{ name: "sequence", kind: "safe-integer" },
				{ name: "digest", kind: "bytes" },
				{ name: "signature", kind: "bytes" },
			],
		},
		{
			type: "status",
			fields: [
				{ name: "configurationEpoch", kind: "safe-integer" },
				{ name: "view", kind: "safe-integer" },
				{ name: "isActive", kind: "boolean" },
				{ name: "low", kind: "safe-integer" },
				{ name: "executed", kind: "safe-integer" },
				{ name: "chain", kind: "bytes" },
			],
		},
		{
			type: "decision",
			fields: [
				{ name: "certificate", kind: { record: commitCertificateFields } },
				{ name: "batch", kind: { nullable: { record: batchFields } } },
			],
		},
		{
			type: "batch",
			fields: [
				{ name: "sequence", kind: "safe-integer" },
				{ name: "batch", kind: { record: batchFields } },
			],
		},
	],
};

/** What is journalled of every slot (see `JournalRecord`), for a host that keeps records in layouts; append only, since disks keep them. */
export const pbftJournalLayouts: LayoutTable = {
	protocol: "pbft-journal",
	version: 1,
	messages: [
		{
			type: "accepted",
			fields: [
				{ name: "sequence", kind: "safe-integer" },
				{ name: "view", kind: "safe-integer" },
				{ name: "digest", kind: "bytes" },
				{ name: "signature", kind: "bytes" },
				{ name: "batch", kind: { nullable: { record: batchFields } } },
			],
		},
		{
			type: "body",
			fields: [
				{ name: "sequence", kind: "safe-integer" },
				{ name: "batch", kind: { record: batchFields } },
			],
		},
		{
			type: "prepared",
			fields: [
				{ name: "sequence", kind: "safe-integer" },
				{
					name: "proof",
					kind: {
						record: [
							{ name: "view", kind: "safe-integer" },
							{ name: "sequence", kind: "safe-integer" },
							{ name: "digest", kind: "bytes" },
							{ name: "prePrepare", kind: "bytes" },
							{ name: "prepares", kind: votesKind },
						],
					},
				},
			],
		},
		{
			type: "decided",
			fields: [
				{ name: "sequence", kind: "safe-integer" },
				{ name: "certificate", kind: { record: commitCertificateFields } },
			],
		},
	],
};
