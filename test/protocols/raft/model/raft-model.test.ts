/**
 * Goal: Raft is safe in every interleaving of small bounds, and the checker that says so is right. Method: state counts are
 * pinned; the memory of transitions, symmetry and reduction each against exploration without them, the first by an
 * explorer that shares no code with it; planted bugs must be found, and their traces must be as short as they can be.
 */
import { describe, expect, it } from "vitest";
import { type RaftModelOptions, raftModel } from "../../../../protocols/raft/model/index.ts";
import { electionSafety } from "../../../../protocols/raft/properties/election-safety.ts";
import { explore, groupSpace, type SearchResult } from "../../../../protocols/verification/model-checker/index.ts";
import { countNaively } from "./naive-explorer.ts";
import { type Bug, forgetsVotes, keepsNothing, neverWaits, planted, votesTwice } from "./planted-raft.ts";

const small: RaftModelOptions = {
	nodes: 3,
	terms: 1,
	log: 1,
	inFlight: 2,
	crashes: 1,
	losses: 1,
	duplicates: 1,
	requests: 0,
	preVote: false,
	disk: "synchronous",
	network: "set",
	isReduced: true,
	isSymmetric: true,
};
const bounds = { statesMax: 200_000 };

function check(changes: Partial<RaftModelOptions>): SearchResult {
	return explore(groupSpace(raftModel({ ...small, ...changes })), bounds);
}

describe("Raft within bounds", () => {
	it("is safe with three nodes, two terms, two entries, two messages under way and every fault once", () => {
		const result = check({ terms: 2, log: 2, requests: 1 });
		expect(result.properties.filter(({ outcome }) => outcome !== "holds" && outcome !== "witnessed")).toEqual([]);
		expect(result).toMatchObject({ verdict: "proved", exhausted: true, frontier: 0, distinct: 18_549, depth: 29 });
	}, 240_000);

	it("is safe with pre-vote, and with a disk that takes its time", () => {
		expect(check({ preVote: true })).toMatchObject({ verdict: "proved", exhausted: true });
		expect(check({ disk: "asynchronous", crashes: 0, losses: 0, duplicates: 0 })).toMatchObject({ verdict: "proved" });
	});

	it("a model in which nobody can be elected says so", () => {
		const { verdict, properties } = check({ terms: 2, inFlight: 1, crashes: 0, losses: 0, duplicates: 0 });
		expect(verdict).toBe("vacuous");
		expect(properties.filter(({ outcome }) => outcome === "not-witnessed").map(({ id }) => id)).toContain(
			"leader-elected",
		);
	});
});

describe("two ways to one answer", () => {
	const plain = { disk: "asynchronous", network: "multiset", isReduced: false } as const;

	it.each([
		[
			"two nodes that crash and lose messages",
			{ nodes: 2, requests: 1, inFlight: 1, duplicates: 0, isSymmetric: false },
		],
		[
			"two nodes with messages that come twice, under symmetry",
			{ nodes: 2, requests: 1, inFlight: 1, crashes: 0, isSymmetric: true },
		],
		["three nodes that campaign, under symmetry", { log: 0, inFlight: 3, crashes: 0, losses: 0, isSymmetric: true }],
	] as const)(
		"%s: as many states as a plain explorer finds",
		(_name, changes) => {
			const model = raftModel({ ...small, ...plain, ...changes });
			const { isObsolete: _none, ...port } = model.port;
			const bare = { ...model, port, properties: [] };
			const { distinct, exhausted } = explore(groupSpace(bare), bounds);
			expect(exhausted).toBe(true);
			expect(distinct).toBe(countNaively(bare).distinct);
			expect(distinct).toBeGreaterThan(100);
		},
		240_000,
	);

	it("symmetry changes how many states there are, and no verdict", () => {
		const changes = { crashes: 0, losses: 0, duplicates: 0 };
		const [on, off] = [check({ ...changes }), check({ ...changes, isSymmetric: false })];
		expect([on.verdict, off.verdict]).toEqual(["proved", "proved"]);
		// Six renamings, fewer where nodes are alike.
		expect(off.distinct / on.distinct).toBeGreaterThan(3);
		expect(off.distinct / on.distinct).toBeLessThanOrEqual(6);
		expect(off.depth).toBe(on.depth);
	});

	/** What members were ever in together, as far as a transcript shows it. */
	function groupsReached(changes: Partial<RaftModelOptions>): {
		readonly distinct: number;
		readonly groups: Set<string>;
	} {
		const space = groupSpace({ ...raftModel({ ...small, isSymmetric: false, ...changes }), properties: [] });
		const groups = new Set<string>();
		const expand = space.expand.bind(space);
		space.expand = (words, at, sink) => {
			const lines = space.describeState(words, at);
			groups.add(lines.filter((line) => !line.startsWith("under way")).join("\n"));
			expand(words, at, sink);
		};
		const { distinct, exhausted } = explore(space, bounds);
		expect(exhausted).toBe(true);
		return { distinct, groups };
	}

	it.each([
		[{ losses: 0, duplicates: 0 }],
		[{ losses: 1, duplicates: 0 }],
		[{ losses: 1, duplicates: 1 }],
		[{ losses: 0, duplicates: 1, inFlight: 3 }],
	] as const)("reduction leaves states out, and nothing that members ever are together (%j)", (changes) => {
		const on = groupsReached({ crashes: 0, ...changes });
		const off = groupsReached({ crashes: 0, ...changes, isReduced: false });
		expect(on.distinct).toBeLessThan(off.distinct);
		expect([...on.groups].sort()).toEqual([...off.groups].sort());
	});

	it("reduction changes no verdict", () => {
		const [on, off] = [check({}), check({ isReduced: false })];
		expect([on.verdict, off.verdict]).toEqual(["proved", "proved"]);
		expect(on.distinct).toBeLessThan(off.distinct);
	});
});

describe("planted bugs", () => {
	function find(bug: Bug, changes: Partial<RaftModelOptions> = {}): SearchResult {
		return check({ create: planted(bug), inFlight: 4, ...changes });
	}

	it.each([
		[{ isReduced: true }],
		[{ isReduced: false }],
		[{ isSymmetric: false }],
		[{ network: "multiset" }],
	] as const)("two votes in one term elect two leaders (%j)", (changes) => {
		const model = raftModel({ ...small, inFlight: 6, create: planted(votesTwice), crashes: 0, ...changes });
		const { counterexample } = explore(groupSpace({ ...model, properties: [electionSafety] }), bounds);
		expect(counterexample).toMatchObject({ property: "election-safety", details: { term: 1 } });
		// Two timers; the third node hears both and says yes twice; both hear it.
		expect(counterexample?.steps.length).toBe(6);
	});

	it("a vote that is not on the disk is given again after a crash", () => {
		const changes = { create: planted(forgetsVotes), inFlight: 4, losses: 0, duplicates: 0 };
		const model = raftModel({ ...small, ...changes });
		const { counterexample } = explore(groupSpace({ ...model, properties: [electionSafety] }), bounds);
		expect(counterexample?.property).toBe("election-safety");
		expect(counterexample?.steps.map(({ action }) => action).join()).toContain("crashes and starts again");
		// Without a crash nothing is forgotten.
		const calm = raftModel({ ...small, ...changes, crashes: 0 });
		expect(explore(groupSpace({ ...calm, properties: [electionSafety] }), bounds).verdict).toBe("proved");
		expect(find(forgetsVotes).counterexample?.property).toBe("durable-vote-before-sent");
	});

	it("what does not wait for the disk is seen when it leaves", () => {
		expect(find(neverWaits).counterexample?.property).toMatch(/^durable-/);
	});

	it("an acknowledged entry that is not kept is missed", () => {
		const { verdict, counterexample } = find(keepsNothing);
		expect(verdict).toBe("violated");
		expect(counterexample?.property).toMatch(/durable|committed/);
	});
});
