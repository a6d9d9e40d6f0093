/**
 * Whether what an update says of operations that are known already is what is known of them. If not, two replicas have used one id: their
 * documents would differ for ever, and nobody would hear of it, for each dot is applied once.
 *
 * What has left nothing behind can not be compared: deleted content after a load, operations that have left the log, and all that was
 * before a collection, which numbers anew. A whole state is not compared when it is joined.
 */
import { canonicalText } from "../../core/index.ts";
import { replicaReused } from "../errors.ts";
import type { DocumentCore } from "./core.ts";
import { firstAbove, isDeletion } from "./entry.ts";
import { DELETION, ENTRY, INSERTION } from "./update-builder.ts";
import type { DeletionRecord, EntryRecord, InsertionRecord, UpdateRecord } from "./update-reader.ts";

/**
 * Only for documents and updates that were never collected.
 * @param records of one replica, ascending
 * @throws QuorateError `crdt-replica-reused` if one of them, up to the replica's last known operation, is another than the known one
 */
export function requireSame(core: DocumentCore, replica: number, records: readonly UpdateRecord[]): void {
	const head = core.heads[replica]!;
	for (const record of records) {
		if (record.sequence > head) return;
		if (isSame(core, replica, record, Math.min(record.length, head + 1 - record.sequence))) continue;
		throw replicaReused({
			replica: core.replicas.at(replica),
			seen: head,
			reason: "an update has other operations under numbers that are known",
		});
	}
}

function isSame(core: DocumentCore, replica: number, record: UpdateRecord, length: number): boolean {
	switch (record.kind) {
		case INSERTION:
			return isSameInsertion(core, replica, record, length);
		case DELETION:
			return isSameDeletion(core, replica, record);
		case ENTRY:
			return isSameEntry(core, replica, record);
	}
}

function isSameInsertion(core: DocumentCore, replica: number, record: InsertionRecord, length: number): boolean {
	const { container, sequence, content } = record;
	if (container.sequence?.has(replica, sequence) !== true) return false;
	if (content === null) return true;
	for (let i = 0; i < length; i++) {
		if (typeof content === "string") {
			const held = core.text.heldUnit(replica, sequence + i);
			if (held !== 0 && held !== content.charCodeAt(i)) return false;
		} else {
			const held = core.list.heldValue(replica, sequence + i);
			if (held !== undefined && canonicalText(held) !== canonicalText(content[i])) return false;
		}
	}
	return true;
}

function isSameDeletion(core: DocumentCore, replica: number, { container, sequence }: DeletionRecord): boolean {
	const known = logged(core, replica, sequence);
	return known === undefined ? !isElement(core, replica, sequence) : isDeletion(known) && known.container === container;
}

function isSameEntry(core: DocumentCore, replica: number, { container, sequence, key, value }: EntryRecord): boolean {
	const known = logged(core, replica, sequence);
	if (known === undefined) return !isElement(core, replica, sequence);
	if (isDeletion(known) || known.container !== container || known.key !== key) return false;
	return known.value === undefined || value === undefined || canonicalText(known.value) === canonicalText(value);
}

function isElement(core: DocumentCore, replica: number, sequence: number): boolean {
	return core.containers.some((container) => container.sequence?.has(replica, sequence) === true);
}

/** The record of the log that a dot belongs to. */
function logged(
	core: DocumentCore,
	replica: number,
	sequence: number,
): DocumentCore["log"][number][number] | undefined {
	const log = core.log[replica]!;
	const record = log[firstAbove(log, sequence - 1)];
	return record !== undefined && record.sequence <= sequence ? record : undefined;
}
