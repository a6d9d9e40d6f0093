/** Configurations as a watcher shows them in its state. */
import type { Configuration } from "../entry.ts";

/** Configurations are immutable, and a group has few: each is turned into sets once. */
const known = new WeakMap<Configuration, unknown>();

/** The members as sets, frozen: the order of names must not tell states apart that are equal but for the names. */
export function unordered(configuration: Configuration): unknown {
	let found = known.get(configuration);
	if (found === undefined) {
		const { voters, outgoing, learners, witnesses, autoLeave } = configuration;
		const sets = { voters: new Set(voters), outgoing: new Set(outgoing), learners: new Set(learners) };
		found = Object.freeze({ ...sets, witnesses: new Set(witnesses), autoLeave });
		known.set(configuration, found);
	}
	return found;
}
