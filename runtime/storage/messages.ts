/**
 * What participants and the storage actor say to each other, with compiled layouts. Opening a store and reading a
 * snapshot are asks, as they happen while the participant's own mailbox is held back or its machine waits; writes
 * are tells, numbered and acknowledged by number, as they are the hot path.
 */
import { assertNever, type LayoutTable } from "../../protocols/core/index.ts";
import type { StoreOperation } from "./contract.ts";

/** Asks for the whole store; the answer is the first {@link StoragePage}. Fences every earlier session of the store. */
export interface StorageOpen {
	readonly type: "storage-open";
	readonly store: string;
}
/** Asks for the next page of a store that is being opened. */
export interface StorageNextPage {
	readonly type: "storage-next-page";
	readonly store: string;
	readonly session: number;
}
/** A write, or a part of one that is too large for one message. It is told, and answered by {@link StorageDurable}. */
export interface StorageWrite {
	readonly type: "storage-write";
	readonly store: string;
	readonly session: number;
	/** Counts the writes of a session from 1, without gaps. */
	readonly sequence: number;
	/** Counts the parts of a write from 0. */
	readonly part: number;
	readonly last: boolean;
	readonly operations: readonly WireOperation[];
}
/** Asks for bytes of the published snapshot; sees all earlier writes. The answer is a {@link StorageChunk}. */
export interface StorageReadSnapshot {
	readonly type: "storage-read-snapshot";
	readonly store: string;
	readonly name: string;
	readonly offset: number;
	readonly lengthBytes: number;
}
export type StorageRequest = StorageOpen | StorageNextPage | StorageWrite | StorageReadSnapshot;

/** A part of a store's contents. Values come first, the snapshot's description with the first page, records in order. */
export interface StoragePage {
	readonly type: "storage-page";
	/** The session that the open began; it tells this life of the client from all others. */
	readonly session: number;
	readonly values: readonly { readonly key: string; readonly value: Uint8Array }[];
	/** Of the log, not of this page. */
	readonly firstIndex: number;
	/** The page's records as a segment (`log-segment.ts`): one field and not a list, since there may be tens of thousands. */
	readonly records: Uint8Array;
	/** None or one. */
	readonly snapshot: readonly {
		readonly name: string;
		readonly sizeBytes: number;
		readonly description: Uint8Array;
	}[];
	/** Where the log is damaged; 0: nowhere. Of the log, not of this page. */
	readonly damagedFrom: number;
	/** Pages that follow this one. */
	readonly left: number;
}
export interface StorageChunk {
	readonly type: "storage-chunk";
	/** False: the snapshot of that name is not the published one (any more). */
	readonly found: boolean;
	readonly data: Uint8Array;
}
/** The write of this number, and so all earlier ones of the session, is flushed to the disk. */
export interface StorageDurable {
	readonly type: "storage-durable";
	readonly store: string;
	readonly session: number;
	readonly sequence: number;
}
/** Nothing more of this session will become durable. */
export interface StorageFailed {
	readonly type: "storage-failed";
	readonly store: string;
	readonly session: number;
	readonly code: string;
	readonly message: string;
	/** The error's details as JSON. */
	readonly details: string;
}
/** What the storage tells a client of its own accord. */
export type StorageNotice = StorageDurable | StorageFailed;

export interface WireRecord {
	readonly data: Uint8Array;
}
/** A {@link StoreOperation} with the same fields for each type, since a layout's list has one shape. */
export interface WireOperation {
	readonly operation: StoreOperation["type"];
	/** Key or snapshot name. */
	readonly name: string;
	/** Index, offset or size. */
	readonly position: number;
	/** Value, chunk or description. */
	readonly data: Uint8Array;
	readonly records: readonly WireRecord[];
}

const noBytes = new Uint8Array(0);

export function toWire(operation: StoreOperation): WireOperation {
	switch (operation.type) {
		case "put":
			return { operation: "put", name: operation.key, position: 0, data: operation.value, records: [] };
		case "append":
			return {
				operation: "append",
				name: "",
				position: operation.firstIndex,
				data: noBytes,
				records: operation.records.map((data) => ({ data })),
			};
		case "truncate-from":
		case "compact-through":
			return { operation: operation.type, name: "", position: operation.index, data: noBytes, records: [] };
		case "stage-snapshot": {
			const { name, offset, data } = operation;
			return { operation: "stage-snapshot", name, position: offset, data, records: [] };
		}
		case "publish-snapshot": {
			const { name, sizeBytes, description } = operation;
			return { operation: "publish-snapshot", name, position: sizeBytes, data: description, records: [] };
		}
		default:
			return assertNever(operation, "store operation");
	}
}

export function fromWire({ operation, name, position, data, records }: WireOperation): StoreOperation {
	switch (operation) {
		case "put":
			return { type: "put", key: name, value: data };
		case "append":
			return { type: "append", firstIndex: position, records: records.map((record) => record.data) };
		case "truncate-from":
		case "compact-through":
			return { type: operation, index: position };
		case "stage-snapshot":
			return { type: "stage-snapshot", name, offset: position, data };
		case "publish-snapshot":
			return { type: "publish-snapshot", name, sizeBytes: position, description: data };
		default:
			return assertNever(operation, "wire operation");
	}
}

/** Bytes that an operation weighs in queues: its contents and a little for the rest. */
export function operationBytes(operation: StoreOperation): number {
	switch (operation.type) {
		case "put":
			return OPERATION_OVERHEAD_BYTES + operation.value.length;
		case "append": {
			let bytes = OPERATION_OVERHEAD_BYTES;
			for (const record of operation.records) bytes += RECORD_OVERHEAD_BYTES + record.length;
			return bytes;
		}
		case "truncate-from":
		case "compact-through":
			return OPERATION_OVERHEAD_BYTES;
		case "stage-snapshot":
			return OPERATION_OVERHEAD_BYTES + operation.data.length;
		case "publish-snapshot":
			return OPERATION_OVERHEAD_BYTES + operation.description.length;
		default:
			return assertNever(operation, "store operation");
	}
}

export const OPERATION_OVERHEAD_BYTES = 32;
export const RECORD_OVERHEAD_BYTES = 4;

const recordFields = [{ name: "data", kind: "bytes" }] as const;

/** The protocol `storage`; append only. */
export const storageLayouts: LayoutTable = {
	protocol: "storage",
	version: 1,
	messages: [
		{
			type: "storage-open",
			fields: [{ name: "store", kind: "text" }],
		},
		{
			type: "storage-next-page",
			fields: [
				{ name: "store", kind: "text" },
				{ name: "session", kind: "uint32" },
			],
		},
		{
			type: "storage-write",
			fields: [
				{ name: "store", kind: "text" },
				{ name: "session", kind: "uint32" },
				{ name: "sequence", kind: "safe-integer" },
				{ name: "part", kind: "uint32" },
				{ name: "last", kind: "boolean" },
				{
					name: "operations",
					kind: {
						list: [
							{
								name: "operation",
								kind: {
									oneOf: ["put", "append", "truncate-from", "compact-through", "stage-snapshot", "publish-snapshot"],
								},
							},
							{ name: "name", kind: "text" },
							{ name: "position", kind: "safe-integer" },
							{ name: "data", kind: "bytes" },
							{ name: "records", kind: { list: recordFields } },
						],
					},
				},
			],
		},
		{
			type: "storage-read-snapshot",
			fields: [
				{ name: "store", kind: "text" },
				{ name: "name", kind: "text" },
				{ name: "offset", kind: "safe-integer" },
				{ name: "lengthBytes", kind: "uint32" },
			],
		},
		{
			type: "storage-page",
			fields: [
				{ name: "session", kind: "uint32" },
				{
					name: "values",
					kind: {
						list: [
							{ name: "key", kind: "text" },
							{ name: "value", kind: "bytes" },
						],
					},
				},
				{ name: "firstIndex", kind: "safe-integer" },
				{ name: "records", kind: "bytes" },
				{
					name: "snapshot",
					kind: {
						list: [
							{ name: "name", kind: "text" },
							{ name: "sizeBytes", kind: "safe-integer" },
							{ name: "description", kind: "bytes" },
						],
					},
				},
				{ name: "left", kind: "uint32" },
				{ name: "damagedFrom", kind: "safe-integer" },
			],
		},
		{
			type: "storage-chunk",
			fields: [
				{ name: "found", kind: "boolean" },
				{ name: "data", kind: "bytes" },
			],
		},
		{
			type: "storage-durable",
			fields: [
				{ name: "store", kind: "text" },
				{ name: "session", kind: "uint32" },
				{ name: "sequence", kind: "safe-integer" },
			],
		},
		{
			type: "storage-failed",
			fields: [
				{ name: "store", kind: "text" },
				{ name: "session", kind: "uint32" },
				{ name: "code", kind: "text" },
				{ name: "message", kind: "text" },
				{ name: "details", kind: "text" },
			],
		},
	],
};
