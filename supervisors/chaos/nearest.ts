/** The name that a misspelt one was meant to be. */

/** A name as far from a word as this is no longer a typing error. */
const EDITS_MAX = 3;

/** The name with the fewest edits from `word`, if they are few; the first of equals. */
export function nearestName(word: string, names: readonly string[]): string | null {
	let best: { readonly name: string; readonly edits: number } | null = null;
	for (const name of names) {
		const edits = name.startsWith(word) && word.length > 1 ? 1 : editDistance(word, name);
		const few = edits <= Math.min(EDITS_MAX, Math.floor(name.length / 2));
		if (few && edits < (best?.edits ?? Number.POSITIVE_INFINITY)) best = { name, edits };
	}
	return best?.name ?? null;
}

/** Levenshtein's distance; more than {@link EDITS_MAX} once the lengths differ by more. */
function editDistance(a: string, b: string): number {
	if (Math.abs(a.length - b.length) > EDITS_MAX) return EDITS_MAX + 1;
	let row = Array.from({ length: b.length + 1 }, (_, column) => column);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1));
		}
		row = next;
	}
	return row[b.length] as number;
}
