/**
 * Who decides: majorities of a configuration. A joint configuration needs one majority of its voters and another of the
 * outgoing ones (§6); elections, commit, read rounds and the check of the leader's quorum all count here and nowhere
 * else. Learners never count.
 */
import type { NodeId } from "../core/index.ts";
import type { Configuration } from "./entry.ts";

/** Whether those who agree are a quorum: a majority of the voters and, in a joint configuration, of the outgoing ones. */
export function isQuorum({ voters, outgoing }: Configuration, agrees: (voter: NodeId) => boolean): boolean {
	return isMajority(voters, agrees) && (outgoing.length === 0 || isMajority(outgoing, agrees));
}

/** The largest value that a quorum has reached. */
export function largestAgreed({ voters, outgoing }: Configuration, reached: (voter: NodeId) => number): number {
	const agreed = largestOfMajority(voters, reached);
	return outgoing.length === 0 ? agreed : Math.min(agreed, largestOfMajority(outgoing, reached));
}

/** What the votes that are in amount to: `lost` when those that are missing can not make a quorum any more. */
export function outcomeOfVotes(
	configuration: Configuration,
	votes: ReadonlyMap<NodeId, boolean>,
): "won" | "lost" | "open" {
	if (isQuorum(configuration, (voter) => votes.get(voter) === true)) return "won";
	return isQuorum(configuration, (voter) => votes.get(voter) !== false) ? "open" : "lost";
}

function isMajority(voters: readonly NodeId[], agrees: (voter: NodeId) => boolean): boolean {
	let count = 0;
	for (const voter of voters) if (agrees(voter)) count++;
	return count >= majorityOf(voters);
}

function largestOfMajority(voters: readonly NodeId[], reached: (voter: NodeId) => number): number {
	const values = voters.map(reached).sort((a, b) => b - a);
	return values[majorityOf(voters) - 1] ?? 0;
}

function majorityOf(voters: readonly NodeId[]): number {
	return Math.floor(voters.length / 2) + 1;
}
