/** What a message claims of its sender is on the sender's disk when it leaves. */
import { type Finding, holds, type Property, violated } from "../../verification/index.ts";
import type { RaftMessage } from "../messages.ts";
import type { RaftObservation } from "./observation.ts";
import { stateless } from "./stateless.ts";

type Left = Extract<RaftObservation, { type: "left" }>;

export const durableTermBeforeSent: Property<RaftObservation> = {
	id: "durable-term-before-sent",
	kind: "always",
	statement: "A member speaks of no term as its own before the term is durable at it.",
	source: "Raft Figure 2 (updated on stable storage before responding), §5.1",
	needs: "disk",
	observes: ["left"],
	watch: () => stateless(onLeft(checkTerm)),
};

export const durableVoteBeforeSent: Property<RaftObservation> = {
	id: "durable-vote-before-sent",
	kind: "always",
	statement: "A vote is durable at its giver before it leaves.",
	source: "Raft Figure 2 (updated on stable storage before responding), §5.2",
	needs: "disk",
	observes: ["left"],
	watch: () => stateless(onLeft(checkVote)),
};

export const durableEntriesBeforeSent: Property<RaftObservation> = {
	id: "durable-entries-before-acknowledged",
	kind: "always",
	statement: "Entries are durable at a follower before it acknowledges them.",
	source: "Raft Figure 2 (updated on stable storage before responding), §5.3",
	needs: "disk",
	observes: ["left"],
	watch: () => stateless(onLeft(checkAcknowledgement)),
};

function onLeft(check: (left: Left) => Finding | null): (observation: RaftObservation) => Finding | null {
	return (observation) => (observation.type === "left" ? check(observation) : null);
}

function checkTerm({ from, to, message, durable }: Left): Finding | null {
	// A pre-vote names a term that nobody has entered yet (thesis §9.6).
	if (isPreVote(message)) return null;
	const { term } = message;
	const durableTerm = durable.hardState.term;
	return durableTerm >= term ? holds : violated({ from, to, message: message.type, term, durableTerm });
}

function isPreVote(message: RaftMessage): boolean {
	return (message.type === "request-vote" || message.type === "vote") && message.preVote;
}

function checkVote({ from, to, message, durable }: Left): Finding | null {
	if (message.type !== "vote" || !message.granted || message.preVote) return null;
	const { term, votedFor } = durable.hardState;
	// In a later term the disk does not remember the vote of this one any more.
	if (term > message.term) return null;
	return term === message.term && votedFor === to
		? holds
		: violated({ from, to, term: message.term, durableTerm: term, durableVote: votedFor });
}

function checkAcknowledgement({ from, to, message, durable }: Left): Finding | null {
	if (message.type !== "append-response" || !message.accepted) return null;
	const { hardState, snapshot, firstIndex, entries } = durable;
	// What was acknowledged to an earlier leader may have been cut by a later one.
	if (hardState.term > message.term) return null;
	const durableIndex = Math.max(firstIndex + entries.length - 1, snapshot?.lastIndex ?? 0);
	const { index, term } = message;
	return durableIndex >= index ? holds : violated({ from, to, term, index, durableIndex });
}
