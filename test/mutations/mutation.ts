/** A planted bug: a text edit of one source file, made in a copy of the tree, never a switch in the product. */
export interface Mutation {
	readonly name: string;
	/** What the mutant does wrong. */
	readonly bug: string;
	/** From the repository's root. */
	readonly file: string;
	/** Occurs exactly once in the file. */
	readonly old: string;
	readonly new: string;
}

/**
 * The source with the bug in it.
 * @throws Error if the edit does not match exactly once: the source has moved on, and the mutation must follow
 */
export function mutate(source: string, mutation: Mutation): string {
	const parts = source.split(mutation.old);
	if (parts.length !== 2) {
		throw new Error(`mutation ${mutation.name}: its old text occurs ${parts.length - 1} times in ${mutation.file}`);
	}
	return parts.join(mutation.new);
}
