/**
 * Maps from keys to parts of one type. A key is there while its part differs from one that was never touched; to update the part is
 * to create it. Removing a key removes what its replica has seen below it (reset-remove): what others do concurrently
 * stays, and stays alone, since the parts of a document share one causal context.
 */
import type { Path } from "../document/container.ts";
import { supersededBy } from "../document/entry.ts";
import { DELETED, NONE } from "../sequence/run-arena.ts";
import type { CoreHolder } from "./part.ts";
import { hasValue } from "./part-value.ts";

export class CrdtMap {
	readonly #holder: CoreHolder;
	readonly #path: Path;

	constructor(holder: CoreHolder, path: Path) {
		this.#holder = holder;
		this.#path = path;
	}

	/** In code-unit order. */
	get keys(): readonly string[] {
		const depth = this.#path.length;
		const keys = this.#holder.core.containers
			.filter((container) => isBelow(container.path, this.#path) && hasValue(container))
			.map(({ path }) => path[depth]!);
		return [...new Set(keys)].sort();
	}

	has(key: string): boolean {
		const path = [...this.#path, key];
		return this.#holder.core.containers.some((container) => isAtOrBelow(container.path, path) && hasValue(container));
	}

	/** Removes what is known of a key. Returns whether it was there. */
	delete(key: string): boolean {
		const path = [...this.#path, key];
		const wasThere = this.has(key);
		for (const container of this.#holder.core.containers) {
			if (!isAtOrBelow(container.path, path)) continue;
			if (container.sequence === null) {
				for (const [entryKey, first] of [...container.entries]) {
					this.#holder.core.own.entry(container, entryKey, undefined, supersededBy(first));
				}
				continue;
			}
			const { runs } = this.#holder.core.space;
			const visible: [number, number, number][] = [];
			for (let slot = container.sequence.first; slot !== NONE; slot = runs.next[slot]!) {
				if ((runs.flags[slot]! & DELETED) !== 0) continue;
				visible.push([runs.replica[slot]!, runs.sequence[slot]!, runs.length[slot]!]);
			}
			for (const [replica, sequence, length] of visible) {
				this.#holder.core.own.deleteIds(container, replica, sequence, length);
			}
		}
		return wasThere;
	}
}

function isBelow(path: Path, above: Path): boolean {
	return path.length > above.length && above.every((segment, i) => path[i] === segment);
}

function isAtOrBelow(path: Path, above: Path): boolean {
	return path.length >= above.length && above.every((segment, i) => path[i] === segment);
}
