/** Configurations as a watcher shows them in its state. */
import type { Configuration } from "../entry.ts";

/** The members as sets: the order of names must not tell states apart that are equal but for the names. */
export function unordered({ voters, outgoing, learners, witnesses, autoLeave }: Configuration): unknown {
	const sets = { voters: new Set(voters), outgoing: new Set(outgoing), learners: new Set(learners) };
	return { ...sets, witnesses: new Set(witnesses), autoLeave };
}
