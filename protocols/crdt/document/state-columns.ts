/**
 * The columns of one container in an encoded state. Entries are in order of their dots. Runs are given twice: by id, where
 * consecutive ones need no number, and by place, as each run's rank among the ids. Origins that follow from place and
 * ids, which are all those of one writer, cost nothing: see {@link predictOrigins}.
 */
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter, utf8Length } from "../encoding/byte-writer.ts";
import { compress, decompress } from "../encoding/compression.ts";
import { readValue, writeValue } from "../encoding/value.ts";
import { DELETED, NONE, NOTHING, SETTLED } from "../sequence/run-arena.ts";
import { checkEntryValue } from "../types/entry-values.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import type { Entry } from "./entry.ts";

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

export function readEntries(reader: ByteReader, core: DocumentCore, container: Container, order: ReplicaOrder): void {
	let left = reader.count();
	const keys = reader.text();
	let keyEnd = 0;
	while (left > 0) {
		const place = reader.varint();
		const replica = order.numbers[place];
		const count = reader.count();
		if (replica === undefined || count === 0 || count > left) throw reader.damaged("entries of nobody");
		left -= count;
		const author = core.replicas.at(replica);
		let sequence = 0;
		for (let i = 0; i < count; i++) {
			const head = reader.varint();
			const form = (head >>> 1) & 3;
			sequence += Math.floor(head / 8) + 1;
			let key = form === KEY_AUTHOR ? author : "";
			if (form === KEY_TEXT) {
				const start = keyEnd;
				keyEnd += reader.varint();
				key = keys.slice(start, keyEnd);
			}
			const value = (head & 1) === 1 ? true : readValue(reader);
			if (sequence > core.heads[replica]!) throw reader.damaged("an entry above its replica's last");
			checkEntryValue(reader, container, key, value);
			container.add({ replica, sequence, container, key, value, supersedes: null, live: true, next: null });
		}
	}
	if (keyEnd !== keys.length) throw reader.damaged("keys of no entry");
}

/** The origins of runs, by run. */
interface OriginColumns {
	readonly leftReplica: ArrayLike<number>;
	readonly leftSequence: ArrayLike<number>;
	readonly rightReplica: ArrayLike<number>;
	readonly rightSequence: ArrayLike<number>;
}

/** Runs of a sequence that are alike in all but their ids, as they are encoded: neighbours are joined as far as they can be. */
interface RunList {
	readonly replica: number[];
	readonly sequence: number[];
	readonly length: number[];
	readonly flags: number[];
	readonly leftReplica: number[];
	readonly leftSequence: number[];
	readonly rightReplica: number[];
	readonly rightSequence: number[];
}

export function writeRuns(writer: ByteWriter, core: DocumentCore, container: Container, order: ReplicaOrder): void {
	const list = joinedRuns(core, container, order);
	const count = list.length.length;
	writer.varint(count);
	if (count === 0) return;
	const byId = Array.from({ length: count }, (_unused, i) => i).sort(
		(a, b) => list.replica[a]! - list.replica[b]! || list.sequence[a]! - list.sequence[b]!,
	);
	writeIds(writer, list, byId);
	const rank = new Int32Array(count);
	for (const [at, run] of byId.entries()) rank[run] = at;
	for (let run = 0, expected = 0; run < count; run++) {
		writer.signed(rank[run]! - expected);
		expected = rank[run]! + 1;
	}
	writeOrigins(writer, list);
	const content = new ByteWriter();
	if (container.type === "list") writer.bytes(writeListContent(content, core, container));
	else writer.sized(compress(writeTextContent(content, core, container)));
}

function writeIds(writer: ByteWriter, list: RunList, byId: readonly number[]): void {
	for (let at = 0; at < byId.length; ) {
		const replica = list.replica[byId[at]!]!;
		let end = at;
		while (end < byId.length && list.replica[byId[end]!] === replica) end++;
		writer.varint(replica);
		writer.varint(end - at);
		for (let next = 1; at < end; at++) {
			const run = byId[at]!;
			const gap = list.sequence[run]! - next;
			writer.varint(list.length[run]! * 4 + list.flags[run]! * 2 + (gap > 0 ? 1 : 0));
			if (gap > 0) writer.varint(gap);
			next = list.sequence[run]! + list.length[run]!;
		}
	}
}

const PREDICTED = 0;
const WITHOUT = 1;
const GIVEN = 2;

/** Per run one of three forms, as stretches of equal ones; given origins follow as dots. */
function writeOrigins(writer: ByteWriter, list: RunList): void {
	const predicted = predictOrigins(list);
	const count = list.length.length;
	const form = (run: number): number =>
		list.leftReplica[run] === SETTLED
			? WITHOUT
			: predicted.leftReplica[run] === list.leftReplica[run] &&
					predicted.leftSequence[run] === list.leftSequence[run] &&
					predicted.rightReplica[run] === list.rightReplica[run] &&
					predicted.rightSequence[run] === list.rightSequence[run]
				? PREDICTED
				: GIVEN;
	for (let run = 0; run < count; ) {
		const first = form(run);
		let end = run + 1;
		while (end < count && form(end) === first) end++;
		writer.varint((end - run) * 4 + first);
		for (; run < end; run++) {
			if (first !== GIVEN) continue;
			writeOrigin(writer, list.leftReplica[run]!, list.leftSequence[run]!);
			writeOrigin(writer, list.rightReplica[run]!, list.rightSequence[run]!);
		}
	}
}

function writeOrigin(writer: ByteWriter, replica: number, sequence: number): void {
	writer.varint(replica + 1);
	if (replica !== NOTHING) writer.varint(sequence);
}

/**
 * The origins that each run's first element has if every id was given in the order of insertion: nearest to the left and to the
 * right among the elements with lower numbers, or nothing.
 */
function predictOrigins(list: Pick<RunList, "replica" | "sequence" | "length">): OriginColumns {
	const { replica, sequence, length } = list;
	const count = length.length;
	const leftReplica = new Int32Array(count).fill(NOTHING);
	const leftSequence = new Int32Array(count);
	const rightReplica = new Int32Array(count).fill(NOTHING);
	const rightSequence = new Int32Array(count);
	/** Runs to the left with ascending numbers. */
	const open: number[] = [];
	for (let run = 0; run < count; run++) {
		while (open.length > 0 && sequence[open.at(-1)!]! > sequence[run]!) {
			const closed = open.pop()!;
			rightReplica[closed] = replica[run]!;
			rightSequence[closed] = sequence[run]!;
		}
		const left = open.at(-1);
		if (left !== undefined) {
			leftReplica[run] = replica[left]!;
			leftSequence[run] = sequence[left]! + length[left]! - 1;
		}
		open.push(run);
	}
	return { leftReplica, leftSequence, rightReplica, rightSequence };
}

function joinedRuns(core: DocumentCore, container: Container, order: ReplicaOrder): RunList {
	const { runs } = core.space;
	const place = (replica: number): number => (replica < 0 ? replica : order.places[replica]!);
	const list: RunList = {
		replica: [],
		sequence: [],
		length: [],
		flags: [],
		leftReplica: [],
		leftSequence: [],
		rightReplica: [],
		rightSequence: [],
	};
	const sequence = container.sequence!;
	for (let slot = sequence.first; slot !== NONE; slot = runs.next[slot]!) {
		const before = runs.previous[slot]!;
		if (before !== NONE && runs.flags[before] === runs.flags[slot] && sequence.joins(before, slot)) {
			list.length[list.length.length - 1]! += runs.length[slot]!;
			continue;
		}
		list.replica.push(order.places[runs.replica[slot]!]!);
		list.sequence.push(runs.sequence[slot]!);
		list.length.push(runs.length[slot]!);
		list.flags.push(runs.flags[slot]!);
		list.leftReplica.push(place(runs.leftReplica[slot]!));
		list.leftSequence.push(runs.leftSequence[slot]!);
		list.rightReplica.push(place(runs.rightReplica[slot]!));
		list.rightSequence.push(runs.rightSequence[slot]!);
	}
	return list;
}

function writeTextContent(content: ByteWriter, core: DocumentCore, container: Container): Uint8Array {
	const { runs } = core.space;
	for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
		if ((runs.flags[slot]! & DELETED) !== 0) continue;
		const replica = runs.replica[slot]!;
		const end = runs.sequence[slot]! + runs.length[slot]!;
		for (let at = runs.sequence[slot]!; at < end; at++) content.unit(core.text.unit(replica, at));
	}
	return content.view;
}

function writeListContent(content: ByteWriter, core: DocumentCore, container: Container): Uint8Array {
	const { runs } = core.space;
	for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
		if ((runs.flags[slot]! & DELETED) !== 0) continue;
		const replica = runs.replica[slot]!;
		const end = runs.sequence[slot]! + runs.length[slot]!;
		for (let at = runs.sequence[slot]!; at < end; at++) writeValue(content, core.list.value(replica, at));
	}
	return content.view;
}

/** Fills a sequence that has no runs yet. Returns its runs in order of their ids. */
export function readRuns(
	reader: ByteReader,
	core: DocumentCore,
	container: Container,
	order: ReplicaOrder,
): Int32Array {
	const count = reader.count();
	if (count === 0) throw reader.damaged("a sequence of nothing");
	const { runs } = core.space;
	runs.reserve(runs.count + count);
	const byId = readIds(reader, core, container, order, count);
	const slots = new Int32Array(count);
	const taken = new Uint8Array(count);
	for (let run = 0, expected = 0; run < count; run++) {
		const rank = expected + reader.signed();
		if (rank < 0 || rank >= count || taken[rank] === 1) throw reader.damaged("runs in no order");
		taken[rank] = 1;
		expected = rank + 1;
		const slot = byId[rank]!;
		slots[run] = slot;
		const before = run === 0 ? NONE : slots[run - 1]!;
		runs.previous[slot] = before;
		runs.next[slot] = NONE;
		if (before !== NONE) runs.next[before] = slot;
	}
	readOrigins(reader, core, order, slots);
	container.sequence!.adopt(slots[0]!);
	if (container.type === "list") readListContent(reader, core, container);
	else readTextContent(reader, core, container);
	return byId;
}

function readIds(
	reader: ByteReader,
	core: DocumentCore,
	container: Container,
	order: ReplicaOrder,
	count: number,
): Int32Array {
	const { runs } = core.space;
	const byId = new Int32Array(count);
	for (let at = 0; at < count; ) {
		const replica = order.numbers[reader.varint()];
		const group = reader.count();
		if (replica === undefined || group === 0 || group > count - at) throw reader.damaged("runs of nobody");
		let next = 1;
		for (const end = at + group; at < end; at++) {
			const head = reader.varint();
			if ((head & 1) === 1) next += reader.varint();
			const length = Math.floor(head / 4);
			if (length === 0 || next + length - 1 > core.heads[replica]!)
				throw reader.damaged("elements above their replica's last");
			const slot = runs.take();
			byId[at] = slot;
			runs.replica[slot] = replica;
			runs.sequence[slot] = next;
			runs.length[slot] = length;
			runs.flags[slot] = (head >>> 1) & DELETED;
			runs.sequenceNumber[slot] = container.sequence!.number;
			runs.later[slot] = NONE;
			next += length;
		}
	}
	return byId;
}

function readOrigins(reader: ByteReader, core: DocumentCore, order: ReplicaOrder, slots: Int32Array): void {
	const { runs } = core.space;
	const count = slots.length;
	const list = {
		replica: new Array<number>(count),
		sequence: new Array<number>(count),
		length: new Array<number>(count),
	};
	for (let run = 0; run < count; run++) {
		list.replica[run] = runs.replica[slots[run]!]!;
		list.sequence[run] = runs.sequence[slots[run]!]!;
		list.length[run] = runs.length[slots[run]!]!;
	}
	const predicted = predictOrigins(list);
	for (let run = 0; run < count; ) {
		const head = reader.varint();
		const form = head & 3;
		const end = run + (head >>> 2);
		if (form > GIVEN || end <= run || end > count) throw reader.damaged("origins of no run");
		for (; run < end; run++) {
			const slot = slots[run]!;
			if (form === WITHOUT) {
				runs.leftReplica[slot] = SETTLED;
				runs.leftSequence[slot] = 0;
				runs.rightReplica[slot] = SETTLED;
				runs.rightSequence[slot] = 0;
			} else if (form === PREDICTED) {
				runs.leftReplica[slot] = predicted.leftReplica[run]!;
				runs.leftSequence[slot] = predicted.leftSequence[run]!;
				runs.rightReplica[slot] = predicted.rightReplica[run]!;
				runs.rightSequence[slot] = predicted.rightSequence[run]!;
			} else {
				const left = readOrigin(reader, order);
				runs.leftReplica[slot] = left;
				runs.leftSequence[slot] = left === NOTHING ? 0 : reader.varint();
				const right = readOrigin(reader, order);
				runs.rightReplica[slot] = right;
				runs.rightSequence[slot] = right === NOTHING ? 0 : reader.varint();
			}
		}
	}
}

function readOrigin(reader: ByteReader, order: ReplicaOrder): number {
	const place = reader.varint() - 1;
	if (place < 0) return NOTHING;
	const replica = order.numbers[place];
	if (replica === undefined) throw reader.damaged("an origin of nobody");
	return replica;
}

function readTextContent(reader: ByteReader, core: DocumentCore, container: Container): void {
	const { runs } = core.space;
	const units = unitsOf(decompress(reader.sized()), container.sequence!.length);
	let from = 0;
	for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
		if ((runs.flags[slot]! & DELETED) !== 0) continue;
		const length = runs.length[slot]!;
		if (length > units.length - from) throw reader.damaged("less text than elements");
		core.text.writeUnits(runs.replica[slot]!, runs.sequence[slot]!, units, from, length);
		from += length;
	}
	if (from !== units.length) throw reader.damaged("more text than elements");
}

/** The units of a text that `ByteWriter.unit` wrote one by one. */
function unitsOf(bytes: Uint8Array, length: number): Uint16Array {
	// A text with as many bytes as units is ASCII, as most are; the conversion is then the engine's.
	if (bytes.length === length) return new Uint16Array(bytes);
	const units = new Uint16Array(bytes.length);
	const reader = new ByteReader(bytes);
	let count = 0;
	while (reader.remaining > 0) units[count++] = reader.unit();
	return units.subarray(0, count);
}

function readListContent(reader: ByteReader, core: DocumentCore, container: Container): void {
	const { runs } = core.space;
	for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
		if ((runs.flags[slot]! & DELETED) !== 0) continue;
		const replica = runs.replica[slot]!;
		const end = runs.sequence[slot]! + runs.length[slot]!;
		for (let at = runs.sequence[slot]!; at < end; at++) core.list.put(replica, at, readValue(reader));
	}
}
