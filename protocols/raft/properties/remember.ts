/** The bound of what a watcher remembers by index or by command. */

/**
 * How many things a watcher remembers in one map. Beyond it what was remembered first is forgotten: an observer of a
 * long run judges its last part, and never cries wolf over what it has forgotten.
 */
export const REMEMBERED_MAX = 65_536;

/** Remembers `value` for `key`, and forgets the oldest key if they are too many. */
export function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
	map.set(key, value);
	if (map.size <= REMEMBERED_MAX) return;
	for (const oldest of map.keys()) {
		map.delete(oldest);
		return;
	}
}
