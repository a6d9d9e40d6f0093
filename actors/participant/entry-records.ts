/** Raft's log entries as records of a store, in the layout that they have on the wire. */
import { type Entry, entryFields } from "../../protocols/raft/index.ts";
import { compileLayouts } from "../../runtime/codec/index.ts";

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

/** The entry in a record. @throws QuorateError `message-undecodable` */
export function decodeEntry(record: Uint8Array): Entry {
	const { buffer, byteOffset, length } = record;
	const source = {
		bytes: Buffer.from(buffer, byteOffset, length),
		view: new DataView(buffer, byteOffset, length),
		plain: record,
	};
	const decoded = entryLayout().decode(source, 0, length) as Entry;
	// Entries have one shape wherever they come from: the decoder's `type` is not part of it.
	const { term, kind, session, serial, firstIncomplete, data } = decoded;
	return { term, kind, session, serial, firstIncomplete, data };
}

function entryLayout(): NonNullable<typeof layout> {
	return layout as NonNullable<typeof layout>;
}
