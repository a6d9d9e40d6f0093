/**
 * Registers. A write takes the place of all writes that its replica has seen. Concurrent ones are all kept; a multi-value
 * register shows them, a last-writer-wins register shows the one with the latest stamp. (To throw the others away when states
 * are joined would not be associative: a removal of the winner would bring back the loser at some replicas only.)
 */
import { compareStamps } from "../causality/hybrid-clock.ts";
import type { Container } from "../document/container.ts";
import type { DocumentCore } from "../document/core.ts";
import { type Entry, supersededBy } from "../document/entry.ts";
import type { Value } from "../encoding/value.ts";
import { requireValue } from "./element.ts";
import { type StampedValue, stampOf } from "./entry-values.ts";
import { Part } from "./part.ts";

/** Shows the value with the latest stamp of the hybrid clock; of equal stamps that of the greater replica. */
export class LwwRegister extends Part {
	/** `undefined` if nothing was ever written. */
	get value(): Value | undefined {
		return lwwValue(this.core, this.container);
	}

	/** @throws QuorateError `crdt-value-unencodable` */
	set(value: Value): void {
		const known = requireValue(value);
		const { ms, counter } = this.core.clock.next();
		const stamped: StampedValue = [ms, counter, known];
		this.core.own.entry(this.container, "", stamped, supersededBy(this.container.entries.get("")));
	}
}

/** Shows every value that was written without knowing of the others. */
export class MvRegister extends Part {
	/** In order of the replicas that wrote them; empty if nothing was ever written. */
	get values(): readonly Value[] {
		return mvValues(this.core, this.container);
	}

	/** @throws QuorateError `crdt-value-unencodable` */
	set(value: Value): void {
		const known = requireValue(value);
		this.core.own.entry(this.container, "", known, supersededBy(this.container.entries.get("")));
	}
}

export function lwwValue(core: DocumentCore, container: Container): Value | undefined {
	const winner = entriesOf(core, container).reduce<Entry | null>((best, entry) => {
		return best === null || compareStamps(stampOf(entry.value)!, stampOf(best.value)!) >= 0 ? entry : best;
	}, null);
	return winner === null ? undefined : (winner.value as StampedValue)[2];
}

export function mvValues(core: DocumentCore, container: Container): readonly Value[] {
	return entriesOf(core, container).map(({ value }) => value!);
}

/** What is in force, in order of replicas, then of dots. */
function entriesOf(core: DocumentCore, container: Container): Entry[] {
	const entries: Entry[] = [];
	for (let entry = container.entries.get("") ?? null; entry !== null; entry = entry.next) entries.push(entry);
	return entries.sort((a, b) => core.replicas.compare(a.replica, b.replica) || a.sequence - b.sequence);
}
