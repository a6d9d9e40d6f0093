/**
 * Reads the runs of one sequence from an encoded state, as `run-columns.ts` writes them. A process that has just begun is to show a text
 * at once, so what happens once for each run happens in few and simple loops, over columns, whatever the engine has compiled by then.
 */
import { ByteReader } from "../encoding/byte-reader.ts";
import { decompress } from "../encoding/compression.ts";
import { readValue } from "../encoding/value.ts";
import { DELETED, NONE, NOTHING, SETTLED } from "../sequence/run-arena.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { GIVEN, PREDICTED, predictOrigins, WITHOUT } from "./run-columns.ts";
import type { ReplicaOrder } from "./state-columns.ts";

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
	const ids = readIds(reader, core, order, count);
	/** The run at the first place; the others follow. */
	const first = runs.takeMany(count);
	const slots = placeRuns(reader, core, ids, first);
	runs.sequenceNumber.fill(container.sequence!.number, first, first + count);
	readOrigins(reader, core, order, first, count);
	container.sequence!.adopt(first);
	if (container.type === "list") readListContent(reader, core, container);
	else readTextContent(reader, core, container, first, count);
	return slots;
}

/** What is given by id. */
interface RunsById {
	readonly replica: Int32Array;
	readonly sequence: Int32Array;
	/** `length * 4 + deleted * 2 + …` */
	readonly head: Float64Array;
}

function readIds(reader: ByteReader, core: DocumentCore, order: ReplicaOrder, count: number): RunsById {
	const replica = new Int32Array(count);
	const groupEnds: number[] = [];
	for (let at = 0, before = NONE; at < count; ) {
		const place = reader.varint();
		const group = reader.count();
		const number = order.numbers[place];
		if (number === undefined || place <= before || group === 0 || group > count - at)
			throw reader.damaged("runs of nobody");
		before = place;
		replica.fill(number, at, at + group);
		at += group;
		groupEnds.push(at);
	}
	const head = reader.varints(count);
	let gaps = 0;
	for (let at = 0; at < count; at++) gaps += head[at]! % 2;
	const gap = reader.varints(gaps);
	const sequence = new Int32Array(count);
	let at = 0;
	let gapAt = 0;
	for (const end of groupEnds) {
		const last = core.heads[replica[at]!]!;
		let next = 1;
		for (; at < end; at++) {
			const value = head[at]!;
			if (value % 2 === 1) next += gap[gapAt++]!;
			const length = Math.floor(value / 4);
			if (length === 0 || next + length - 1 > last) throw reader.damaged("elements above their replica's last");
			sequence[at] = next;
			next += length;
		}
	}
	return { replica, sequence, head };
}

/** Fills the runs from `first` on, in order of their places. Returns them in order of their ids. */
function placeRuns(reader: ByteReader, core: DocumentCore, ids: RunsById, first: number): Int32Array {
	const { replica, sequence, length, flags, previous, next } = core.space.runs;
	const count = ids.head.length;
	const ranks = reader.varints(count);
	const slots = new Int32Array(count).fill(NONE);
	for (let run = 0, expected = 0; run < count; run++) {
		const step = ranks[run]!;
		const rank = expected + (step % 2 === 0 ? step / 2 : -(step + 1) / 2);
		if (rank < 0 || rank >= count || slots[rank] !== NONE) throw reader.damaged("runs in no order");
		expected = rank + 1;
		const slot = first + run;
		const head = ids.head[rank]!;
		slots[rank] = slot;
		replica[slot] = ids.replica[rank]!;
		sequence[slot] = ids.sequence[rank]!;
		length[slot] = Math.floor(head / 4);
		flags[slot] = (head >>> 1) & DELETED;
		previous[slot] = slot - 1;
		next[slot] = slot + 1;
	}
	previous[first] = NONE;
	next[first + count - 1] = NONE;
	return slots;
}

function readOrigins(reader: ByteReader, core: DocumentCore, order: ReplicaOrder, first: number, count: number): void {
	const { runs } = core.space;
	predictOrigins(runs, first, count, runs);
	for (let slot = first; slot < first + count; ) {
		const head = reader.varint();
		const form = head % 4;
		const end = slot + Math.floor(head / 4);
		if (form > GIVEN || end <= slot || end > first + count) throw reader.damaged("origins of no run");
		if (form === WITHOUT) {
			runs.leftReplica.fill(SETTLED, slot, end);
			runs.leftSequence.fill(0, slot, end);
			runs.rightReplica.fill(SETTLED, slot, end);
			runs.rightSequence.fill(0, slot, end);
		}
		if (form === PREDICTED || form === WITHOUT) slot = end;
		for (; slot < end; slot++) {
			const left = readOrigin(reader, order);
			runs.leftReplica[slot] = left;
			runs.leftSequence[slot] = left === NOTHING ? 0 : reader.varint();
			const right = readOrigin(reader, order);
			runs.rightReplica[slot] = right;
			runs.rightSequence[slot] = right === NOTHING ? 0 : reader.varint();
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

function readTextContent(
	reader: ByteReader,
	core: DocumentCore,
	container: Container,
	first: number,
	count: number,
): void {
	const sequence = container.sequence!;
	const units = unitsOf(decompress(reader.sized()), sequence.length);
	if (units.length < sequence.length) throw reader.damaged("less text than elements");
	if (units.length > sequence.length) throw reader.damaged("more text than elements");
	const { replica, sequence: ids, length, flags } = core.space.runs;
	core.text.load(sequence.number, units, {
		replica: replica.slice(first, first + count),
		sequence: ids.slice(first, first + count),
		length: length.slice(first, first + count),
		flags: flags.slice(first, first + count),
	});
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
