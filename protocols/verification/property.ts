/**
 * Properties as data: what must be true of a group, written once and watched by the model checker, the simulator and
 * monitors in production. A property says nothing about who watches it; an observer says how deep it sees.
 */

/**
 * - `always`: holds at every observation. It counts only if it was evaluated at least once.
 * - `sometimes`: holds at one observation at least, over a whole run or search; else what was seen proves nothing.
 * - `eventually`: holds in the end, when faults have stopped and the group may work undisturbed.
 */
export type PropertyKind = "always" | "sometimes" | "eventually";

/**
 * How deep an observer must see for a property to be watched: what participants publish (`events`, on any engine), the
 * machine after each batch (`machine`), or also what is durable at a member (`disk`).
 */
export type ObservationDepth = "events" | "machine" | "disk";

/** One property of systems that show themselves as `Observation`s. */
export interface Property<Observation> {
	/** Kebab-case, unique in its room; what experiments and reports name. */
	readonly id: string;
	readonly kind: PropertyKind;
	/** One sentence that a reader can hold against the code. */
	readonly statement: string;
	/** Where it comes from: paper and section. */
	readonly source: string;
	readonly needs: ObservationDepth;
	/** The types of observation that its watchers look at; an observer need not show them any other. Default: all. */
	readonly observes?: readonly TypeOf<Observation>[];
	/** Begins to watch one run. */
	watch(): Watcher<Observation>;
}

/** The `type`s of observations, where they have one. */
type TypeOf<Observation> = Observation extends { readonly type: infer Type } ? Type : never;

/** What a watcher has found at one observation. */
export type Finding =
	/** The property does not hold: the values that show it. Of an `always`, final. */
	| { readonly type: "violated"; readonly details: FindingDetails }
	/** It was evaluated and holds; of a `sometimes` this is the witness. */
	| { readonly type: "holds" };

/** The finding of a watcher that has evaluated its property. */
export const holds: Finding = { type: "holds" };

/** The finding of a watcher whose property does not hold. */
export function violated(details: FindingDetails): Finding {
	return { type: "violated", details };
}

/** The values that show a violation. */
export type FindingDetails = Readonly<Record<string, string | number | boolean | null>>;

/**
 * Watches one run. Like a protocol it is a deterministic state machine without I/O: its findings depend on nothing but
 * what it was shown. What it remembers is part of a model's state, so it remembers little.
 */
export interface Watcher<Observation> {
	/** Null: this observation is none that the property speaks of. */
	observe(observation: Observation): Finding | null;
	/** What it remembers, as plain data (see `StateMachine.state`). */
	readonly state: unknown;
	/** An independent watcher that has seen the same. */
	copy(): Watcher<Observation>;
}
