/** Sets of values. What is concurrent to an addition or removal of the same element decides by the type's name. */
import type { Container } from "../document/container.ts";
import { type Entry, supersededBy } from "../document/entry.ts";
import type { Value } from "../encoding/value.ts";
import { elementKey, elementOf } from "./element.ts";
import { Part } from "./part.ts";

/** An `add-wins-set` (observed-remove set) or `remove-wins-set`. */
export class CrdtSet extends Part {
	/** Elements. */
	get size(): number {
		if (this.container.type === "add-wins-set") return this.container.entries.size;
		return setValues(this.container).length;
	}

	has(value: Value): boolean {
		return isElement(this.container, this.container.entries.get(elementKey(value)));
	}

	/** In order of their keys: texts first by code unit, then what is no text by its encoding. */
	get values(): readonly Value[] {
		return setValues(this.container);
	}

	/** Adds an element, again if it is there: the new addition outlives removals that did not see it. */
	add(value: Value): void {
		const key = elementKey(value);
		this.core.own.entry(this.container, key, true, supersededBy(this.container.entries.get(key)));
	}

	/** Removes an element. Returns whether it was there; if not, nothing is done. */
	delete(value: Value): boolean {
		const key = elementKey(value);
		const first = this.container.entries.get(key);
		if (!isElement(this.container, first)) return false;
		const removal = this.container.type === "remove-wins-set" ? false : undefined;
		this.core.own.entry(this.container, key, removal, supersededBy(first));
		return true;
	}

	/** Removes all elements that are there. */
	clear(): void {
		for (const value of this.values) this.delete(value);
	}
}

export function setValues(container: Container): readonly Value[] {
	const keys = [...container.entries].filter(([, first]) => isElement(container, first)).map(([key]) => key);
	const isOther = (key: string): number => (key.startsWith("\u0000") ? 1 : 0);
	return keys.sort((a, b) => isOther(a) - isOther(b) || (a < b ? -1 : 1)).map(elementOf);
}

function isElement(container: Container, first: Entry | undefined): boolean {
	if (first === undefined) return false;
	if (container.type === "add-wins-set") return true;
	for (let entry: Entry | null = first; entry !== null; entry = entry.next) if (entry.value === false) return false;
	return true;
}
