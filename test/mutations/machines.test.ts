/** Goal: the seeded runs that mutants are tried on find nothing without a bug, and do something. Method: one seed of each. */
import { expect, it } from "vitest";
import { runSeed as runReplicas } from "../protocols/crdt/network-run.ts";
import { runSeed as runPbft } from "../protocols/pbft/chaos-run.ts";

it("a PBFT group with liars keeps its properties, and answers", () => {
	expect(runPbft(3).acknowledged).toBeGreaterThan(5);
});

it("replicas on a bad network mean what the definitions say", () => {
	expect(() => runReplicas(1)).not.toThrow();
});
