/**
 * Goal: elections, commits, rounds and checks count as the paper says, in simple and in joint configurations.
 * Method: against a slow definition that shares nothing with the counting: a quorum is a set of members, and every set of
 * members is tried. Then the laws that safety rests on, for the counting itself (in the manner of etcd's quorum tests).
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type Configuration, configurationOf, votersOf } from "../../../protocols/raft/index.ts";
import { isQuorum, largestAgreed, outcomeOfVotes } from "../../../protocols/raft/quorum.ts";

const names: readonly NodeId[] = ["a", "b", "c", "d", "e", "f"].map(nodeId);
const someVoters = fc.subarray([...names], { minLength: 1 });
const configurations: fc.Arbitrary<Configuration> = fc
	.record({ voters: someVoters, outgoing: fc.oneof(fc.constant<NodeId[]>([]), someVoters) })
	.map(({ voters, outgoing }) => ({ voters, outgoing, learners: [], witnesses: [], autoLeave: false }));
const values = fc.array(fc.nat(6), { minLength: names.length, maxLength: names.length });
const votes = fc.array(fc.constantFrom(true, false, undefined), { minLength: names.length, maxLength: names.length });

/** Every set of the names, as lists. */
const sets: readonly (readonly NodeId[])[] = Array.from({ length: 2 ** names.length }, (_, bits) =>
	names.filter((_name, i) => (bits >> i) & 1),
);
/** The definition: more than half of the voters are in the set, and of the outgoing ones, if there are any. */
function isQuorumSet({ voters, outgoing }: Configuration, set: readonly NodeId[]): boolean {
	return [voters, outgoing].every(
		(half) => half.length === 0 || 2 * half.filter((v) => set.includes(v)).length > half.length,
	);
}
const quorumsOf = (configuration: Configuration): (readonly NodeId[])[] =>
	sets.filter((set) => isQuorumSet(configuration, set));
const valueIn =
	(list: readonly number[]) =>
	(voter: NodeId): number =>
		list[names.indexOf(voter)] as number;

describe("quorums", () => {
	it("are exactly the sets that hold a majority of each half", () => {
		fc.assert(
			fc.property(configurations, (configuration) => {
				for (const set of sets) {
					expect(isQuorum(configuration, (voter) => set.includes(voter))).toBe(isQuorumSet(configuration, set));
				}
			}),
		);
	});

	it("agree on the largest value that all members of some quorum have reached", () => {
		fc.assert(
			fc.property(configurations, values, (configuration, list) => {
				const value = valueIn(list);
				const voters = votersOf(configuration);
				const reached = quorumsOf(configuration).map((set) =>
					Math.min(...set.filter((node) => voters.includes(node)).map(value)),
				);
				expect(largestAgreed(configuration, value)).toBe(Math.max(...reached));
			}),
		);
	});

	it("decide a vote when, and only when, the votes that are missing can not change it", () => {
		fc.assert(
			fc.property(configurations, votes, (configuration, list) => {
				const given = new Map<NodeId, boolean>();
				names.forEach((name, i) => {
					if (list[i] !== undefined) given.set(name, list[i]);
				});
				const missing = names.filter((name) => !given.has(name));
				const outcomes = sets.map((set) =>
					isQuorumSet(
						configuration,
						names.filter((name) => given.get(name) ?? (missing.includes(name) && set.includes(name))),
					),
				);
				const expected = outcomes.every(Boolean) ? "won" : outcomes.some(Boolean) ? "open" : "lost";
				expect(outcomeOfVotes(configuration, given)).toBe(expected);
			}),
		);
	});

	it("a joint configuration of twice the same voters decides as those voters do", () => {
		fc.assert(
			fc.property(someVoters, values, (voters, list) => {
				const twice = { ...configurationOf(voters), outgoing: voters };
				expect(largestAgreed(twice, valueIn(list))).toBe(largestAgreed(configurationOf(voters), valueIn(list)));
			}),
		);
	});

	it("a joint configuration decides alike in both directions, and never more than either half", () => {
		fc.assert(
			fc.property(someVoters, someVoters, values, (voters, outgoing, list) => {
				const joint = { ...configurationOf(voters), outgoing };
				const agreed = largestAgreed(joint, valueIn(list));
				expect(largestAgreed({ ...joint, voters: outgoing, outgoing: voters }, valueIn(list))).toBe(agreed);
				expect(agreed).toBeLessThanOrEqual(largestAgreed(configurationOf(voters), valueIn(list)));
				expect(agreed).toBeLessThanOrEqual(largestAgreed(configurationOf(outgoing), valueIn(list)));
			}),
		);
	});

	it("a value below what is agreed does not matter: it may as well be 0", () => {
		fc.assert(
			fc.property(configurations, values, (configuration, list) => {
				const agreed = largestAgreed(configuration, valueIn(list));
				const lowered = list.map((value) => (value < agreed ? 0 : value));
				expect(largestAgreed(configuration, valueIn(lowered))).toBe(agreed);
			}),
		);
	});

	it("§6: any two quorums that may decide at the same time have a member in common, all the way through a change", () => {
		fc.assert(
			fc.property(someVoters, someVoters, (before, after) => {
				const way = [
					configurationOf(before),
					{ ...configurationOf(after), outgoing: configurationOf(before).voters },
					configurationOf(after),
				];
				for (const [one, next] of [
					[way[0], way[0]],
					[way[0], way[1]],
					[way[1], way[1]],
					[way[1], way[2]],
				] as [Configuration, Configuration][]) {
					for (const quorum of quorumsOf(one)) {
						const meets = quorumsOf(next).every((other) => other.some((node) => quorum.includes(node)));
						expect(meets).toBe(true);
					}
				}
			}),
			{ numRuns: 30 },
		);
	});

	it("thesis §4.1: the quorums of configurations that differ by one voter have a member in common; by two, they may not", () => {
		const disjoint = (some: Configuration, others: Configuration): boolean =>
			quorumsOf(some).some((set) => quorumsOf(others).some((other) => !other.some((node) => set.includes(node))));
		for (let size = 1; size < names.length; size++) {
			const before = configurationOf(names.slice(0, size));
			expect(disjoint(before, configurationOf(names.slice(0, size + 1)))).toBe(false);
			if (size === 2) expect(disjoint(before, configurationOf(names.slice(0, 4)))).toBe(false);
			if (size === 3) expect(disjoint(before, configurationOf(names.slice(0, 5)))).toBe(true);
		}
	});
});
