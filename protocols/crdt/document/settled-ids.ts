/**
 * What is left at a collection is named anew. Every replica passes that point with the same operations applied, so what stands there
 * can be counted off in the same order everywhere: the elements of all sequences, then those of sets, are numbered from 1 on as if one
 * replica had written them at once. Who wrote what, and when, is nobody's concern any more, and a text that five have typed takes
 * the room of one that was typed by one. Ids of before are never seen again: an operation that names one was applied before the
 * point at all replicas, and an update of a later epoch waits until its reader has passed the point too.
 *
 * The numbers are of {@link SETTLED_REPLICA}. It has no operations of its own, so no context tells of it.
 */

import { assert } from "../../core/index.ts";
import { SEQUENCE_MAX } from "../causality/causal-context.ts";
import { SETTLED_REPLICA } from "../causality/replica.ts";
import type { Value } from "../encoding/value.ts";
import { NONE, SETTLED } from "../sequence/run-arena.ts";
import type { Container } from "./container.ts";
import type { DocumentCore } from "./core.ts";
import { sortedContainers } from "./difference.ts";

/** Names all visible elements of sequences and sets anew; there are no tombstones and no log. */
export function settleIds(core: DocumentCore): void {
	const settled = core.intern(SETTLED_REPLICA);
	let last = 0;
	const { ids, runs } = core.space;
	/** Read before any of it is overwritten. */
	const contents = core.sequences.map((container) => contentOf(core, container));
	ids.clear();
	core.text.clear();
	core.list.clear();
	const containers = sortedContainers(core);
	for (const container of containers) {
		if (container.sequence === null) continue;
		const { first, length } = container.sequence;
		const content = contents[container.sequence.number]!;
		if (first !== NONE) {
			for (let slot = runs.next[first]!; slot !== NONE; ) {
				const next = runs.next[slot]!;
				runs.release(slot);
				slot = next;
			}
			assert(last + length <= SEQUENCE_MAX, "elements that are visible have ids of 31 bits");
			settleRun(core, first, settled, last + 1, length);
			core.writeContent(settled, last + 1, content);
			ids.append(first);
		}
		container.sequence.adopt(first);
		last += length;
	}
	for (const container of containers) if (isSet(container)) last = settleElements(container, settled, last);
	core.heads[settled] = last;
	core.floors[settled] = last;
}

function settleRun(
	{ space: { runs } }: DocumentCore,
	slot: number,
	settled: number,
	sequence: number,
	length: number,
): void {
	runs.replica[slot] = settled;
	runs.sequence[slot] = sequence;
	runs.length[slot] = length;
	runs.leftReplica[slot] = SETTLED;
	runs.leftSequence[slot] = 0;
	runs.rightReplica[slot] = SETTLED;
	runs.rightSequence[slot] = 0;
	runs.previous[slot] = NONE;
	runs.next[slot] = NONE;
}

function contentOf(core: DocumentCore, container: Container): string | readonly Value[] {
	const { runs } = core.space;
	const texts: string[] = [];
	const values: Value[] = [];
	for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
		const [replica, sequence, length] = [runs.replica[slot]!, runs.sequence[slot]!, runs.length[slot]!];
		if (container.type === "text") texts.push(core.text.read(replica, sequence, length));
		else for (let at = sequence; at < sequence + length; at++) values.push(core.list.value(replica, at));
	}
	return container.type === "text" ? texts.join("") : values;
}

function isSet({ type }: Container): boolean {
	return type === "add-wins-set" || type === "remove-wins-set";
}

/** Several additions of one element become one. Returns the last number that is given. */
function settleElements(container: Container, settled: number, from: number): number {
	let sequence = from;
	for (const key of [...container.entries.keys()].sort()) {
		const value = container.entries.get(key)?.value;
		container.drop(key, () => true);
		sequence += 1;
		container.add({ replica: settled, sequence, container, key, value, supersedes: null, live: true, next: null });
	}
	return sequence;
}
