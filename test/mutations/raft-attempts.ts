/** What is tried on Raft's mutants. */
import type { Attempt } from "./attempt.ts";
import { seeds, tests } from "./attempt-series.ts";

const room = "test/protocols/raft";

/** One crash and nothing else goes wrong, within one term and one entry unless said otherwise. */
const checked = (...bounds: readonly string[]): Attempt => [
	"check",
	"raft",
	...["--terms", "1", "--log", "1", "--in-flight", "2", "--losses", "0"],
	...bounds,
];

export const raftAttempts: readonly Attempt[] = [
	checked("--states-max", "20000"),
	...seeds(1, 8, (seed) => ["simulate", "--seed", seed, "--nodes", "3", "--for", "10s"]),
	checked("--duplicates", "0", "--disk", "asynchronous"),
	["check", "raft", "--in-flight", "2", "--losses", "0", "--duplicates", "0"],
	["chaos", "run", "examples/experiments/member-needs-a-snapshot.yaml"],
	...seeds(1, 12, (seed) => ["machines", `${room}/chaos-run.ts`, seed]),
	// Clients that hold on to a deposed leader; a chunk of a snapshot that is lost when the faults end.
	["simulate", "--seed", "50"],
	["simulate", "--seed", "36"],
	// A leader that comes back with a log of its own: what it needs is compacted, or its successor is gone.
	["simulate", "--seed", "39"],
	tests(room, "paper", "transcripts", "conflict", "progress", "configuration", "membership", "sessions", "transfer"),
	tests(room, "forwarding", "priority", "witness", "repair", "snapshot-request"),
	tests(room, "learners", "lease", "follower-reads", "forget-leader", "byte-limits", "config"),
	tests(room, "regressions", "log", "quorum", "scenarios", "machine"),
];
