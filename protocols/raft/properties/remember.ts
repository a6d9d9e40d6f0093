/** The bound of what a watcher remembers by index or by command. */

/**
 * How many things a watcher remembers in one map. Beyond it what was remembered first is forgotten: an observer of a
 * long run judges its last part, and never cries wolf over what it has forgotten.
 */
export const REMEMBERED_MAX = 65_536;
/** So many at a time: a map is searched for its oldest key through the places of all that were deleted before. */
const FORGOTTEN_AT_ONCE: number = REMEMBERED_MAX / 16;

/** Remembers `value` for `key`, and forgets the oldest keys if they are too many. */
export function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
	map.set(key, value);
	if (map.size <= REMEMBERED_MAX) return;
	let forgotten = 0;
	for (const oldest of map.keys()) {
		map.delete(oldest);
		forgotten += 1;
		if (forgotten === FORGOTTEN_AT_ONCE) return;
	}
}
