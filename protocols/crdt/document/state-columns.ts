/** The entries of one container in an encoded state, in order of their dots. */
import type { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter, utf8Length } from "../encoding/byte-writer.ts";
import { readValue, writeValue } from "../encoding/value.ts";
import { checkEntryValue } from "../types/entry-values.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import type { KnownEntries } from "./known-entries.ts";

const KEY_EMPTY = 0;
const KEY_AUTHOR = 1;
const KEY_TEXT = 2;

/** Replicas between a document's numbers and the order of the encoding. */
export interface ReplicaOrder {
	/** The document's number of the replica at a place. */
	readonly numbers: readonly number[];
	/** The place of a replica by the document's number. */
	readonly places: readonly number[];
}

export function writeEntries(writer: ByteWriter, core: DocumentCore, container: Container, order: ReplicaOrder): void {
	const entries: Entry[] = [];
	for (const first of container.entries.values()) {
		for (let entry: Entry | null = first; entry !== null; entry = entry.next) entries.push(entry);
	}
	const { places } = order;
	entries.sort((a, b) => places[a.replica]! - places[b.replica]! || a.sequence - b.sequence);
	writer.varint(entries.length);
	// Keys as one text: to cut it is much faster than to decode each.
	const keys = new ByteWriter();
	for (const { replica, key } of entries) if (key !== core.replicas.at(replica)) keys.utf8(key, utf8Length(key));
	writer.sized(keys.view);
	for (let at = 0; at < entries.length; ) {
		const { replica } = entries[at]!;
		let end = at;
		while (end < entries.length && entries[end]!.replica === replica) end++;
		writer.varint(places[replica]!);
		writer.varint(end - at);
		const author = core.replicas.at(replica);
		for (let before = 0; at < end; at++) {
			const { sequence, key, value } = entries[at]!;
			const form = key === "" ? KEY_EMPTY : key === author ? KEY_AUTHOR : KEY_TEXT;
			writer.varint((sequence - before - 1) * 8 + form * 2 + (value === true ? 1 : 0));
			if (form === KEY_TEXT) writer.varint(key.length);
			if (value !== true) writeValue(writer, value);
			before = sequence;
		}
	}
}

/** @param known entries that need not be made, but noted; null for none */
export function readEntries(
	reader: ByteReader,
	core: DocumentCore,
	container: Container,
	order: ReplicaOrder,
	known: KnownEntries | null,
): void {
	let left = reader.count();
	const keys = reader.text();
	let keyEnd = 0;
	for (let before = -1; left > 0; ) {
		const place = reader.varint();
		const replica = order.numbers[place];
		const count = reader.count();
		if (replica === undefined || place <= before || count === 0 || count > left)
			throw reader.damaged("entries of nobody");
		before = place;
		left -= count;
		const head = core.heads[replica]!;
		const knownHead = known?.headOf(core.replicas.at(replica)) ?? 0;
		const list = knownHead > 0 ? known!.addList(container, replica, count) : null;
		const author = core.replicas.at(replica);
		let sequence = 0;
		for (let i = 0; i < count; i++) {
			const word = reader.varint();
			const form = (word >>> 1) & 3;
			sequence += Math.floor(word / 8) + 1;
			const keyStart = keyEnd;
			if (form === KEY_TEXT) keyEnd += reader.varint();
			const value = (word & 1) === 1 ? true : readValue(reader);
			if (sequence <= knownHead) {
				list!.add(sequence);
				continue;
			}
			const key = form === KEY_TEXT ? keys.slice(keyStart, keyEnd) : form === KEY_AUTHOR ? author : "";
			if (sequence > head) throw reader.damaged("an entry above its replica's last");
			checkEntryValue(reader, container, key, value);
			container.add({ replica, sequence, container, key, value, supersedes: null, live: true, next: null });
		}
	}
	if (keyEnd !== keys.length) throw reader.damaged("keys of no entry");
}
