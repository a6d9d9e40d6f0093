/**
 * The whole state as bytes. The shared part comes first: replicas, what is applied of them, containers in order of their paths. It is
 * the same for all replicas that have applied and collected the same. The private part is what this replica needs to go on
 * after a restart: its clock, how far it has collected, the log above the floor, and the updates that wait.
 *
 * ```
 * state   = format sized(shared) sized(private) checksum(4 bytes, CRC-32)
 * shared  = epoch replicas heads containers
 * private = owner clock (floor told)* log pending        what others had done that the owner's updates have relied on: told
 * ```
 */

import { readReplica, SEQUENCE_MAX } from "../causality/causal-context.ts";
import type { ReplicaId } from "../causality/replica.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import { crc32 } from "../encoding/checksum.ts";
import { formatUnsupported, updateDamaged } from "../errors.ts";
import { NONE } from "../sequence/run-arena.ts";
import { stampOf } from "../types/entry-values.ts";
import { leafTypes } from "../types/schema.ts";
import { type Container, writePath } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { sortedContainers } from "./difference.ts";
import { type Entry, isDeletion } from "./entry.ts";
import type { KnownEntries } from "./known-entries.ts";
import { writeRuns } from "./run-columns.ts";
import { readRuns } from "./run-loader.ts";
import { type ReplicaOrder, readEntries, writeEntries } from "./state-columns.ts";
import { DELETION, INSERTION, UpdateBuilder } from "./update-builder.ts";
import { readUpdate } from "./update-reader.ts";

/** First byte of a state. */
export const STATE_FORMAT = 0x22;

/** The shared part alone: equal bytes mean equal states. */
export function encodeShared(core: DocumentCore): Uint8Array {
	const writer = new ByteWriter();
	writeShared(writer, core);
	return writer.take();
}

/** Bytes of the shared part that a container takes. */
export function containerBytes(core: DocumentCore, container: Container): number {
	const writer = new ByteWriter();
	if (container.sequence === null) writeEntries(writer, core, container, replicaOrder(core));
	else writeRuns(writer, core, container, replicaOrder(core));
	return writer.length;
}

export function encodeState(core: DocumentCore): Uint8Array {
	const part = new ByteWriter();
	const writer = new ByteWriter();
	writer.byte(STATE_FORMAT);
	writeShared(part, core);
	writer.sized(part.view);
	part.reset();
	writePrivate(part, core);
	writer.sized(part.view);
	writer.uint32(writer.checksum());
	return writer.take();
}

/** What of a decoded state is its owner's alone. */
export interface PrivateState {
	readonly owner: ReplicaId;
	readonly clock: { readonly ms: number; readonly counter: number };
	readonly pending: readonly Uint8Array[];
}

/**
 * Fills a document that is new.
 * @param known entries that need not be read, since the reader has them; null for none
 * @throws QuorateError `crdt-update-damaged`, `crdt-format-unsupported`, `crdt-container-unknown`
 */
export function decodeState(core: DocumentCore, bytes: Uint8Array, known: KnownEntries | null): PrivateState {
	const { reader } = openState(bytes);
	const shared = new ByteReader(reader.sized());
	const part = new ByteReader(reader.sized());
	reader.end();
	const order = readShared(shared, core, known);
	return readPrivate(part, core, order);
}

function openState(bytes: Uint8Array): { readonly reader: ByteReader } {
	const end = bytes.length - 4;
	if (end < 1) throw updateDamaged({ reason: "it ends too early", offset: bytes.length });
	if (bytes[0] !== STATE_FORMAT) throw formatUnsupported({ found: bytes[0]!, supported: STATE_FORMAT });
	const found = new ByteReader(bytes, end).uint32();
	if (crc32(bytes, 0, end) !== found) throw updateDamaged({ reason: "its checksum differs", offset: end });
	const reader = new ByteReader(bytes, 0, end);
	reader.byte();
	return { reader };
}

function replicaOrder(core: DocumentCore): ReplicaOrder {
	const numbers = core.replicas.sorted().filter((replica) => core.heads[replica]! > 0);
	const places: number[] = new Array(core.replicas.size).fill(NONE);
	for (const [place, replica] of numbers.entries()) places[replica] = place;
	return { numbers, places };
}

function writeShared(writer: ByteWriter, core: DocumentCore): void {
	const order = replicaOrder(core);
	writer.varint(core.epoch);
	writer.varint(order.numbers.length);
	for (const replica of order.numbers) {
		writer.text(core.replicas.at(replica));
		writer.varint(core.heads[replica]!);
	}
	const touched = sortedContainers(core).filter((container) => !isBare(container));
	writer.varint(touched.length);
	for (const container of touched) {
		writePath(writer, container.path);
		writer.byte(leafTypes.indexOf(container.type));
		if (container.sequence === null) writeEntries(writer, core, container, order);
		else writeRuns(writer, core, container, order);
	}
}

/** Whether nothing of a container has to be kept, not even a tombstone. */
function isBare(container: Container): boolean {
	return container.sequence === null ? container.entries.size === 0 : container.sequence.first === NONE;
}

function readShared(reader: ByteReader, core: DocumentCore, known: KnownEntries | null): ReplicaOrder {
	const numbers: number[] = [];
	const places: number[] = [];
	core.epoch = reader.varint();
	for (let left = reader.count(); left > 0; left--) {
		const replica = core.intern(readReplica(reader));
		const head = reader.varint();
		if (head > SEQUENCE_MAX) throw reader.damaged("a dot too large");
		core.heads[replica] = head;
		places[replica] = numbers.push(replica) - 1;
	}
	const order = { numbers, places };
	const runs: Int32Array[] = [];
	const seen = new Set<Container>();
	for (let left = reader.count(); left > 0; left--) {
		const container = readContainer(reader, core);
		if (seen.has(container)) throw reader.damaged("a container twice");
		seen.add(container);
		if (container.sequence === null) readEntries(reader, core, container, order, known);
		else runs.push(readRuns(reader, core, container, order));
	}
	reader.end();
	indexRuns(reader, core, runs);
	return order;
}

function readContainer(reader: ByteReader, core: DocumentCore): Container {
	const path: string[] = [];
	for (;;) {
		const head = reader.varint();
		path.push(reader.utf8(head >>> 1));
		if ((head & 1) === 0) break;
	}
	const type = leafTypes[reader.byte()];
	if (type === undefined) throw reader.damaged("a container of unknown type");
	return core.container(path, [type]);
}

/** Indexes the runs of all sequences, each given in order of its ids. */
function indexRuns(reader: ByteReader, core: DocumentCore, sequences: readonly Int32Array[]): void {
	const { runs, ids } = core.space;
	const slots = sequences.length === 1 ? sequences[0]! : new Int32Array(sequences.flatMap((byId) => [...byId]));
	if (sequences.length > 1) {
		slots.sort((a, b) => runs.replica[a]! - runs.replica[b]! || runs.sequence[a]! - runs.sequence[b]!);
	}
	if (!ids.appendAll(slots)) throw reader.damaged("an element twice");
}

function writePrivate(writer: ByteWriter, core: DocumentCore): void {
	writer.text(core.replica);
	writer.varint(core.clock.last.ms);
	writer.varint(core.clock.last.counter);
	for (const replica of replicaOrder(core).numbers) {
		writer.varint(core.heads[replica]! - core.floors[replica]!);
		writer.varint(core.own.toldOf(replica));
	}
	writer.sized(encodeLog(core));
	writer.varint(core.pending.size);
	for (const update of core.pending.updates) writer.sized(update);
}

/** The log as an update without contents: entries in force are found again in their containers. */
function encodeLog(core: DocumentCore): Uint8Array {
	const builder = new UpdateBuilder(core);
	for (const replica of core.replicas.sorted()) {
		const records = core.log[replica]!.filter((record) => isDeletion(record) || record.supersedes !== null);
		if (records.length === 0) continue;
		builder.begin(replica, core.floors[replica]! + 1);
		for (const record of records) {
			if (isDeletion(record)) builder.deletion(record);
			else builder.entry({ ...record, value: undefined });
		}
		builder.end(core.heads[replica]!);
	}
	return builder.finish([]);
}

function readPrivate(reader: ByteReader, core: DocumentCore, order: ReplicaOrder): PrivateState {
	const owner = readReplica(reader);
	const clock = { ms: reader.varint(), counter: reader.varint() };
	for (const replica of order.numbers) {
		const above = reader.varint();
		if (above > core.heads[replica]!) throw reader.damaged("a floor below the first operation");
		core.floors[replica] = core.heads[replica]! - above;
		const told = reader.varint();
		if (owner === core.replica) core.own.noteTold(replica, told);
	}
	readLog(core, reader.sized());
	const pending = Array.from({ length: reader.count() }, () => reader.sized().slice());
	reader.end();
	return { owner, clock, pending };
}

function readLog(core: DocumentCore, bytes: Uint8Array): void {
	for (const container of core.containers) {
		for (const first of container.entries.values()) {
			for (let entry: Entry | null = first; entry !== null; entry = entry.next) {
				if (entry.sequence > core.floors[entry.replica]!) core.log[entry.replica]!.push(entry);
				const stamp = container.type === "lww-register" ? stampOf(entry.value) : null;
				if (stamp !== null) core.clock.see(stamp);
			}
		}
	}
	for (const { replica, first, last, records } of readUpdate(core, bytes).sections) {
		if (first <= core.floors[replica]! || last > core.heads[replica]!)
			throw updateDamaged({ reason: "a log beyond its bounds", offset: 0 });
		const log = core.log[replica]!;
		const inForce = new Map(log.map((record) => [record.sequence, record as Entry]));
		for (const record of records) {
			if (record.kind === INSERTION) throw updateDamaged({ reason: "an insertion in a log", offset: 0 });
			if (record.kind === DELETION) {
				const { kind: _kind, ...deletion } = record;
				log.push(deletion);
				continue;
			}
			const { sequence, container, key, supersedes } = record;
			const live = inForce.get(sequence);
			if (live !== undefined) live.supersedes = supersedes;
			else log.push({ replica, sequence, container, key, value: undefined, supersedes, live: false, next: null });
		}
	}
	for (const log of core.log) log.sort((a, b) => a.sequence - b.sequence);
}
