/**
 * Goal: a seed of simulated replicas is decided by the seed alone, its faults meet something, and in the end all have the same
 * bytes (CRDT-30). It fails when a participant reads a real clock or real chance, when a fault of the list is never applied, or when
 * replicas stay apart. Method: one seed twice, with all faults; another one with none.
 */
import { describe, expect, it } from "vitest";
import { replicaFaults, runReplicaSeed } from "../../../../actors/experiment/replicas/index.ts";

describe("a seed of simulated replicas", () => {
	it("is the same run each time, with every fault, and converges", async () => {
		const order = { seed: 2, nodes: 3, forMs: 6_000, faults: replicaFaults };
		const notes: string[] = [];
		const first = await runReplicaSeed(order, (_atMs, text) => notes.push(text));
		expect(first.reasons).toEqual([]);
		expect(first.verdict).toBe("pass");
		expect(first.edits.acknowledged).toBeGreaterThan(10);
		expect(notes.some((note) => note.endsWith("is back"))).toBe(true);
		const met = ["a message is lost", "a message comes twice", "an old message comes again", "a message is overtaken"];
		for (const name of ["a killed replica comes back", "links are cut", "the group is collected", ...met]) {
			expect(first.sometimes[name], name).toBeGreaterThan(0);
		}
		const second = await runReplicaSeed(order);
		expect(second).toEqual(first);
	});

	it("meets no fault that it was not asked for", async () => {
		const { verdict, sometimes } = await runReplicaSeed({ seed: 3, nodes: 2, forMs: 1_000, faults: [] });
		expect(verdict).toBe("pass");
		for (const name of [
			"a replica's thread is killed",
			"links are cut",
			"a message is lost",
			"a message comes twice",
		]) {
			expect(sometimes[name], name).toBe(0);
		}
	});
});
