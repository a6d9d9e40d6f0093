/** A planted bug: a text edit of one source file, made in a copy of the tree, never a switch in the product. */
export interface Mutation {
	/** Kebab-case, unique in its list. */
	readonly name: string;
	/** What the mutant does wrong. */
	readonly bug: string;
	/** From the repository's root. */
	readonly file: string;
	/** Occurs exactly once in the file. */
	readonly old: string;
	readonly new: string;
	/** A test file that must notice it, from the repository's root: a search looks there before anywhere else. */
	readonly test?: string;
}

/**
 * The source with the bug in it.
 * @throws Error if the edit does not match exactly once (the source has moved on, and the mutation must follow) or changes
 * nothing
 */
export function mutate(source: string, mutation: Mutation): string {
	const parts = source.split(mutation.old);
	if (parts.length !== 2) {
		throw new Error(`mutation ${mutation.name}: its old text occurs ${parts.length - 1} times in ${mutation.file}`);
	}
	const mutant = parts.join(mutation.new);
	if (mutant === source) throw new Error(`mutation ${mutation.name}: it changes nothing in ${mutation.file}`);
	return mutant;
}

/**
 * What is wrong with a list before anything is run, one sentence each: edits that do not match, names that occur twice.
 * @param read gives the present text of a file, from the repository's root
 */
export function faultsOf(mutations: readonly Mutation[], read: (file: string) => string): readonly string[] {
	const names = new Set<string>();
	return mutations.flatMap((mutation) => {
		const faults: string[] = [];
		if (names.has(mutation.name)) faults.push(`mutation ${mutation.name}: there are two of that name`);
		names.add(mutation.name);
		try {
			mutate(read(mutation.file), mutation);
		} catch (error) {
			faults.push((error as Error).message);
		}
		return faults;
	});
}
