/** Applies others' updates: all of one or nothing, each operation once, none before what it depends on. */
import { must } from "../../core/index.ts";
import { replicaReused, updateDamaged } from "../errors.ts";
import { DELETED } from "../sequence/run-arena.ts";
import type { SequenceListener } from "../sequence/sequence.ts";
import { stampOf } from "../types/entry-values.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import type { Entry } from "./entry.ts";
import { requireSame } from "./known-operations.ts";
import { appendDeletion } from "./own-update.ts";
import { DELETION, ENTRY, INSERTION } from "./update-builder.ts";
import {
	type DeletionRecord,
	type EntryRecord,
	type InsertionRecord,
	readUpdate,
	type Section,
	type Update,
	type UpdateRecord,
} from "./update-reader.ts";

/**
 * What became of an update: `applied`; `known`, since all of it had been applied before; `waiting` in the buffer, for something
 * that it depends on is not here.
 */
export type ApplyOutcome = "applied" | "known" | "waiting";

/**
 * @throws QuorateError `crdt-update-damaged`, `crdt-format-unsupported`, `crdt-container-unknown`, `crdt-clock-ahead`,
 *   `crdt-replica-reused` or `crdt-buffer-full`; the document is then as before
 */
export function applyUpdate(core: DocumentCore, bytes: Uint8Array): ApplyOutcome {
	const outcome = tryUpdate(core, bytes);
	if (outcome === "waiting") core.pending.add(bytes);
	else if (outcome === "applied") drainPending(core);
	return outcome;
}

/** Applies what has waited, as far as it can be by now. */
export function drainPending(core: DocumentCore): void {
	if (core.pending.size > 0) core.pending.drain((update) => tryUpdate(core, update) !== "waiting");
}

function tryUpdate(core: DocumentCore, bytes: Uint8Array): ApplyOutcome {
	const update = readUpdate(core, bytes);
	const { heads } = core;
	let isKnown = true;
	let waits = false;
	for (const { replica, first, last, records } of update.sections) {
		if (first <= heads[replica]! && core.epoch === 0 && update.epoch === 0) requireSame(core, replica, records);
		if (last <= heads[replica]!) continue;
		isKnown = false;
		if (replica === core.self && !core.isRecovering) refuseReuse(core);
		if (first > heads[replica]! + 1) waits = true;
	}
	if (isKnown) return "known";
	if (update.epoch > core.epoch) waits = true;
	if (update.epoch < core.epoch)
		throw updateDamaged({ reason: "new operations from before the collection", offset: 0 });
	const { requires } = update;
	for (let at = 0; at < requires.length; at += 2) if (heads[requires[at]!]! < requires[at + 1]!) waits = true;
	for (const { records } of update.sections) for (const record of records) checkStamp(core, record);
	if (waits) return "waiting";
	if (update.sections.length > 1 || update.sections[0]!.records.length > 1) checkOrigins(core, update.sections);
	applySections(core, update);
	return "applied";
}

/** @throws QuorateError `crdt-replica-reused` */
export function refuseReuse(core: DocumentCore): never {
	throw replicaReused({
		replica: core.replica,
		seen: core.heads[core.self]!,
		reason: "operations of this replica arrive that it has not made",
	});
}

function checkStamp(core: DocumentCore, record: UpdateRecord): void {
	if (record.kind !== ENTRY || record.container.type !== "lww-register") return;
	const stamp = stampOf(record.value);
	if (stamp !== null) core.clock.check(stamp);
}

/**
 * An update is applied whole or not at all, so what its records refer to is looked for before the first of them is applied.
 * @throws QuorateError `crdt-update-damaged`
 */
function checkOrigins(core: DocumentCore, sections: readonly Section[]): void {
	const isThere = (container: Container, replica: number, sequence: number): boolean =>
		replica < 0 ||
		container.sequence!.has(replica, sequence) ||
		sections.some((section) => section.replica === replica && inserts(section.records, container, sequence));
	for (const { replica, records } of sections) {
		for (const record of records) {
			if (record.kind !== INSERTION || record.sequence + record.length - 1 <= core.heads[replica]!) continue;
			const { container, leftReplica, leftSequence, rightReplica, rightSequence } = record;
			if (isThere(container, leftReplica, leftSequence) && isThere(container, rightReplica, rightSequence)) continue;
			throw updateDamaged({ reason: "an element whose neighbour is not here", offset: 0 });
		}
	}
}

/** Whether one of the records, which are ascending, inserts an element into a container. */
function inserts(records: readonly UpdateRecord[], container: Container, sequence: number): boolean {
	let low = 0;
	let high = records.length;
	while (low < high) {
		const middle = (low + high) >> 1;
		const record = records[middle]!;
		if (record.sequence + record.length > sequence) high = middle;
		else low = middle + 1;
	}
	const record = records[low];
	return record?.kind === INSERTION && record.sequence <= sequence && record.container === container;
}

function applySections(core: DocumentCore, { sections }: Update): void {
	if (sections.length === 1) {
		const { replica, last, records } = sections[0]!;
		const head = core.heads[replica]!;
		for (const record of records) applyRecord(core, replica, record, head);
		core.heads[replica] = last;
		return;
	}
	for (const [section, record] of causalOrder(core, sections)) {
		applyRecord(core, section.replica, record, core.heads[section.replica]!);
	}
	for (const { replica, last } of sections) core.heads[replica] = Math.max(core.heads[replica]!, last);
}

/**
 * The records of several replicas in an order in which each finds what it refers to.
 * @throws QuorateError `crdt-update-damaged` if there is none
 */
function causalOrder(core: DocumentCore, sections: readonly Section[]): [Section, UpdateRecord][] {
	const reached = [...core.heads];
	const next = sections.map(() => 0);
	const order: [Section, UpdateRecord][] = [];
	const advance = (index: number): boolean => {
		const { replica, records, last } = sections[index]!;
		const start = next[index]!;
		let at = start;
		for (; at < records.length; at++) {
			const record = records[at]!;
			reached[replica] = Math.max(reached[replica]!, record.sequence - 1);
			if (!isReady(record, reached)) break;
			order.push([sections[index]!, record]);
			reached[replica] = Math.max(reached[replica]!, record.sequence + record.length - 1);
		}
		next[index] = at;
		if (at === records.length) reached[replica] = Math.max(reached[replica]!, last);
		return at > start;
	};
	for (let moved = true; moved; ) {
		moved = false;
		for (let index = 0; index < sections.length; index++) moved = advance(index) || moved;
	}
	if (sections.some(({ records }, index) => next[index]! < records.length))
		throw updateDamaged({ reason: "records that wait for each other", offset: 0 });
	return order;
}

function isReady(record: UpdateRecord, reached: readonly number[]): boolean {
	switch (record.kind) {
		case INSERTION:
			return (
				(record.leftReplica < 0 || record.leftSequence <= reached[record.leftReplica]!) &&
				(record.rightReplica < 0 || record.rightSequence <= reached[record.rightReplica]!)
			);
		case DELETION:
			return record.targetSequence + record.length - 1 <= reached[record.targetReplica]!;
		case ENTRY:
			return true;
	}
}

/** @param head dots up to here are applied already */
function applyRecord(core: DocumentCore, replica: number, record: UpdateRecord, head: number): void {
	const known = head - record.sequence + 1;
	if (known >= record.length) return;
	switch (record.kind) {
		case INSERTION:
			applyInsertion(core, replica, known > 0 ? laterElements(record, replica, known) : record);
			return;
		case DELETION:
			applyDeletion(core, replica, known > 0 ? laterDeletions(record, known) : record);
			return;
		case ENTRY:
			applyEntry(core, replica, record);
			return;
	}
}

function applyInsertion(core: DocumentCore, replica: number, record: InsertionRecord): void {
	const { container, sequence, length, content } = record;
	const order = must(container.sequence ?? undefined, "insertions are read for sequences only");
	if (content === null) {
		order.insertBetween(replica, sequence, length, record, DELETED, null);
		return;
	}
	core.writeContent(replica, sequence, content);
	order.insertBetween(replica, sequence, length, record, 0, listenerOf(core, container));
}

function applyDeletion(core: DocumentCore, replica: number, record: DeletionRecord): void {
	const { container, sequence, length, targetReplica, targetSequence, backwards } = record;
	container.sequence?.deleteIds(targetReplica, targetSequence, length, listenerOf(core, container));
	appendDeletion(core, replica, { sequence, length, container, targetReplica, targetSequence, backwards });
}

function applyEntry(core: DocumentCore, replica: number, record: EntryRecord): void {
	const { container, sequence, key, value, supersedes } = record;
	if (supersedes !== null) container.supersede(key, supersedes);
	if (value === undefined && supersedes === null) return;
	const entry: Entry = { replica, sequence, container, key, value, supersedes, live: false, next: null };
	if (value !== undefined) {
		container.add(entry);
		const stamp = container.type === "lww-register" ? stampOf(value) : null;
		if (stamp !== null) core.clock.see(stamp);
	}
	core.log[replica]!.push(entry);
	core.observer?.({ type: "updated", path: container.path, source: "remote", key });
}

/** The record without its first elements. */
function laterElements(record: InsertionRecord, replica: number, skipped: number): InsertionRecord {
	return {
		...record,
		sequence: record.sequence + skipped,
		length: record.length - skipped,
		content: record.content?.slice(skipped) ?? null,
		leftReplica: replica,
		leftSequence: record.sequence + skipped - 1,
	};
}

/** The record without its first deletions. */
function laterDeletions(record: DeletionRecord, skipped: number): DeletionRecord {
	return {
		...record,
		sequence: record.sequence + skipped,
		length: record.length - skipped,
		targetSequence: record.backwards ? record.targetSequence : record.targetSequence + skipped,
	};
}

/** Tells the observer of a sequence's changes; null if there is none. */
export function listenerOf(core: DocumentCore, container: Container): SequenceListener | null {
	const { observer } = core;
	if (observer === null) return null;
	const { path } = container;
	return {
		inserted: (position, replica, sequence, length) => {
			const content =
				container.type === "text"
					? core.text.read(replica, sequence, length)
					: Array.from({ length }, (_unused, i) => core.list.value(replica, sequence + i));
			observer({ type: "inserted", path, source: "remote", position, content });
		},
		deleted: (position, _replica, _sequence, count) => {
			observer({ type: "deleted", path, source: "remote", position, count });
		},
	};
}
