/** What a member can do with its votes, and with everyone's signatures. */
import type { SequenceNumber, ViewNumber } from "../entities.ts";
import type { Commit, PbftMessage, Prepare } from "../messages.ts";
import {
	type Attack,
	type AttackMeans,
	isInSecondHalf,
	otherDigest,
	resigned,
	type Saying,
	say,
	sayToAll,
} from "./attack.ts";

/** Does something to every prepare and commit. */
function ofVotes(
	change: (message: Prepare | Commit, means: AttackMeans, saying: Saying) => PbftMessage | null,
): NonNullable<Attack["twist"]> {
	return (saying, means) => {
		const { message } = saying;
		if (message.type !== "prepare" && message.type !== "commit") return [saying];
		const changed = change(message, means, saying);
		return changed === null ? [] : [{ ...saying, message: changed }];
	};
}

/** How many messages `replay` and `delay` keep. */
const KEPT_MAX = 256;
/** Messages that `replay` repeats after a batch. */
const REPLAYED = 3;
/** Batches that `delay` holds a message back, at most. */
const DELAY_STEPS = 12;

export const voteAttacks: readonly Attack[] = [
	{
		name: "silent",
		description: "Says nothing at all.",
		twist: () => [],
	},
	{
		name: "double-vote",
		description: "Votes for the proposed batch before one half, and for another before the other half.",
		twist: ofVotes((message, means, saying) => {
			if (!isInSecondHalf(saying, means)) return message;
			return resigned({ ...message, digest: otherDigest(message.digest) }, means);
		}),
	},
	{
		name: "wrong-votes",
		description: "Votes for digests that nobody has proposed.",
		twist: ofVotes((message, means) => resigned({ ...message, digest: otherDigest(message.digest) }, means)),
	},
	{
		name: "bad-signature",
		description: "Spoils the signature of each vote.",
		twist: ofVotes((message) => ({ ...message, signature: message.signature.map((byte) => byte ^ 1) })),
	},
	{
		name: "no-commit",
		description: "Prepares and never commits.",
		twist: ofVotes((message) => (message.type === "commit" ? null : message)),
	},
	{
		name: "commit-unprepared",
		description: "Commits to whatever is proposed at once, without waiting for anybody's prepare.",
		hear: (from, message, { memory }) => {
			if (message.type === "pre-prepare") memory.set("heard", { from, message });
			return message;
		},
		invent: (means) => {
			const heard = means.memory.get("heard") as
				| { readonly message: Extract<PbftMessage, { type: "pre-prepare" }> }
				| undefined;
			means.memory.delete("heard");
			if (heard === undefined) return [];
			const { epoch, view, sequence, digest, signature } = heard.message;
			return sayToAll(means, resigned({ type: "commit", epoch, view, sequence, digest, signature }, means));
		},
	},
	{
		name: "selective-votes",
		description: "Votes before one half of the group only.",
		twist: ofVotes((message, means, saying) => (isInSecondHalf(saying, means) ? null : message)),
	},
	{
		name: "off-by-one",
		description:
			"Signs votes for the view or the slot beside the one that is meant (ByzzFuzz's small-scope mutations, OOPSLA 2023).",
		twist: ofVotes((message, means) => {
			const by = means.dice.chance(0.5) ? 1 : -1;
			if (means.dice.chance(0.5)) {
				return resigned({ ...message, sequence: Math.max(0, message.sequence + by) as SequenceNumber }, means);
			}
			return resigned({ ...message, view: Math.max(0, message.view + by) as ViewNumber }, means);
		}),
	},
	{
		name: "forged-sender",
		description:
			"Repeats the signed votes of others as if they were its own, and of its own as if others had made them.",
		hear: (_from, message, { memory }) => {
			if (message.type === "prepare" || message.type === "commit") memory.set("vote", message);
			return message;
		},
		invent: (means) => {
			const vote = means.memory.get("vote") as PbftMessage | undefined;
			return vote === undefined ? [] : sayToAll(means, vote);
		},
	},
	{
		name: "prepare-as-commit",
		description: "Sends the signatures of its prepares under commits.",
		twist: (saying) => {
			const { message } = saying;
			if (message.type !== "prepare") return [saying];
			return [saying, { ...saying, message: { ...message, type: "commit" } }];
		},
	},
	{
		name: "replay",
		description: "Says again what it and others have said long ago.",
		hear: (_from, message, means) => {
			keep(means, message);
			return message;
		},
		twist: (saying, means) => {
			keep(means, saying.message);
			return [saying];
		},
		invent: (means) => {
			const kept = (means.memory.get("kept") as readonly PbftMessage[] | undefined) ?? [];
			if (kept.length === 0) return [];
			return Array.from({ length: REPLAYED }, () => say(means.dice.pick(means.peers), means.dice.pick(kept)));
		},
	},
	{
		name: "delay",
		description: "Says everything, much later.",
		twist: (saying, means) => {
			const held = (means.memory.get("held") as readonly HeldSaying[] | undefined) ?? [];
			const until = means.step + means.dice.between(1, DELAY_STEPS);
			means.memory.set("held", [...held, { until, saying }].slice(-KEPT_MAX));
			return [];
		},
		invent: (means) => {
			const held = (means.memory.get("held") as readonly HeldSaying[] | undefined) ?? [];
			means.memory.set(
				"held",
				held.filter(({ until }) => until > means.step),
			);
			return held.filter(({ until }) => until <= means.step).map(({ saying }) => saying);
		},
	},
];

interface HeldSaying {
	readonly until: number;
	readonly saying: Saying;
}

function keep({ memory }: AttackMeans, message: PbftMessage): void {
	const kept = (memory.get("kept") as readonly PbftMessage[] | undefined) ?? [];
	memory.set("kept", [...kept, message].slice(-KEPT_MAX));
}
