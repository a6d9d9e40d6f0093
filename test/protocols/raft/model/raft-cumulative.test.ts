/**
 * Goal: a cumulative network has every behaviour that a bounded one has, and what its space leaves out changes nothing.
 * Method: the groups that it reaches are held against a plain explorer's, which leaves out nothing, and against those of
 * bounded networks; planted bugs are found; state counts are pinned.
 */
import { describe, expect, it } from "vitest";
import { type RaftModelOptions, raftModel } from "../../../../protocols/raft/model/index.ts";
import { explore, groupSpace, type SearchResult } from "../../../../protocols/verification/model-checker/index.ts";
import { reachNaively } from "./naive-cumulative.ts";
import { type Bug, forgetsVotes, keepsNothing, neverWaits, planted, votesTwice } from "./planted-raft.ts";

const small: RaftModelOptions = {
	nodes: 3,
	terms: 1,
	log: 1,
	inFlight: "any",
	crashes: 1,
	losses: "any",
	duplicates: "any",
	requests: 0,
	preVote: false,
	disk: "synchronous",
	network: "cumulative",
	isReduced: true,
	isSymmetric: true,
};
const bounds = { statesMax: 500_000 };

function check(changes: Partial<RaftModelOptions>): SearchResult {
	return explore(groupSpace(raftModel({ ...small, ...changes })), bounds);
}

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
		groups.add(lines.filter((line) => !/^(under way|may arrive)/.test(line)).join("\n"));
		expand(words, at, sink);
	};
	const { distinct, exhausted } = explore(space, bounds);
	expect(exhausted).toBe(true);
	return { distinct, groups };
}

describe("a cumulative network of Raft", () => {
	it("is safe with three nodes, two terms and any number of messages, losses and duplicates", () => {
		const result = check({ terms: 2, crashes: 0 });
		const missing = result.properties.filter(({ outcome }) => outcome !== "holds" && outcome !== "witnessed");
		expect(missing).toEqual([]);
		expect(result).toMatchObject({ verdict: "proved", exhausted: true, frontier: 0, distinct: 6_374 });
	}, 120_000);

	it("is safe with a crash", () => {
		expect(check({})).toMatchObject({ verdict: "proved", exhausted: true });
	}, 120_000);
});

describe("what is left out changes nothing", () => {
	it.each([
		["two nodes", { nodes: 2, crashes: 0 }],
		["two nodes, one that crashes", { nodes: 2, crashes: 1 }],
		["three nodes that campaign", { log: 0, crashes: 0 }],
	] as const)(
		"%s: the same groups as a plain explorer",
		(_name, changes) => {
			const model = raftModel({ ...small, ...changes });
			const { port } = model;
			const naive = reachNaively(model, ({ machine }, node) => {
				return `${node}: ${port.describeMember?.(port.essence(machine.state, null))}`;
			});
			const { groups, distinct } = groupsReached(changes);
			expect([...groups].sort()).toEqual([...naive.groups].sort());
			expect(distinct).toBeLessThan(naive.distinct / 2);
		},
		240_000,
	);

	it("symmetry leaves out groups that differ by names only", () => {
		const [on, off] = [check({}), check({ isSymmetric: false })];
		expect([on.verdict, off.verdict]).toEqual(["proved", "proved"]);
		expect(off.distinct / on.distinct).toBeGreaterThan(4);
		expect(off.distinct / on.distinct).toBeLessThan(7);
	});

	it("has every group of a bounded network", () => {
		const { groups } = groupsReached({});
		const bounded = { network: "set", inFlight: 2, losses: 1, duplicates: 1 } as const;
		for (const changes of [bounded, { ...bounded, crashes: 0, isReduced: false }]) {
			const less = groupsReached(changes);
			expect([...less.groups].filter((group) => !groups.has(group))).toEqual([]);
			expect(less.groups.size).toBeGreaterThan(20);
		}
	}, 240_000);
});

describe("planted bugs on a cumulative network", () => {
	function find(bug: Bug, changes: Partial<RaftModelOptions> = {}): SearchResult {
		return check({ create: planted(bug), ...changes });
	}

	it("are found", () => {
		expect(find(votesTwice, { crashes: 0 })).toMatchObject({
			verdict: "violated",
			counterexample: { property: "durable-vote-before-sent" },
		});
		expect(find(neverWaits).counterexample?.property).toMatch(/^durable-/);
		expect(find(forgetsVotes).counterexample?.property).toBe("durable-vote-before-sent");
		expect(find(keepsNothing).counterexample?.property).toMatch(/durable|committed/);
	});

	it("come with a run that really leads there", () => {
		const { counterexample } = find(votesTwice, { crashes: 0, isSymmetric: false });
		const last = counterexample?.steps.at(-1);
		// A candidate, which has voted for itself, has answered another's request with its vote.
		expect(last?.state).toEqual(
			expect.arrayContaining([
				expect.stringMatching(/^n1: candidate in term 1, voted for n1/),
				expect.stringMatching(/n1 -> n2 vote term 1 granted true/),
			]),
		);
	});
});

describe("bad models", () => {
	it("a cumulative network has no bounds on messages, and nothing else lacks them", () => {
		for (const bound of ["inFlight", "losses", "duplicates"] as const) {
			expect(() => groupSpace(raftModel({ ...small, [bound]: 1 }))).toThrow(
				expect.objectContaining({ code: "model-unbounded", details: expect.objectContaining({ bound }) }),
			);
		}
		expect(() => groupSpace(raftModel({ ...small, network: "set" }))).toThrow(
			expect.objectContaining({ code: "model-unbounded" }),
		);
		expect(() => groupSpace(raftModel({ ...small, isReduced: false }))).toThrow(
			expect.objectContaining({ code: "model-malformed" }),
		);
	});
});
