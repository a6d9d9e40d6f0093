/** What is tried on Raft's mutants. */
import type { Attempt } from "./attempt.ts";

const seeds = (from: number, to: number): readonly number[] =>
	Array.from({ length: to - from + 1 }, (_, i) => from + i);

const simulated = (from: number, to: number): readonly Attempt[] =>
	seeds(from, to).map((seed) => ["simulate", "--seed", String(seed), "--nodes", "3", "--for", "10s"]);

const machines = (from: number, to: number): readonly Attempt[] =>
	seeds(from, to).map((seed) => ["machines", "test/protocols/raft/chaos-run.ts", String(seed)]);

const unitTests = [
	"byte-limits",
	"config",
	"configuration",
	"conflict",
	"follower-reads",
	"forget-leader",
	"learners",
	"lease",
	"log",
	"membership",
	"paper",
	"progress",
	"quorum",
	"scenarios",
	"sessions",
	"transcripts",
	"transfer",
].map((name) => `test/protocols/raft/${name}.test.ts`);

export const raftAttempts: readonly Attempt[] = [
	["check", "raft", "--terms", "1", "--log", "1", "--in-flight", "2", "--losses", "0", "--states-max", "20000"],
	...simulated(1, 2),
	...machines(1, 12),
	["unit", unitTests.join()],
];
