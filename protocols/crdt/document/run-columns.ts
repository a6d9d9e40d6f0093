/**
 * The runs of one sequence in an encoded state, column by column, so that each is read in one loop. Runs are given twice: by id, where
 * consecutive ones need no number, and by place, as each run's rank among the ids. Origins that follow from place and
 * ids, which are all those of one writer, cost nothing: see {@link predictOrigins}. `run-loader.ts` reads what is written here.
 *
 * ```
 * runs    = count [(replica count)* head^count gap* rank^count origins content]     replicas ascending
 * head    = length * 4 + deleted * 2 + (a gap of ids is before it), by id
 * rank    = by place, signed: how far from behind the run before
 * origins = (runs * 4 + form, if given: both)*
 * ```
 */
import { ByteWriter } from "../encoding/byte-writer.ts";
import { compress } from "../encoding/compression.ts";
import { writeValue } from "../encoding/value.ts";
import { DELETED, NONE, NOTHING, SETTLED } from "../sequence/run-arena.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import type { ReplicaOrder } from "./state-columns.ts";

/** The ids of runs. */
interface IdColumns {
	readonly replica: ArrayLike<number>;
	readonly sequence: ArrayLike<number>;
	readonly length: ArrayLike<number>;
}

/** The origins of runs, to be filled. */
interface OriginColumns {
	readonly leftReplica: Int32Array;
	readonly leftSequence: Int32Array;
	readonly rightReplica: Int32Array;
	readonly rightSequence: Int32Array;
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
		const from = at;
		const replica = list.replica[byId[at]!]!;
		while (at < byId.length && list.replica[byId[at]!] === replica) at++;
		writer.varint(replica);
		writer.varint(at - from);
	}
	const gaps: number[] = [];
	for (let at = 0, next = 1; at < byId.length; at++) {
		const run = byId[at]!;
		if (at > 0 && list.replica[run] !== list.replica[byId[at - 1]!]) next = 1;
		const gap = list.sequence[run]! - next;
		writer.varint(list.length[run]! * 4 + list.flags[run]! * 2 + (gap > 0 ? 1 : 0));
		if (gap > 0) gaps.push(gap);
		next = list.sequence[run]! + list.length[run]!;
	}
	for (const gap of gaps) writer.varint(gap);
}

/** Forms of origins: those that {@link predictOrigins} tells, none that are kept, given ones. */
export const PREDICTED = 0;
export const WITHOUT = 1;
export const GIVEN = 2;

/** Per run one of three forms, as stretches of equal ones; given origins follow as dots. */
function writeOrigins(writer: ByteWriter, list: RunList): void {
	const count = list.length.length;
	const predicted = {
		leftReplica: new Int32Array(count),
		leftSequence: new Int32Array(count),
		rightReplica: new Int32Array(count),
		rightSequence: new Int32Array(count),
	};
	predictOrigins(list, 0, count, predicted);
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
 * right among the elements with lower numbers, or nothing. All columns begin at `from`.
 */
export function predictOrigins(ids: IdColumns, from: number, count: number, origins: OriginColumns): void {
	const { replica, sequence, length } = ids;
	const { leftReplica, leftSequence, rightReplica, rightSequence } = origins;
	/** Runs to the left with ascending numbers. */
	const open = new Int32Array(count);
	let depth = 0;
	for (let run = from; run < from + count; run++) {
		const own = sequence[run]!;
		while (depth > 0 && sequence[open[depth - 1]!]! > own) {
			const closed = open[--depth]!;
			rightReplica[closed] = replica[run]!;
			rightSequence[closed] = own;
		}
		rightReplica[run] = NOTHING;
		rightSequence[run] = 0;
		if (depth === 0) {
			leftReplica[run] = NOTHING;
			leftSequence[run] = 0;
		} else {
			const left = open[depth - 1]!;
			leftReplica[run] = replica[left]!;
			leftSequence[run] = sequence[left]! + length[left]! - 1;
		}
		open[depth++] = run;
	}
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
