/** Who, among the actors of one kernel, watches whom. */
import { type Address, addressText, type ThreadSlot } from "./address.ts";
import type { Cell } from "./cell.ts";
import type { Watch } from "./entry.ts";
import { watchesExhausted } from "./errors.ts";

/**
 * Watches (links included) that the actors of one kernel may hold together. Some 200 bytes each, so 32 MB at most; an actor that
 * watches each of its clients and forgets to unwatch is found out before the heap is full.
 */
export const WATCHES_MAX = 131_072;

interface Target {
	readonly address: Address;
	readonly name: string;
	readonly watchers: Map<Cell, Watch>;
}

/**
 * The watcher's side of watching. The target's kernel knows only that somebody in this slot watches; here stands who.
 * Because it is kept with the watcher it outlives the target's thread. An entry goes with its one notice, so a second
 * notice finds nobody: exactly once.
 */
export class WatchTable {
	readonly #targets = new Map<string, Target>();
	readonly #byWatcher = new Map<Cell, Set<string>>();
	readonly #watchesMax: number;
	/** Of all watchers together. */
	#size = 0;

	constructor(watchesMax: number = WATCHES_MAX) {
		this.#watchesMax = watchesMax;
	}

	/**
	 * Adds a watch; true when it is this kernel's first on that target. A second watch by the same actor replaces the first.
	 * @throws QuorateError `watches-exhausted`
	 */
	add(watcher: Cell, address: Address, name: string, link: boolean): boolean {
		const key = addressText(address);
		let target = this.#targets.get(key);
		const isFirst = target === undefined;
		const previous = target?.watchers.get(watcher);
		if (previous === undefined) {
			if (this.#size >= this.#watchesMax) throw watchesExhausted({ actor: name, watchesMax: this.#watchesMax });
			this.#size += 1;
		}
		if (target === undefined) {
			target = { address, name, watchers: new Map() };
			this.#targets.set(key, target);
		}
		if (previous !== undefined) previous.active = false;
		target.watchers.set(watcher, { active: true, link });
		let keys = this.#byWatcher.get(watcher);
		if (keys === undefined) {
			keys = new Set();
			this.#byWatcher.set(watcher, keys);
		}
		keys.add(key);
		return isFirst;
	}

	/** Gives a watch up; true when it was this kernel's last on that target. */
	remove(watcher: Cell, address: Address): boolean {
		const key = addressText(address);
		this.#byWatcher.get(watcher)?.delete(key);
		return this.#removeFrom(key, watcher);
	}

	/** Gives all watches of an actor up; returns the targets that nobody here watches any more. */
	removeAll(watcher: Cell): readonly Address[] {
		const keys = this.#byWatcher.get(watcher);
		if (keys === undefined) return [];
		this.#byWatcher.delete(watcher);
		const abandoned: Address[] = [];
		for (const key of keys) {
			const target = this.#targets.get(key);
			if (this.#removeFrom(key, watcher) && target !== undefined) abandoned.push(target.address);
		}
		return abandoned;
	}

	/** The target has ended: takes everybody who watches it. */
	take(address: Address): readonly (readonly [Cell, Watch])[] {
		const key = addressText(address);
		const target = this.#targets.get(key);
		if (target === undefined) return [];
		this.#targets.delete(key);
		this.#size -= target.watchers.size;
		for (const watcher of target.watchers.keys()) this.#byWatcher.get(watcher)?.delete(key);
		return [...target.watchers];
	}

	/** The watched actors of one slot. */
	targetsIn(slot: ThreadSlot): readonly { readonly address: Address; readonly name: string }[] {
		return [...this.#targets.values()].filter(({ address }) => address.slot === slot);
	}

	#removeFrom(key: string, watcher: Cell): boolean {
		const target = this.#targets.get(key);
		const watch = target?.watchers.get(watcher);
		if (target === undefined || watch === undefined) return false;
		watch.active = false;
		target.watchers.delete(watcher);
		this.#size -= 1;
		if (target.watchers.size > 0) return false;
		this.#targets.delete(key);
		return true;
	}
}
