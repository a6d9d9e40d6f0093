/** Reads an update whole, before anything of it is applied: bytes that can not be understood change nothing. */
import { SEQUENCE_MAX } from "../causality/causal-context.ts";
import { isReplicaId, type ReplicaId } from "../causality/replica.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { crc32 } from "../encoding/checksum.ts";
import { readValue, type Value } from "../encoding/value.ts";
import { formatUnsupported, updateDamaged } from "../errors.ts";
import { NOTHING } from "../sequence/run-arena.ts";
import type { Origins } from "../sequence/sequence.ts";
import { checkEntryValue } from "../types/entry-values.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import {
	BACKWARDS,
	CHECKSUM_BYTES,
	DELETION,
	ENTRY,
	INSERTION,
	KEY_AUTHOR,
	KEY_SHIFT,
	KEY_TEXT,
	LEFT_AUTHOR,
	LEFT_PREVIOUS,
	LEFT_SHIFT,
	RIGHT_AUTHOR,
	RIGHT_OTHER,
	RIGHT_SHIFT,
	SAME_CONTAINER,
	SUPERSEDES,
	TARGET_AUTHOR,
	TOMBSTONE,
	UPDATE_FULL,
	UPDATE_SIMPLE,
	VALUE_GIVEN,
	VALUE_SHIFT,
	VALUE_TRUE,
} from "./update-builder.ts";

/** Replicas by their number in the document. */
export interface Section {
	readonly replica: number;
	readonly first: number;
	readonly last: number;
	/** Ascending, not overlapping, within the dots of the section. */
	readonly records: readonly UpdateRecord[];
}

export interface InsertionRecord extends Origins {
	readonly kind: typeof INSERTION;
	readonly container: Container;
	readonly sequence: number;
	readonly length: number;
	readonly deleted: boolean;
	/** The content; null if deleted. */
	readonly content: string | readonly Value[] | null;
}

export interface DeletionRecord {
	readonly kind: typeof DELETION;
	readonly container: Container;
	readonly sequence: number;
	readonly length: number;
	readonly targetReplica: number;
	readonly targetSequence: number;
	readonly backwards: boolean;
}

export interface EntryRecord {
	readonly kind: typeof ENTRY;
	readonly container: Container;
	readonly sequence: number;
	readonly length: 1;
	readonly key: string;
	readonly value: Value | undefined;
	readonly supersedes: readonly number[] | null;
}

export type UpdateRecord = InsertionRecord | DeletionRecord | EntryRecord;

export interface Update {
	/** How often its author had collected. */
	readonly epoch: number;
	readonly sections: readonly Section[];
	/** Pairs of a replica's number and the dot through which its operations must be applied before. */
	readonly requires: readonly number[];
}

/**
 * @throws QuorateError `crdt-update-damaged`, `crdt-format-unsupported`, and `crdt-container-unknown` for a part that the schema
 *   does not have
 */
export function readUpdate(core: DocumentCore, bytes: Uint8Array): Update {
	const reader = openUpdate(bytes);
	if (reader.byte() === UPDATE_SIMPLE) {
		const replica = readAuthor(core, reader);
		if (replica === core.settled) throw reader.damaged("operations of nobody");
		const first = readSequence(reader);
		const record = readRecord(core, reader, [replica], replica, first, null);
		reader.end();
		const section = { replica, first, last: lastOf(reader, record), records: [record] };
		return { epoch: 0, sections: [section], requires: [] };
	}
	const epoch = reader.varint();
	const table = Array.from({ length: reader.count() }, () => core.intern(readReplicaText(reader)));
	const requires: number[] = [];
	for (let left = reader.count(); left > 0; left--) requires.push(readIndexed(reader, table), readSequence(reader));
	const sections = Array.from({ length: reader.count() }, () => readSection(core, reader, table));
	reader.end();
	return { epoch, sections, requires };
}

function openUpdate(bytes: Uint8Array): ByteReader {
	const end = bytes.length - CHECKSUM_BYTES;
	if (end < 1) throw updateDamaged({ reason: "it ends too early", offset: bytes.length });
	const found = bytes[end]! | (bytes[end + 1]! << 8);
	if ((crc32(bytes, 0, end) & 0xffff) !== found) throw updateDamaged({ reason: "its checksum differs", offset: end });
	const format = bytes[0]!;
	if (format !== UPDATE_SIMPLE && format !== UPDATE_FULL)
		throw formatUnsupported({ found: format, supported: UPDATE_FULL });
	return new ByteReader(bytes, 0, end);
}

function readSection(core: DocumentCore, reader: ByteReader, table: readonly number[]): Section {
	const replica = readIndexed(reader, table);
	if (replica === core.settled) throw reader.damaged("operations of nobody");
	const first = readSequence(reader);
	const last = first + reader.varint();
	if (last > SEQUENCE_MAX) throw reader.damaged("a dot too large");
	const records: UpdateRecord[] = [];
	let end = first;
	let container: Container | null = null;
	for (let left = reader.count(); left > 0; left--) {
		const record = readRecord(core, reader, table, replica, end + reader.varint(), container);
		container = record.container;
		end = record.sequence + record.length;
		if (end > last + 1) throw reader.damaged("a record beyond its section");
		records.push(record);
	}
	return { replica, first, last, records };
}

function readRecord(
	core: DocumentCore,
	reader: ByteReader,
	table: readonly number[],
	author: number,
	sequence: number,
	before: Container | null,
): UpdateRecord {
	const tag = reader.byte();
	const container = (tag & SAME_CONTAINER) !== 0 ? before : readContainer(core, reader);
	if (container === null) throw reader.damaged("a record about nothing");
	switch (tag & 3) {
		case INSERTION:
			return readInsertion(reader, table, author, sequence, container, tag);
		case DELETION:
			return readDeletion(reader, table, author, sequence, container, tag);
		case ENTRY:
			return readEntry(core, reader, table, author, sequence, container, tag);
		default:
			throw reader.damaged("a record of unknown kind");
	}
}

function readInsertion(
	reader: ByteReader,
	table: readonly number[],
	author: number,
	sequence: number,
	container: Container,
	tag: number,
): InsertionRecord {
	if (container.sequence === null) throw reader.damaged("elements for what is no sequence");
	const left = (tag >> LEFT_SHIFT) & 3;
	let leftReplica = NOTHING;
	let leftSequence = 0;
	if (left === LEFT_PREVIOUS || left === LEFT_AUTHOR) {
		leftReplica = author;
		leftSequence = sequence - (left === LEFT_PREVIOUS ? 1 : reader.varint());
	} else if (left !== 0) {
		leftReplica = readIndexed(reader, table);
		leftSequence = readSequence(reader);
	}
	const right = (tag >> RIGHT_SHIFT) & 3;
	let rightReplica = NOTHING;
	let rightSequence = 0;
	if (right === RIGHT_AUTHOR) {
		rightReplica = author;
		rightSequence = sequence - reader.varint();
	} else if (right === RIGHT_OTHER) {
		rightReplica = readIndexed(reader, table);
		rightSequence = readSequence(reader);
	}
	if (leftSequence < 0 || rightSequence < 0) throw reader.damaged("a dot below the first");
	if ((leftReplica === author && leftSequence >= sequence) || (rightReplica === author && rightSequence >= sequence))
		throw reader.damaged("an element beside a later one of its author");
	const length = reader.varint();
	const deleted = (tag & TOMBSTONE) !== 0;
	if (length === 0 || length > SEQUENCE_MAX || (!deleted && length > reader.remaining))
		throw reader.damaged("a length out of range");
	const content = deleted ? null : container.type === "text" ? readText(reader, length) : readValues(reader, length);
	return {
		kind: INSERTION,
		container,
		sequence,
		length,
		deleted,
		content,
		leftReplica,
		leftSequence,
		rightReplica,
		rightSequence,
	};
}

function readDeletion(
	reader: ByteReader,
	table: readonly number[],
	author: number,
	sequence: number,
	container: Container,
	tag: number,
): DeletionRecord {
	if (container.sequence === null) throw reader.damaged("deletions in what is no sequence");
	const own = (tag & TARGET_AUTHOR) !== 0;
	const targetReplica = own ? author : readIndexed(reader, table);
	const targetSequence = own ? sequence - reader.varint() : readSequence(reader);
	const length = reader.varint();
	if (targetSequence < 1 || length < 1 || length > SEQUENCE_MAX) throw reader.damaged("a range out of bounds");
	if (targetReplica === author && targetSequence + length > sequence)
		throw reader.damaged("a deletion of what its author inserted later");
	return {
		kind: DELETION,
		container,
		sequence,
		length,
		targetReplica,
		targetSequence,
		backwards: (tag & BACKWARDS) !== 0,
	};
}

function readEntry(
	core: DocumentCore,
	reader: ByteReader,
	table: readonly number[],
	author: number,
	sequence: number,
	container: Container,
	tag: number,
): EntryRecord {
	if (container.sequence !== null) throw reader.damaged("an entry for a sequence");
	const keyForm = (tag >> KEY_SHIFT) & 3;
	const key = keyForm === 0 ? "" : keyForm === KEY_AUTHOR ? core.replicas.at(author) : reader.text();
	if (keyForm > KEY_TEXT) throw reader.damaged("a key of unknown form");
	const valueForm = (tag >> VALUE_SHIFT) & 3;
	const value = valueForm === 0 ? undefined : valueForm === VALUE_TRUE ? true : readValue(reader);
	if (valueForm > VALUE_GIVEN) throw reader.damaged("a value of unknown form");
	if (value !== undefined) checkEntryValue(reader, container, key, value);
	let supersedes: number[] | null = null;
	if ((tag & SUPERSEDES) !== 0) {
		supersedes = [];
		for (let left = reader.count(); left > 0; left--) {
			const replica = readIndexed(reader, table);
			const first = readSequence(reader);
			supersedes.push(replica, first, first + reader.varint());
		}
	}
	return { kind: ENTRY, container, sequence, length: 1, key, value, supersedes };
}

function readText(reader: ByteReader, length: number): string {
	if (length === 1) return String.fromCharCode(reader.unit());
	let text = "";
	for (let i = 0; i < length; i++) text += String.fromCharCode(reader.unit());
	return text;
}

function readValues(reader: ByteReader, length: number): Value[] {
	const values: Value[] = [];
	for (let i = 0; i < length; i++) values.push(readValue(reader));
	return values;
}

function readAuthor(core: DocumentCore, reader: ByteReader): number {
	const { lastAuthor } = core;
	if (lastAuthor !== null && reader.skipIf(lastAuthor.bytes)) return lastAuthor.number;
	const start = reader.offset;
	const number = core.intern(readReplicaText(reader));
	core.lastAuthor = { number, bytes: reader.bytes.slice(start, reader.offset) };
	return number;
}

function readContainer(core: DocumentCore, reader: ByteReader): Container {
	const { lastContainer } = core;
	if (lastContainer !== null && reader.skipIf(lastContainer.pathBytes)) return lastContainer;
	const path: string[] = [];
	for (;;) {
		const head = reader.varint();
		path.push(reader.utf8(head >>> 1));
		if ((head & 1) === 1) continue;
		core.lastContainer = core.container(path);
		return core.lastContainer;
	}
}

function readReplicaText(reader: ByteReader): ReplicaId {
	const text = reader.text();
	if (!isReplicaId(text)) throw reader.damaged("no replica id");
	return text;
}

function readSequence(reader: ByteReader): number {
	const sequence = reader.varint();
	if (sequence < 1 || sequence > SEQUENCE_MAX) throw reader.damaged("a dot out of range");
	return sequence;
}

function readIndexed<T>(reader: ByteReader, table: readonly T[]): T {
	const index = reader.varint();
	if (index >= table.length) throw reader.damaged("a replica that is not in its list");
	return table[index]!;
}

function lastOf(reader: ByteReader, record: UpdateRecord): number {
	const last = record.sequence + record.length - 1;
	if (last > SEQUENCE_MAX) throw reader.damaged("a dot too large");
	return last;
}
