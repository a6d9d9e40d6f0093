/** What is tried on PBFT's mutants. */
import type { Attempt } from "./attempt.ts";
import { seeds, tests } from "./attempt-series.ts";

/** The normal case of one slot, with a member that lies. */
const checked = (...bounds: readonly string[]): Attempt => ["check", "pbft", "--views", "0", ...bounds];

export const pbftAttempts: readonly Attempt[] = [
	checked(),
	checked("--liars", "4", "--crashes", "1"),
	checked("--votes", "authenticated"),
	...seeds(1, 12, (seed) => ["machines", "test/protocols/pbft/chaos-run.ts", seed]),
	tests("test/protocols/pbft", "rules", "evidence", "group"),
];
