/** Configurations as values: who is in one. What they decide is counted in `quorum.ts`. */
import { compareIds, type NodeId } from "../core/index.ts";
import type { Configuration } from "./entry.ts";

/** The configuration of these members, not a joint one. The order of the lists is free here. */
export function configurationOf(
	voters: readonly NodeId[],
	learners: readonly NodeId[] = [],
	witnesses: readonly NodeId[] = [],
): Configuration {
	return {
		voters: [...voters].sort(compareIds),
		outgoing: [],
		learners: [...learners].sort(compareIds),
		witnesses: [...witnesses].sort(compareIds),
		autoLeave: false,
	};
}

export function isJoint({ outgoing }: Configuration): boolean {
	return outgoing.length > 0;
}

/** Whether a member votes, in either half of a joint configuration. */
export function isVoter({ voters, outgoing }: Configuration, node: NodeId): boolean {
	return voters.includes(node) || outgoing.includes(node);
}

/** Whether a member is a witness (`witness.ts`). */
export function isWitness({ witnesses }: Configuration, node: NodeId): boolean {
	return witnesses.length > 0 && witnesses.includes(node);
}

/** All who vote, in code-unit order. */
export function votersOf({ voters, outgoing }: Configuration): readonly NodeId[] {
	return outgoing.length === 0 ? voters : union(voters, outgoing);
}

/** All members, learners included, in code-unit order. */
export function membersOf(configuration: Configuration): readonly NodeId[] {
	const voters = votersOf(configuration);
	return configuration.learners.length === 0 ? voters : union(voters, configuration.learners);
}

function union(some: readonly NodeId[], others: readonly NodeId[]): NodeId[] {
	return [...new Set([...some, ...others])].sort(compareIds);
}
