/**
 * Goal: with one member of four that lies, in whichever place, no interleaving within the bounds breaks a property of PBFT; with two, or
 * a member that forgets or does not wait for its disk, one does, and it is found (BYZ-2, BYZ-6, BYZ-7, BYZ-11). Method: the shipped machine in
 * the model checker, state counts pinned; the same with bugs around it.
 */
import { describe, expect, it } from "vitest";
import { type PbftModelOptions, pbftModel } from "../../../../protocols/pbft/model/index.ts";
import { explore, groupSpace, type SearchResult } from "../../../../protocols/verification/model-checker/index.ts";
import { forgetsPrepared, neverWaits, planted } from "./planted-pbft.ts";

const normalCase: PbftModelOptions = {
	nodes: 4,
	liars: [1],
	shown: "one",
	views: 0,
	slots: 1,
	requests: 1,
	inFlight: "any",
	crashes: 0,
	losses: "any",
	duplicates: "any",
	forgeries: "any",
	disk: "synchronous",
	network: "cumulative",
	isReduced: true,
};

/** @param ids properties that are judged; none: all */
function check(changes: Partial<PbftModelOptions>, ids: readonly string[] = [], statesMax = 100_000): SearchResult {
	const model = pbftModel({ ...normalCase, ...changes });
	const properties = ids.length === 0 ? model.properties : model.properties.filter(({ id }) => ids.includes(id));
	return explore(groupSpace({ ...model, properties }), { statesMax });
}

describe("one member of four that lies", () => {
	it("as primary, with one batch for these and another for those, divides nobody", () => {
		expect(check({})).toMatchObject({ verdict: "proved", exhausted: true, frontier: 0, distinct: 216 });
	});

	it("as backup divides nobody", () => {
		expect(check({ liars: [4] })).toMatchObject({ verdict: "proved", exhausted: true, frontier: 0, distinct: 1_422 });
	});

	it("divides nobody where votes are authenticated, though it may show decisions without proof", () => {
		const votes = "authenticated";
		expect(check({ votes })).toMatchObject({ verdict: "proved", exhausted: true, frontier: 0, distinct: 1_728 });
		const backup = check({ votes, liars: [4] });
		expect(backup).toMatchObject({ verdict: "proved", exhausted: true, frontier: 0, distinct: 3_016 });
	});

	it("is convicted, and something is decided all the same, somewhere", () => {
		const witnessed = check({}).properties.filter(({ outcome }) => outcome === "witnessed");
		expect(witnessed.map(({ id }) => id)).toEqual(["something-decided", "member-convicted"]);
	});
});

describe("what must be found", () => {
	it("two that lie divide the others, by what they have signed alone", () => {
		const { verdict, counterexample } = check({ liars: [1, 2] }, ["agreement"]);
		expect(verdict).toBe("violated");
		expect(counterexample?.property).toBe("agreement");
		const decided = counterexample?.steps.at(-1)?.state.filter((line) => /^n[34]: .*decided/.test(line));
		expect(decided).toHaveLength(2);
	});

	it("members that forget in a view change what they have prepared decide a slot twice", () => {
		const changes = { views: 1, create: planted(forgetsPrepared) };
		const { verdict, counterexample } = check(changes, ["agreement"], 300_000);
		expect(verdict).toBe("violated");
		expect(counterexample?.property).toBe("agreement");
		const decisions = counterexample?.steps.at(-1)?.state.join("\n");
		expect(decisions).toMatch(/decided \w+ in view 0/);
		expect(decisions).toMatch(/decided \w+ in view 1/);
	}, 120_000);

	it("members whose votes leave before they are on the disk", () => {
		const { counterexample } = check({ create: planted(neverWaits) });
		expect(counterexample?.property).toBe("durable-before-sent");
	});
});
