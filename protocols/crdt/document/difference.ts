/**
 * What a document has and a context has not: the join of exactly the irreducible parts that are missing (Enes et al., "Efficient
 * synchronization of state-based CRDTs", ICDE 2019). Of an operation that others have superseded since, only what it superseded
 * itself is left; deleted elements go without their content.
 */
import { assert } from "../../core/index.ts";
import type { CausalContext } from "../causality/causal-context.ts";
import { DELETED, NONE, SETTLED } from "../sequence/run-arena.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { deletionAbove, firstAbove, isDeletion, type LogRecord } from "./entry.ts";
import { UpdateBuilder } from "./update-builder.ts";

/**
 * `update`: the bytes that bring whoever has the context to this state. `nothing` is missing. `behind`: some of it has left the
 * log; only the whole state helps.
 */
export type Difference =
	| { readonly type: "update"; readonly bytes: Uint8Array }
	| { readonly type: "nothing" }
	| { readonly type: "behind" };

export function differenceTo(core: DocumentCore, context: CausalContext): Difference {
	const { heads, floors, replicas, settled } = core;
	const known = heads.map((head, replica) => (replica === settled ? head : context.sequenceOf(replicas.at(replica))));
	if (known.every((sequence, replica) => sequence >= heads[replica]!)) return { type: "nothing" };
	if (known.some((sequence, replica) => sequence < floors[replica]!)) return { type: "behind" };
	const builder = new UpdateBuilder(core);
	const requires: number[] = [];
	for (const replica of replicas.sorted()) {
		const from = known[replica]!;
		if (from >= heads[replica]!) {
			if (heads[replica]! > 0 && replica !== settled) requires.push(replica, heads[replica]!);
			continue;
		}
		builder.begin(replica, from + 1);
		writeSection(core, builder, replica, from);
		builder.end(heads[replica]!);
	}
	return { type: "update", bytes: builder.finish(requires) };
}

/** The records of a replica's dots above `from`: insertions from the runs, the rest from the log, merged by dot. */
function writeSection(core: DocumentCore, builder: UpdateBuilder, replica: number, from: number): void {
	const log = core.log[replica]!;
	let at = firstAbove(log, from);
	const writeLogUntil = (end: number): void => {
		for (; at < log.length && log[at]!.sequence < end; at++) writeLogRecord(builder, log[at]!, from);
	};
	const { runs, ids } = core.space;
	let slot = ids.atOrBefore(replica, from + 1);
	if (slot === NONE) slot = ids.first(replica);
	while (slot !== NONE) {
		const start = Math.max(runs.sequence[slot]!, from + 1);
		const first = slot;
		let end = runs.sequence[slot]! + runs.length[slot]!;
		slot = runs.later[slot]!;
		if (end <= start) continue;
		// What later insertions have cut apart was typed in one go, and is told so.
		for (; slot !== NONE && runs.sequence[slot] === end && isContinued(core, first, slot); slot = runs.later[slot]!) {
			end += runs.length[slot]!;
		}
		writeLogUntil(start);
		writeRun(core, builder, first, start, end);
	}
	writeLogUntil(Number.POSITIVE_INFINITY);
}

function writeRun(core: DocumentCore, builder: UpdateBuilder, slot: number, start: number, end: number): void {
	const { runs } = core.space;
	assert(runs.leftReplica[slot] !== SETTLED, "what is settled is below the floor");
	const isStart = runs.sequence[slot] === start;
	const origins = {
		leftReplica: isStart ? runs.leftReplica[slot]! : runs.replica[slot]!,
		leftSequence: isStart ? runs.leftSequence[slot]! : start - 1,
		rightReplica: runs.rightReplica[slot]!,
		rightSequence: runs.rightSequence[slot]!,
	};
	const container = core.sequences[runs.sequenceNumber[slot]!]!;
	builder.insertion(container, start, end - start, origins, (runs.flags[slot]! & DELETED) !== 0);
}

function writeLogRecord(builder: UpdateBuilder, record: LogRecord, from: number): void {
	if (!isDeletion(record)) {
		if (record.live || record.supersedes !== null) builder.entry(record);
		return;
	}
	builder.deletion(deletionAbove(record, from));
}

/** Whether two runs with consecutive ids were inserted as one, and are alike in what is told of them. */
function isContinued(core: DocumentCore, first: number, second: number): boolean {
	const { runs } = core.space;
	return (
		runs.leftReplica[second] === runs.replica[first] &&
		runs.leftSequence[second] === runs.sequence[second]! - 1 &&
		runs.rightReplica[first] === runs.rightReplica[second] &&
		runs.rightSequence[first] === runs.rightSequence[second] &&
		runs.sequenceNumber[first] === runs.sequenceNumber[second] &&
		(runs.flags[first]! & DELETED) === (runs.flags[second]! & DELETED)
	);
}

/** Containers in the one order that does not depend on which was touched first. */
export function sortedContainers(core: DocumentCore): Container[] {
	return core.containers.sort((a, b) => compareBytes(a.pathBytes, b.pathBytes));
}

/** The order of byte strings: by the first byte that differs, a prefix first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
	const length = Math.min(a.length, b.length);
	for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
	return a.length - b.length;
}
