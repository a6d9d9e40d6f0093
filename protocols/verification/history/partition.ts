/** Parts of a history that can be judged alone (Herlihy and Wing 1990, §3.3: linearizability is local). */
import type { History } from "./history-recorder.ts";
import { keysOf, type Operation } from "./operation.ts";

/** Operations on some keys, and all operations on them. */
export interface Partition {
	readonly keys: readonly string[];
	/** In the order of their invocation; failed ones are left out. */
	readonly operations: readonly Operation[];
}

/**
 * One partition for each key; keys that one operation touches together stand in one, with all that are joined to them in
 * turn. In the order of their first use.
 */
export function partitionByKey({ operations }: History): Partition[] {
	const groups = new KeyGroups();
	const judged = operations.filter(({ outcome }) => outcome !== "fail");
	for (const operation of judged) groups.join(keysOf(operation));
	const partitions = new Map<string, { keys: Set<string>; operations: Operation[] }>();
	for (const operation of judged) {
		const keys = keysOf(operation);
		// A transaction without steps touches nothing and is right wherever it stands.
		if (keys.length === 0) continue;
		const root = groups.rootOf(keys[0] as string);
		let partition = partitions.get(root);
		if (partition === undefined) {
			partition = { keys: new Set(), operations: [] };
			partitions.set(root, partition);
		}
		partition.operations.push(operation);
		for (const key of keys) partition.keys.add(key);
	}
	return [...partitions.values()].map(({ keys, operations: own }) => ({ keys: [...keys], operations: own }));
}

/** Disjoint sets of keys, each named by one of them. */
class KeyGroups {
	readonly #parents = new Map<string, string>();

	join(keys: readonly string[]): void {
		const [first] = keys;
		for (const key of keys) this.#parents.set(this.rootOf(key), this.rootOf(first as string));
	}

	rootOf(key: string): string {
		let root = key;
		for (
			let parent = this.#parents.get(root);
			parent !== undefined && parent !== root;
			parent = this.#parents.get(root)
		) {
			root = parent;
		}
		this.#parents.set(key, root);
		return root;
	}
}
