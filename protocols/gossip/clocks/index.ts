/** Who knew what: vector clocks for events, dotted version vectors for the values of one key. */
export {
	type Dot,
	joinSiblings,
	noSiblings,
	type Sibling,
	type Siblings,
	settleSiblings,
	writeSibling,
} from "./dotted-version-vector.ts";
export {
	advance,
	type Causality,
	clockEntries,
	compareClocks,
	covers,
	joinClocks,
	pruneClock,
	type VectorClock,
} from "./vector-clock.ts";
