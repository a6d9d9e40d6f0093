/**
 * The bytes of an update: what operations did, grouped by the replica that made them.
 *
 * ```
 * update   = format (16 + form) body checksum(2 bytes, low half of CRC-32)
 * body     = simple | full
 * simple   = replica first record                        one author, one record, epoch 0, nothing else referred to
 * full     = epoch replicas requires sections            each list behind its count
 * requires = (replica index, sequence) …                 what must be applied before
 * section  = replica index, first, dots - 1, records      records: (gap to the last record's end, record) …
 * record   = tag, path unless as before, fields by kind
 * ```
 *
 * A dot without a record was an entry that is superseded and took the place of nothing.
 */
import type { ReplicaTable } from "../causality/replica.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import { writeValue } from "../encoding/value.ts";
import type { ListContent, TextContent } from "../sequence/content.ts";
import { NOTHING } from "../sequence/run-arena.ts";
import type { Origins } from "../sequence/sequence.ts";
import type { Container } from "./container.ts";
import type { Deletion, Entry } from "./entry.ts";

/** First byte of an update, by its form. */
export const UPDATE_SIMPLE = 0x11;
export const UPDATE_FULL = 0x12;

export const INSERTION = 0;
export const DELETION = 1;
export const ENTRY = 2;
/** The record is about the same container as the one before in its section. */
export const SAME_CONTAINER = 4;
export const LEFT_SHIFT = 3;
export const LEFT_PREVIOUS = 1;
export const LEFT_AUTHOR = 2;
export const LEFT_OTHER = 3;
export const RIGHT_SHIFT = 5;
export const RIGHT_AUTHOR = 1;
export const RIGHT_OTHER = 2;
export const TOMBSTONE = 128;
export const TARGET_AUTHOR = 8;
export const BACKWARDS = 16;
export const KEY_SHIFT = 3;
export const KEY_AUTHOR = 1;
export const KEY_TEXT = 2;
export const VALUE_SHIFT = 5;
export const VALUE_TRUE = 1;
export const VALUE_GIVEN = 2;
export const SUPERSEDES = 128;

/** Bytes of the checksum at the end of an update. */
export const CHECKSUM_BYTES = 2;

/** Where the content of elements is. */
export interface ContentSource {
	readonly epoch: number;
	readonly replicas: ReplicaTable;
	readonly text: TextContent;
	readonly list: ListContent;
}

export class UpdateBuilder {
	readonly #source: ContentSource;
	readonly #table: number[] = [];
	/** Finished sections. */
	readonly #sections = new ByteWriter();
	#sectionCount = 0;
	/** The records of the present section. */
	readonly #records = new ByteWriter();
	readonly #out = new ByteWriter();
	#author = 0;
	#first = 0;
	#recordCount = 0;
	#recordEnd = 0;
	#container: Container | null = null;

	constructor(source: ContentSource) {
		this.#source = source;
	}

	/** Records of the present section. */
	get recordCount(): number {
		return this.#recordCount;
	}

	/** Forgets everything. */
	reset(): void {
		this.#table.length = 0;
		this.#sections.reset();
		this.#sectionCount = 0;
		this.#records.reset();
		this.#recordCount = 0;
	}

	/** Begins the section of a replica whose first dot is `first`. */
	begin(author: number, first: number): void {
		this.#author = author;
		this.#indexOf(author);
		this.#first = first;
		this.#recordEnd = first;
		this.#recordCount = 0;
		this.#container = null;
		this.#records.reset();
	}

	/** Ends the section; its last dot is `last`. */
	end(last: number): void {
		const sections = this.#sections;
		sections.varint(this.#indexOf(this.#author));
		sections.varint(this.#first);
		sections.varint(last - this.#first);
		sections.varint(this.#recordCount);
		sections.bytes(this.#records.view);
		this.#sectionCount += 1;
	}

	/** Inserted elements; `deleted` ones go without content. */
	insertion(container: Container, sequence: number, length: number, origins: Origins, deleted: boolean): void {
		const author = this.#author;
		const { leftReplica, leftSequence, rightReplica, rightSequence } = origins;
		const left =
			leftReplica === NOTHING
				? 0
				: leftReplica !== author
					? LEFT_OTHER
					: leftSequence === sequence - 1
						? LEFT_PREVIOUS
						: LEFT_AUTHOR;
		const right = rightReplica === NOTHING ? 0 : rightReplica === author ? RIGHT_AUTHOR : RIGHT_OTHER;
		const tag = INSERTION | (left << LEFT_SHIFT) | (right << RIGHT_SHIFT) | (deleted ? TOMBSTONE : 0);
		const records = this.#open(container, sequence, length, tag);
		if (left === LEFT_AUTHOR) records.varint(sequence - leftSequence);
		else if (left === LEFT_OTHER) this.#dot(leftReplica, leftSequence);
		if (right === RIGHT_AUTHOR) records.varint(sequence - rightSequence);
		else if (right === RIGHT_OTHER) this.#dot(rightReplica, rightSequence);
		records.varint(length);
		if (deleted) return;
		if (container.type === "text") {
			const text = this.#source.text;
			for (let i = 0; i < length; i++) records.unit(text.unit(author, sequence + i));
		} else {
			for (let i = 0; i < length; i++) writeValue(records, this.#source.list.value(author, sequence + i));
		}
	}

	/** Deleted elements. */
	deletion({ container, sequence, length, targetReplica, targetSequence, backwards }: Deletion): void {
		const own = targetReplica === this.#author;
		const tag = DELETION | (own ? TARGET_AUTHOR : 0) | (backwards ? BACKWARDS : 0);
		const records = this.#open(container, sequence, length, tag);
		if (own) records.varint(sequence - targetSequence);
		else this.#dot(targetReplica, targetSequence);
		records.varint(length);
	}

	/** An operation on a key; if it is not in force any more, only what it superseded. */
	entry(entry: Entry): void {
		const { container, key, sequence, supersedes } = entry;
		const value = entry.live ? entry.value : undefined;
		const author = this.#source.replicas.at(this.#author);
		const keyForm = key === "" ? 0 : key === author ? KEY_AUTHOR : KEY_TEXT;
		const valueForm = value === undefined ? 0 : value === true ? VALUE_TRUE : VALUE_GIVEN;
		const tag = ENTRY | (keyForm << KEY_SHIFT) | (valueForm << VALUE_SHIFT) | (supersedes !== null ? SUPERSEDES : 0);
		const records = this.#open(container, sequence, 1, tag);
		if (keyForm === KEY_TEXT) records.text(key);
		if (valueForm === VALUE_GIVEN) writeValue(records, value);
		if (supersedes === null) return;
		records.varint(supersedes.length / 3);
		for (let at = 0; at < supersedes.length; at += 3) {
			this.#dot(supersedes[at]!, supersedes[at + 1]!);
			records.varint(supersedes[at + 2]! - supersedes[at + 1]!);
		}
	}

	/** The update of one section that ends with `last`; `requires` as pairs of a replica's number and a sequence. */
	finishSingle(last: number, requires: readonly number[]): Uint8Array {
		const isSimple = this.#recordCount === 1 && requires.length === 0 && this.#table.length === 1;
		if (isSimple && this.#recordEnd === last + 1 && this.#source.epoch === 0) return this.#finishSimple();
		this.end(last);
		return this.finish(requires);
	}

	/** The update of all sections that were ended. */
	finish(requires: readonly number[]): Uint8Array {
		const required = [];
		for (let at = 0; at < requires.length; at += 2) required.push([this.#indexOf(requires[at]!), requires[at + 1]!]);
		const out = this.#out;
		out.reset();
		out.byte(UPDATE_FULL);
		out.varint(this.#source.epoch);
		out.varint(this.#table.length);
		for (const replica of this.#table) out.text(this.#source.replicas.at(replica));
		out.varint(required.length);
		for (const [index, sequence] of required) {
			out.varint(index!);
			out.varint(sequence!);
		}
		out.varint(this.#sectionCount);
		out.bytes(this.#sections.view);
		return this.#sealed();
	}

	#finishSimple(): Uint8Array {
		const out = this.#out;
		out.reset();
		out.byte(UPDATE_SIMPLE);
		out.text(this.#source.replicas.at(this.#author));
		out.varint(this.#first);
		// Without the record's gap, which is 0.
		this.#records.appendTo(out, 1);
		return this.#sealed();
	}

	#sealed(): Uint8Array {
		this.#out.uint16(this.#out.checksum() & 0xffff);
		return this.#out.take();
	}

	#open(container: Container, sequence: number, length: number, tag: number): ByteWriter {
		const records = this.#records;
		records.varint(sequence - this.#recordEnd);
		this.#recordEnd = sequence + length;
		this.#recordCount += 1;
		if (container === this.#container) records.byte(tag | SAME_CONTAINER);
		else {
			this.#container = container;
			records.byte(tag);
			records.bytes(container.pathBytes);
		}
		return records;
	}

	#dot(replica: number, sequence: number): void {
		this.#records.varint(this.#indexOf(replica));
		this.#records.varint(sequence);
	}

	#indexOf(replica: number): number {
		const table = this.#table;
		for (let index = 0; index < table.length; index++) if (table[index] === replica) return index;
		return table.push(replica) - 1;
	}
}
