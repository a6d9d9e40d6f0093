/** A replicated list of values. */
import type { Container } from "../document/container.ts";
import type { DocumentCore } from "../document/core.ts";
import type { Value } from "../encoding/value.ts";
import { DELETED, NONE } from "../sequence/run-arena.ts";
import { requireValue } from "./element.ts";
import { Part } from "./part.ts";
import { requireRange } from "./text.ts";

export class CrdtList extends Part {
	get length(): number {
		return this.container.sequence!.length;
	}

	/**
	 * Inserts values before `position`.
	 * @throws QuorateError `crdt-position-out-of-range`, `crdt-value-unencodable`
	 */
	insert(position: number, ...values: readonly Value[]): void {
		requireRange(position, 0, this.length);
		if (values.length === 0) return;
		const core = this.core;
		const kept = values.map(requireValue);
		core.own.insert(this.container, position, kept);
		core.observer?.({ type: "inserted", path: this.container.path, source: "own", position, content: kept });
	}

	/**
	 * Deletes `count` values from `position` on.
	 * @throws QuorateError `crdt-position-out-of-range`
	 */
	delete(position: number, count: number): void {
		requireRange(position, count, this.length);
		if (count === 0) return;
		this.core.own.delete(this.container, position, count);
		this.core.observer?.({ type: "deleted", path: this.container.path, source: "own", position, count });
	}

	get values(): readonly Value[] {
		return listOf(this.core, this.container);
	}
}

export function listOf(core: DocumentCore, container: Container): readonly Value[] {
	const { runs } = core.space;
	const values: Value[] = [];
	for (let slot = container.sequence!.first; slot !== NONE; slot = runs.next[slot]!) {
		if ((runs.flags[slot]! & DELETED) !== 0) continue;
		const end = runs.sequence[slot]! + runs.length[slot]!;
		for (let at = runs.sequence[slot]!; at < end; at++) values.push(core.list.value(runs.replica[slot]!, at));
	}
	return values;
}
