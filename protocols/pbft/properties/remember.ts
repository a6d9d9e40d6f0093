/** Bounded memory of watchers that run for long. */

/** Entries of one watcher; what was set first is forgotten first, and nobody speaks of it any more by then. */
export const REMEMBERED_MAX = 65_536;

export function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
	map.set(key, value);
	if (map.size <= REMEMBERED_MAX) return;
	const [oldest] = map.keys();
	if (oldest !== undefined) map.delete(oldest);
}
