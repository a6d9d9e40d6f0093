/** A replicated text. Positions count UTF-16 units, as strings do. */
import { invalidArgument } from "../../core/index.ts";
import type { Container } from "../document/container.ts";
import type { DocumentCore } from "../document/core.ts";
import { positionOutOfRange } from "../errors.ts";
import { decodeUnits } from "../sequence/content.ts";
import { DELETED, NONE } from "../sequence/run-arena.ts";
import { Part } from "./part.ts";

export class CrdtText extends Part {
	get length(): number {
		return this.container.sequence!.length;
	}

	/**
	 * Inserts a text before `position`.
	 * @throws QuorateError `crdt-position-out-of-range`, `invalid-argument` unless it is a text
	 */
	insert(position: number, text: string): void {
		if (typeof text !== "string") throw invalidArgument({ argument: "text", expected: "a text", actual: typeof text });
		requireRange(position, 0, this.length);
		if (text.length === 0) return;
		const core = this.core;
		core.own.insert(this.container, position, text);
		core.observer?.({ type: "inserted", path: this.container.path, source: "own", position, content: text });
	}

	/**
	 * Deletes `count` units from `position` on.
	 * @throws QuorateError `crdt-position-out-of-range`
	 */
	delete(position: number, count: number): void {
		requireRange(position, count, this.length);
		if (count === 0) return;
		this.core.own.delete(this.container, position, count);
		this.core.observer?.({ type: "deleted", path: this.container.path, source: "own", position, count });
	}

	override toString(): string {
		return textOf(this.core, this.container);
	}
}

export function textOf(core: DocumentCore, container: Container): string {
	const { runs } = core.space;
	const sequence = container.sequence!;
	const loaded = sequence.isAsAdopted ? core.text.loadedUnits(sequence.number) : null;
	if (loaded !== null) return decodeUnits(loaded, 0, loaded.length);
	const units = new Uint16Array(sequence.length);
	let at = 0;
	for (let slot = sequence.first; slot !== NONE; slot = runs.next[slot]!) {
		if ((runs.flags[slot]! & DELETED) !== 0) continue;
		const length = runs.length[slot]!;
		core.text.copyTo(units, at, runs.replica[slot]!, runs.sequence[slot]!, length);
		at += length;
	}
	return decodeUnits(units, 0, units.length);
}

/** @throws QuorateError `crdt-position-out-of-range` unless both are integers and the range lies within the length */
export function requireRange(position: number, count: number, length: number): void {
	if (
		Number.isInteger(position) &&
		Number.isInteger(count) &&
		position >= 0 &&
		count >= 0 &&
		position + count <= length
	)
		return;
	throw positionOutOfRange({ position, count, length });
}
