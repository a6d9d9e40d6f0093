/** What is tried on the CRDTs' mutants. */
import type { Attempt } from "./attempt.ts";
import { seeds, tests } from "./attempt-series.ts";

const room = "test/protocols/crdt";

export const crdtAttempts: readonly Attempt[] = [
	...seeds(1, 12, (seed) => ["machines", `${room}/network-run.ts`, seed]),
	...seeds(1, 2, (seed) => ["simulate", "--protocol", "crdt", "--seed", seed, "--nodes", "3", "--for", "6s"]),
	tests(room, "causality/causal-context", "encoding/encoding", "sequence/sequence", "document/own-update"),
	tests(room, "document", "collection", "document/undo", "document/hostile-bytes"),
	tests(room, "replica/machine", "merge-laws", "interleaving"),
	tests(room, "convergence"),
];
