/** Raft's log entries as records of a store, in the layout that they have on the wire. */
import { type Entry, entryFields } from "../../protocols/raft/index.ts";
import { compileLayouts, type DecodeSource, decodeSourceOf } from "../../runtime/codec/index.ts";

const [layout] = compileLayouts(
	{ protocol: "raft-store", version: 1, messages: [{ type: "entry", fields: entryFields }] },
	1,
);

/** The entries as records. They share one piece of memory, which belongs to the caller. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array[] {
	let boundBytes = 0;
	for (const entry of entries) boundBytes += entryLayout().sizeBound(entry);
	const bytes = new Uint8Array(boundBytes);
	const view = new DataView(bytes.buffer);
	const records: Uint8Array[] = [];
	let at = 0;
	for (const entry of entries) {
		const end = entryLayout().encode(entry, bytes, view, at);
		records.push(bytes.subarray(at, end));
		at = end;
	}
	return records;
}

/**
 * The entries in records. Their data are views on the records and not copies: a member that comes back decodes thousands before
 * it can do anything else. @throws QuorateError `message-undecodable`
 */
export function decodeEntries(records: readonly Uint8Array[]): Entry[] {
	let source: DecodeSource | null = null;
	return records.map((record) => {
		// Records come in pages, many of which share one piece of memory.
		if (source === null || source.plain.buffer !== record.buffer) source = decodeSourceOf(record.buffer);
		const start = record.byteOffset;
		const decoded = entryLayout().decode(source, start, start + record.length, true) as Entry;
		// Entries have one shape wherever they come from: the decoder's `type` is not part of it.
		const { term, kind, session, serial, firstIncomplete, data } = decoded;
		return { term, kind, session, serial, firstIncomplete, data };
	});
}

function entryLayout(): NonNullable<typeof layout> {
	return layout as NonNullable<typeof layout>;
}
