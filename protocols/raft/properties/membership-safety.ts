/** Membership changes one step at a time, and each step keeps a quorum in common. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { Configuration, LogIndex, Term } from "../entry.ts";
import type { RaftObservation } from "./observation.ts";
import { unordered } from "./unordered.ts";

/** The configuration in force at a leader. */
interface InForce {
	readonly term: Term;
	readonly configuration: Configuration;
	readonly index: LogIndex;
}

/** A leader's step from one configuration to the next, and how far it has committed by then. */
interface Change {
	readonly before: InForce;
	readonly after: InForce;
	readonly commitIndex: LogIndex;
}

export const oneChangeAtATime: Property<RaftObservation> = {
	id: "one-change-at-a-time",
	kind: "always",
	statement: "A leader appends a configuration only when the one before it is committed.",
	source: "Raft §6; thesis §4.1",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new MembershipSafety(isCommittedBefore, new Map()),
};

export const consecutiveQuorumsIntersect: Property<RaftObservation> = {
	id: "consecutive-quorums-intersect",
	kind: "always",
	statement: "Every quorum of a configuration has a member in common with every quorum of the next one.",
	source: "Raft §6; thesis §4.1, §4.3",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new MembershipSafety(haveCommonQuorums, new Map()),
};

class MembershipSafety implements Watcher<RaftObservation> {
	readonly #isSafe: (change: Change) => boolean;
	/** Of those that lead at present. */
	readonly #inForce: Map<NodeId, InForce>;

	constructor(isSafe: (change: Change) => boolean, inForce: Map<NodeId, InForce>) {
		this.#isSafe = isSafe;
		this.#inForce = inForce;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") this.#inForce.delete(observation.node);
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		if (machine.role !== "leader") {
			this.#inForce.delete(node);
			return null;
		}
		const { term, configuration, configurationIndex: index, commitIndex } = machine;
		const before = this.#inForce.get(node);
		if (before?.term === term && before.index === index) return holds;
		const after = { term, configuration, index };
		this.#inForce.set(node, after);
		if (before?.term !== term || this.#isSafe({ before, after, commitIndex })) return holds;
		const voters = configuration.voters.join(" ");
		return violated({ node, index, voters, indexBefore: before.index, committed: commitIndex });
	}

	get state(): unknown {
		const shown = [...this.#inForce].map(([node, { term, configuration, index }]) => {
			return [node, { term, index, configuration: unordered(configuration) }] as const;
		});
		return new Map(shown);
	}

	copy(): MembershipSafety {
		return new MembershipSafety(this.#isSafe, new Map(this.#inForce));
	}
}

function isCommittedBefore({ before, commitIndex }: Change): boolean {
	return before.index <= commitIndex;
}

/** A quorum is a majority of each half of its configuration, so one pair of halves that always meet is enough. */
function haveCommonQuorums({ before, after }: Change): boolean {
	const halves = halvesOf(after.configuration);
	return halvesOf(before.configuration).some((old) => halves.some((next) => majoritiesMeet(old, next)));
}

function halvesOf({ voters, outgoing }: Configuration): (readonly NodeId[])[] {
	return outgoing.length === 0 ? [voters] : [voters, outgoing];
}

/** Two majorities avoid each other if each takes all it can from outside of the common members, and the rest suffices. */
function majoritiesMeet(some: readonly NodeId[], others: readonly NodeId[]): boolean {
	const common = some.filter((node) => others.includes(node)).length;
	return commonNeeded(some, common) + commonNeeded(others, common) > common;
}

/** How many common members a majority can not do without. */
function commonNeeded(voters: readonly NodeId[], common: number): number {
	const majority = Math.floor(voters.length / 2) + 1;
	return Math.max(0, majority - (voters.length - common));
}
