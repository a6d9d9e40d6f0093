/**
 * Joins a whole state into a document, whatever either has collected. What both have seen and one has no more is gone; what only
 * one has seen stays (optimized observed-remove, RR-8083, for entries and for elements alike).
 */
import { behindFloor, updateDamaged } from "../errors.ts";
import { DELETED, NONE, NOTHING } from "../sequence/run-arena.ts";
import { listenerOf, refuseReuse } from "./apply.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { deletionAbove, type Entry, firstAbove, isDeletion, type LogRecord } from "./entry.ts";
import type { KnownEntries, KnownList } from "./known-entries.ts";
import { appendDeletion } from "./own-update.ts";

/**
 * @param other not changed, and not used by the document afterwards; read with what is known here
 * @param known the entries of `other` that are known here, and that it therefore does not hold itself
 * @returns whether anything was new
 * @throws QuorateError `crdt-replica-reused`, `crdt-clock-ahead`, and `crdt-behind-floor` if one of them was collected and the other one was not, and each
 *   has what the other one has not; the document is then as before
 */
export function joinState(core: DocumentCore, other: DocumentCore, known: KnownEntries): boolean {
	/** By replica number there, the number here; -1 for one without operations. */
	const here = other.heads.map((head, replica) => (head > 0 ? core.intern(other.replicas.at(replica)) : -1));
	/** By replica number here, what the other one has applied. */
	const theirs = core.heads.map((_head, replica) => other.heads[other.replicas.find(core.replicas.at(replica))] ?? 0);
	if (theirs[core.self]! > core.heads[core.self]!) refuseReuse(core);
	const { settled } = core;
	const isNew = theirs.some((head, replica) => replica !== settled && head > core.heads[replica]!);
	if (core.epoch !== other.epoch) {
		if (isNew) throw behindFloor({ replica: core.replica, known: core.epoch, floor: other.epoch });
		// Its ids name other elements than they do here.
		return false;
	}
	// What the other document's clock has seen are the stamps of its entries.
	core.clock.check(other.clock.last);
	const join = { core, other, known, here, theirs };
	joinRuns(join, causalOrder(join));
	for (const container of other.containers) {
		if (container.sequence === null) joinEntries(join, container);
	}
	/** Keys of which something has come or gone; only gathered for an observer. */
	const changed: Changed[] = core.observer === null ? [] : newKeys(core, other);
	for (const container of core.containers) {
		if (container.sequence === null) dropRemoved(join, container, core.observer === null ? null : changed);
	}
	joinLogs(join);
	core.clock.see(other.clock.last);
	for (const [replica, head] of theirs.entries()) core.heads[replica] = Math.max(core.heads[replica]!, head);
	if (isNew) tellOfEntries(core, changed);
	return isNew;
}

interface Join {
	readonly core: DocumentCore;
	readonly other: DocumentCore;
	readonly known: KnownEntries;
	readonly here: readonly number[];
	readonly theirs: readonly number[];
}

/** Inserts the elements that are new, each replica's in order and each after its origins; then deletes what is deleted there. */
function joinRuns(join: Join, order: readonly number[]): void {
	for (const slot of order) insertRun(join, slot);
	deleteGone(join);
}

/**
 * The runs that have new elements, in an order in which each finds its origins. A state is joined whole or not at all, so this is
 * looked for before the first of them is inserted.
 * @throws QuorateError `crdt-update-damaged` if there is none
 */
function causalOrder({ core, other, here }: Join): number[] {
	const { ids, runs } = other.space;
	const next = here.map((_number, replica) => ids.first(replica));
	/** By replica there, up to which dot its elements are here or in the order. */
	const reached = here.map((number) => (number < 0 ? 0 : core.heads[number]!));
	const order: number[] = [];
	const isReached = (container: Container, replica: number, sequence: number): boolean => {
		if (replica < 0) return replica === NOTHING;
		if (sequence <= core.heads[here[replica]!]!) return container.sequence!.has(here[replica]!, sequence);
		return sequence <= reached[replica]! && other.findContainer(container.path)!.sequence!.has(replica, sequence);
	};
	const isReady = (slot: number): boolean => {
		const container = core.container(other.sequences[runs.sequenceNumber[slot]!]!.path);
		const replica = runs.replica[slot]!;
		// Of a run that is here in part, the last known element is to the left of the rest.
		const known = core.heads[here[replica]!]!;
		const isNew = known < runs.sequence[slot]!;
		const left = isNew ? runs.leftReplica[slot]! : replica;
		return (
			isReached(container, left, isNew ? runs.leftSequence[slot]! : known) &&
			isReached(container, runs.rightReplica[slot]!, runs.rightSequence[slot]!)
		);
	};
	const advance = (replica: number): boolean => {
		const first = next[replica]!;
		for (let slot = first; slot !== NONE; slot = next[replica] = runs.later[slot]!) {
			const last = runs.sequence[slot]! + runs.length[slot]! - 1;
			if (last <= reached[replica]!) continue;
			if (!isReady(slot)) break;
			order.push(slot);
			reached[replica] = last;
		}
		return next[replica] !== first;
	};
	for (let moved = true; moved; ) {
		moved = false;
		for (const replica of next.keys()) moved = advance(replica) || moved;
	}
	if (next.some((slot) => slot !== NONE))
		throw updateDamaged({ reason: "elements whose neighbours are not here", offset: 0 });
	return order;
}

function insertRun({ core, other, here }: Join, slot: number): void {
	const { runs } = other.space;
	const replica = here[runs.replica[slot]!]!;
	const length = runs.length[slot]!;
	const known = Math.max(0, core.heads[replica]! - runs.sequence[slot]! + 1);
	const number = (theirs: number): number => (theirs < 0 ? theirs : here[theirs]!);
	const sequence = runs.sequence[slot]! + known;
	const origins = {
		leftReplica: known > 0 ? replica : number(runs.leftReplica[slot]!),
		leftSequence: known > 0 ? sequence - 1 : runs.leftSequence[slot]!,
		rightReplica: number(runs.rightReplica[slot]!),
		rightSequence: runs.rightSequence[slot]!,
	};
	const source = other.sequences[runs.sequenceNumber[slot]!]!;
	const container = core.container(source.path);
	const deleted = (runs.flags[slot]! & DELETED) !== 0;
	if (!deleted) copyContent(core, other, container, replica, runs.replica[slot]!, sequence, length - known);
	const listener = deleted ? null : listenerOf(core, container);
	container.sequence!.insertBetween(replica, sequence, length - known, origins, deleted ? DELETED : 0, listener);
}

function copyContent(
	core: DocumentCore,
	other: DocumentCore,
	container: Container,
	replica: number,
	theirs: number,
	sequence: number,
	length: number,
): void {
	if (container.type === "text") core.text.write(replica, sequence, other.text.read(theirs, sequence, length));
	else {
		for (let at = sequence; at < sequence + length; at++) core.list.put(replica, at, other.list.value(theirs, at));
	}
}

/** Deletes what is visible here, and what they have seen and is not visible there, be it a tombstone or collected. */
function deleteGone({ core, other, theirs }: Join): void {
	const { runs } = core.space;
	const gone: { container: Container; replica: number; sequence: number; length: number }[] = [];
	for (const container of core.sequences) {
		for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
			if ((runs.flags[slot]! & DELETED) !== 0) continue;
			const replica = runs.replica[slot]!;
			const number = other.replicas.find(core.replicas.at(replica));
			const end = Math.min(runs.sequence[slot]! + runs.length[slot]!, theirs[replica]! + 1);
			for (let at = runs.sequence[slot]!; at < end; ) {
				const stretch = visibleStretch(other, number, at, end);
				if (stretch > 0) at += stretch;
				else {
					gone.push({ container, replica, sequence: at, length: -stretch });
					at -= stretch;
				}
			}
		}
	}
	for (const { container, replica, sequence, length } of gone) {
		container.sequence!.deleteIds(replica, sequence, length, listenerOf(core, container));
	}
}

/** How many ids from `at` to before `end` are alike: positive if visible, negative if not. */
function visibleStretch(core: DocumentCore, replica: number, at: number, end: number): number {
	const { runs, ids } = core.space;
	const slot = ids.atOrBefore(replica, at);
	const stop = slot === NONE ? 0 : runs.sequence[slot]! + runs.length[slot]!;
	if (at < stop) {
		const stretch = Math.min(end, stop) - at;
		return (runs.flags[slot]! & DELETED) === 0 ? stretch : -stretch;
	}
	const next = slot === NONE ? ids.first(replica) : runs.later[slot]!;
	return -((next === NONE ? end : Math.min(end, runs.sequence[next]!)) - at);
}

/** Takes over entries that are new here. */
function joinEntries({ core, here }: Join, source: Container): void {
	const container = core.container(source.path);
	for (const first of source.entries.values()) {
		for (let entry: Entry | null = first; entry !== null; entry = entry.next) {
			const replica = here[entry.replica]!;
			if (entry.sequence <= core.heads[replica]!) continue;
			container.add({ ...entry, replica, container, supersedes: renumber(entry.supersedes, here), next: null });
		}
	}
}

/** Drops entries that the other side has seen and has no more. */
function dropRemoved({ core, other, known, here, theirs }: Join, container: Container, gone: Changed[] | null): void {
	const source = other.findContainer(container.path);
	/** By replica number here. */
	const kept: (KnownList | undefined)[] = [];
	for (const [number, replica] of here.entries()) {
		if (replica >= 0 && source !== undefined) kept[replica] = known.listOf(source, number);
	}
	const isGone = ({ replica, sequence }: Entry): boolean => {
		// Above the head here stands what has just come from there.
		if (sequence > theirs[replica]! || sequence > core.heads[replica]!) return false;
		return kept[replica]?.has(sequence) !== true;
	};
	for (const [key, first] of container.entries) {
		if (first.next === null && !isGone(first)) continue;
		if (container.drop(key, isGone) > 0) gone?.push({ container, key });
	}
}

/** Takes over the log records that are new here. What the other one's log has lost is lost here, too: the floor rises. */
function joinLogs({ core, other, here }: Join): void {
	for (const [theirs, replica] of here.entries()) {
		if (replica < 0) continue;
		const head = core.heads[replica]!;
		const floor = other.floors[theirs]!;
		if (floor > head) {
			core.floors[replica] = floor;
			core.log[replica] = [];
		}
		const log = other.log[theirs]!;
		for (let at = firstAbove(log, head); at < log.length; at++) joinLogRecord(core, here, replica, log[at]!, head);
	}
}

function joinLogRecord(
	core: DocumentCore,
	here: readonly number[],
	replica: number,
	record: LogRecord,
	head: number,
): void {
	const container = core.container(record.container.path);
	if (!isDeletion(record)) {
		const supersedes = renumber(record.supersedes, here);
		const live = record.live ? findLive(container, record.key, replica, record.sequence) : null;
		core.log[replica]!.push(live ?? { ...record, replica, container, supersedes, live: false, next: null });
		return;
	}
	appendDeletion(core, replica, {
		...deletionAbove(record, head),
		container,
		targetReplica: here[record.targetReplica]!,
	});
}

function findLive(container: Container, key: string, replica: number, sequence: number): Entry | null {
	let entry = container.entries.get(key) ?? null;
	while (entry !== null && (entry.replica !== replica || entry.sequence !== sequence)) entry = entry.next;
	return entry;
}

function renumber(supersedes: readonly number[] | null, here: readonly number[]): readonly number[] | null {
	return supersedes?.map((number, at) => (at % 3 === 0 ? here[number]! : number)) ?? null;
}

interface Changed {
	readonly container: Container;
	readonly key: string;
}

function newKeys(core: DocumentCore, other: DocumentCore): Changed[] {
	return other.containers.flatMap(({ path, entries }) => {
		const container = core.container(path);
		return [...entries.keys()].map((key) => ({ container, key }));
	});
}

function tellOfEntries(core: DocumentCore, changed: readonly Changed[]): void {
	const told = new Map<Container, Set<string>>();
	for (const { container, key } of changed) {
		const keys = told.get(container) ?? new Set();
		if (keys.has(key)) continue;
		told.set(container, keys.add(key));
		core.observer?.({ type: "updated", path: container.path, source: "remote", key });
	}
}
