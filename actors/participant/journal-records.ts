/** PBFT's journal as records of a store: the number of a layout, then the record in it. */
import { assert, must } from "../../protocols/core/index.ts";
import { type JournalRecord, pbftJournalLayouts } from "../../protocols/pbft/index.ts";
import { type CompiledLayout, compileLayouts, decodeSourceOf, messageUndecodable } from "../../runtime/codec/index.ts";

const layouts: readonly CompiledLayout[] = compileLayouts(pbftJournalLayouts, 1);
const layoutOf: ReadonlyMap<string, CompiledLayout> = new Map(layouts.map((layout) => [layout.type, layout]));
assert(layouts.length < 0x100, "a byte numbers the layouts of the journal");

/** Journal records as a store keeps them. They share one piece of memory, which belongs to the caller. */
export function encodeJournal(journal: readonly JournalRecord[]): Uint8Array[] {
	let boundBytes = 0;
	for (const record of journal) boundBytes += 1 + of(record).sizeBound(record);
	const bytes = new Uint8Array(boundBytes);
	const view = new DataView(bytes.buffer);
	let at = 0;
	return journal.map((record) => {
		const start = at;
		const layout = of(record);
		bytes[at] = layout.schema;
		at = layout.encode(record, bytes, view, at + 1);
		return bytes.subarray(start, at);
	});
}

/** One of them again. @throws QuorateError `message-undecodable` */
export function decodeJournalRecord(record: Uint8Array): JournalRecord {
	const schema = record[0] ?? 0;
	const layout = layouts[schema - 1];
	if (layout === undefined) {
		throw messageUndecodable({
			schema,
			form: pbftJournalLayouts.protocol,
			lengthBytes: record.length,
			reason: "no record has this number",
		});
	}
	const { buffer, byteOffset, length } = record;
	return layout.decode(decodeSourceOf(buffer), byteOffset + 1, byteOffset + length) as JournalRecord;
}

function of({ type }: JournalRecord): CompiledLayout {
	return must(layoutOf.get(type), "every journal record has a layout");
}
