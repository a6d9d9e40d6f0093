/**
 * What the search explores: states packed into a few 32-bit words, and their successors. A space knows what its words
 * mean; the search knows fingerprints, order and bounds. {@link modelSpace} makes one from a model of plain values,
 * `GroupSpace` one from the state machines of a protocol.
 */
import type { Finding, PropertyKind } from "../property.ts";

/** A property as the search and its result speak of it. */
export interface SpaceProperty {
	readonly id: string;
	readonly kind: PropertyKind;
	readonly statement: string;
	readonly source: string;
}

/** What one property found at one step; `property` is its position in {@link StateSpace.properties}. */
export interface PropertyFinding {
	readonly property: number;
	readonly finding: Finding;
}

/** No property said anything. */
export const NO_FINDINGS = 0;

/** Where a space puts the successors of a state. */
export interface SuccessorSink {
	/** The space writes a successor's words here before it calls {@link successor}. */
	readonly words: Uint32Array;
	/**
	 * A successor within the bounds. `high` and `low` are the 64-bit fingerprint, the same for states that symmetry makes
	 * equal; `findings` names what the properties found on the way ({@link StateSpace.findingsOf}).
	 */
	successor(action: number, high: number, low: number, findings: number): void;
	/** A successor beyond the bounds: it is judged, and neither counted nor explored. */
	beyond(action: number, findings: number): void;
	/** A successor that is judged and need not be explored: what it can do, a state that was seen can do. */
	known(action: number, findings: number): void;
	/** Whether a state of this fingerprint was seen. */
	isKnown(high: number, low: number): boolean;
}

/** What `eventually` needs to know beside the graph. */
export interface LivenessView {
	/** Whether an `eventually` property holds in a state. */
	holds(property: number, words: Uint32Array, at: number): boolean;
	/**
	 * Whether it must hold again and again, so that a run which holds for a while and then never again violates it; else
	 * once is enough.
	 */
	readonly isRecurrent: boolean;
	/** The names of what is fair: if it stays possible for ever, it happens. */
	readonly fairClasses: readonly string[];
	/** The position of an action's class, or -1 for what may be refused for ever. */
	fairClassOf(action: number): number;
}

/**
 * A space whose states cover each other: what is covered need not be explored. Its fingerprints name what must be equal for
 * one state to cover another, and {@link SuccessorSink.isKnown} says whether a state of that fingerprint covers `words`.
 */
export interface CoveringSpace extends StateSpace {
	/** Of two states of one fingerprint, whether whatever can happen in the second can happen in the first. */
	covers(words: Uint32Array, at: number, others: Uint32Array, othersAt: number): boolean;
	/** Which states to explore first, the lowest: a hint. Null: those with the fewest steps. */
	rankOf(words: Uint32Array, at: number): number | null;
}

export interface StateSpace {
	/** What errors and reports call it. */
	readonly name: string;
	/** Words of one packed state, at least one. */
	readonly stateWords: number;
	readonly properties: readonly SpaceProperty[];
	/** Puts the initial states; the action is not looked at. */
	begin(sink: SuccessorSink): void;
	/**
	 * Puts every successor of the state at `words[at]`. In one state an action leads to one successor, always the same.
	 * @throws QuorateError `property-threw`
	 */
	expand(words: Uint32Array, at: number, sink: SuccessorSink): void;
	/** What a findings number of {@link SuccessorSink} stands for. */
	findingsOf(findings: number): readonly PropertyFinding[];
	/** A `sometimes` has its witness: the space need not watch for it any more. */
	witnessed(property: number): void;
	/** One line about an action taken in a state. */
	describeAction(words: Uint32Array, at: number, action: number): string;
	/** A few lines about a state. */
	describeState(words: Uint32Array, at: number): readonly string[];
	/** Null if no property is an `eventually`. */
	readonly liveness: LivenessView | null;
	/** Bytes that the space itself holds, as far as it knows; for the report. */
	readonly memoryBytes: number;
}
