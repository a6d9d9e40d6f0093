/** What is tried on Raft's mutants. */
import type { Attempt } from "./attempt.ts";

const seeds = (from: number, to: number): readonly number[] =>
	Array.from({ length: to - from + 1 }, (_, i) => from + i);

const simulated = (from: number, to: number): readonly Attempt[] =>
	seeds(from, to).map((seed) => ["simulate", "--seed", String(seed), "--nodes", "3", "--for", "10s"]);

const machines = (from: number, to: number): readonly Attempt[] =>
	seeds(from, to).map((seed) => ["machines", "test/protocols/raft/chaos-run.ts", String(seed)]);

const tests = (...names: readonly string[]): Attempt => [
	"unit",
	names.map((name) => `test/protocols/raft/${name}.test.ts`).join(),
];

/** One crash and nothing else goes wrong, within one term and one entry unless said otherwise. */
const checked = (...bounds: readonly string[]): Attempt => [
	"check",
	"raft",
	...["--terms", "1", "--log", "1", "--in-flight", "2", "--losses", "0"],
	...bounds,
];

export const raftAttempts: readonly Attempt[] = [
	checked("--states-max", "20000"),
	...simulated(1, 2),
	checked("--duplicates", "0", "--disk", "asynchronous"),
	["check", "raft", "--in-flight", "2", "--losses", "0", "--duplicates", "0"],
	["chaos", "run", "examples/experiments/member-needs-a-snapshot.yaml"],
	...machines(1, 12),
	tests("paper", "transcripts", "conflict", "progress", "configuration", "membership", "sessions", "transfer"),
	tests("learners", "lease", "follower-reads", "forget-leader", "byte-limits", "config"),
	tests("log", "quorum", "scenarios", "machine"),
];
