/**
 * Goal: when faults have ended a leader is there in the end, as far as runs stay within the bounds; and a machine that gives
 * up is caught. Method: the property that experiments judge recovery by, on the whole graph of small models.
 */
import { describe, expect, it } from "vitest";
import { type RaftModelOptions, raftModel } from "../../../../protocols/raft/model/index.ts";
import { raftProperties } from "../../../../protocols/raft/properties/index.ts";
import { explore, groupSpace, type SearchResult } from "../../../../protocols/verification/model-checker/index.ts";
import { type Bug, planted } from "./planted-raft.ts";

const small: RaftModelOptions = {
	nodes: 2,
	terms: 2,
	log: 2,
	inFlight: 2,
	crashes: 1,
	losses: 1,
	duplicates: 0,
	requests: 0,
	preVote: false,
	disk: "synchronous",
	network: "set",
	isReduced: false,
	isSymmetric: false,
};
const properties = raftProperties.filter(({ id }) => id === "leader-exists");

function check(changes: Partial<RaftModelOptions> = {}): SearchResult {
	return explore(groupSpace({ ...raftModel({ ...small, ...changes }), properties }), { statesMax: 500_000 });
}

/** Waits for no leader. */
const givesUp: Bug = (effects) =>
	effects.filter((effect) => effect.type !== "set-timer" || effect.timer !== "election");

/** Never says no, so that a candidate which is behind never hears of it; nor yes. */
const saysNothing: Bug = (effects) =>
	effects.filter((effect) => effect.type !== "send" || effect.message.type !== "vote");

describe("a leader is there in the end", () => {
	it("with two nodes that crash and lose a message, and with three that do not", () => {
		expect(check()).toMatchObject({ verdict: "proved", exhausted: true });
		expect(check({ nodes: 3, terms: 1, log: 1, crashes: 0, losses: 0 })).toMatchObject({ verdict: "proved" });
	}, 120_000);

	it("not if nobody waits for one", () => {
		const { verdict, counterexample } = check({ create: planted(givesUp) });
		expect(verdict).toBe("violated");
		expect(counterexample?.property).toBe("leader-exists");
		expect(counterexample?.cycleFrom).not.toBeNull();
	}, 120_000);

	it("says nothing of runs that leave the bounds", () => {
		const { verdict, boundaryHits } = check({ create: planted(saysNothing), crashes: 0, losses: 0 });
		expect(verdict).toBe("proved");
		expect(boundaryHits).toBeGreaterThan(0);
	});

	it("is not judged where cycles are lost", () => {
		for (const changes of [{ isReduced: true }, { isSymmetric: true }, { losses: "any" }] as const) {
			expect(() => check(changes)).toThrow(expect.objectContaining({ code: "model-malformed" }));
		}
	});
});
