/** One member's keys as Scuttlebutt holds them: each change has the next version, and deletions are changes too. */
import { compareIds } from "../../core/index.ts";

/** What one key holds. A deleted one keeps its version, so that its deletion spreads. */
export interface VersionedKey {
	readonly value: Uint8Array;
	readonly version: number;
	readonly isDeleted: boolean;
}

/** One change on its way. */
export interface KeyChange extends VersionedKey {
	readonly key: string;
}

export class NodeState {
	/** Counts the lives of the member; a later one replaces everything of the former. */
	readonly generation: number;
	readonly keys: Map<string, VersionedKey> = new Map();
	/** All changes up to it are here, save deletions up to `collectedVersion`. */
	version = 0;
	/** Deletions up to it may have been dropped for good. */
	collectedVersion = 0;
	/** Deletions that the next collection drops. */
	#due = new Set<string>();

	constructor(generation: number) {
		this.generation = generation;
	}

	change(key: string, value: Uint8Array, isDeleted: boolean): void {
		this.version++;
		this.keys.set(key, { value, version: this.version, isDeleted });
	}

	/** Changes after a version, in order: a prefix of them is always a state that was once there. */
	changesAfter(version: number): KeyChange[] {
		const changes: KeyChange[] = [];
		for (const [key, held] of this.keys) if (held.version > version) changes.push({ key, ...held });
		return changes.sort((a, b) => a.version - b.version || compareIds(a.key, b.key));
	}

	/** Drops deletions that were there at the last call: two calls are the time that they have to spread. */
	collect(): void {
		for (const key of this.#due) {
			const held = this.keys.get(key);
			if (held === undefined || !held.isDeleted) continue;
			this.keys.delete(key);
			this.collectedVersion = Math.max(this.collectedVersion, held.version);
		}
		this.#due = new Set([...this.keys].filter(([, { isDeleted }]) => isDeleted).map(([key]) => key));
	}

	copy(): NodeState {
		const copy = new NodeState(this.generation);
		for (const [key, held] of this.keys) copy.keys.set(key, held);
		copy.version = this.version;
		copy.collectedVersion = this.collectedVersion;
		copy.#due = new Set(this.#due);
		return copy;
	}
}
