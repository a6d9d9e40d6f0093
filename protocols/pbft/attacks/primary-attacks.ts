/** What a member can do with the numbers and batches that it hands out as primary. */
import { emptyBytes } from "../bytes.ts";
import type { Batch, SequenceNumber } from "../entities.ts";
import type { PrePrepare } from "../messages.ts";
import { batchDigest } from "../statements.ts";
import { type Attack, type AttackMeans, isInSecondHalf, otherDigest, resigned, type Saying } from "./attack.ts";

/** Does something to every pre-prepare; null holds it back. */
function ofPrePrepares(
	change: (message: PrePrepare, means: AttackMeans, saying: Saying) => PrePrepare | null,
): NonNullable<Attack["twist"]> {
	return (saying, means) => {
		if (saying.message.type !== "pre-prepare") return [saying];
		const message = change(saying.message, means, saying);
		return message === null ? [] : [{ ...saying, message }];
	};
}

function withBatch(message: PrePrepare, batch: Batch, means: AttackMeans): PrePrepare {
	const digest = batchDigest(means.config.cluster, means.crypto.digest, batch);
	return resigned({ ...message, batch, digest }, means);
}

/** The same requests as another batch: turned round, or the only one twice. */
export function otherBatch({ requests, choice }: Batch): Batch {
	return { requests: requests.length > 1 ? requests.toReversed() : [...requests, ...requests], choice };
}

export const primaryAttacks: readonly Attack[] = [
	{
		name: "equivocate",
		description: "As primary, proposes another batch to each half of the group, and votes for each half's own.",
		twist: (saying, means) => {
			const { message } = saying;
			if (!isInSecondHalf(saying, means)) return [saying];
			if (message.type === "pre-prepare") {
				const other = withBatch(message, otherBatch(message.batch), means);
				means.memory.set(`${message.view}.${message.sequence}`, other.digest);
				return [{ ...saying, message: other }];
			}
			if (message.type !== "prepare" && message.type !== "commit") return [saying];
			const digest = means.memory.get(`${message.view}.${message.sequence}`) as Uint8Array | undefined;
			return [digest === undefined ? saying : { ...saying, message: resigned({ ...message, digest }, means) }];
		},
	},
	{
		name: "lazy-primary",
		description: "As primary, proposes nothing; votes like everyone else.",
		twist: ofPrePrepares(() => null),
	},
	{
		name: "wrong-digest",
		description: "As primary, signs digests that are not those of the batches beside them.",
		twist: ofPrePrepares((message, means) => resigned({ ...message, digest: otherDigest(message.digest) }, means)),
	},
	{
		name: "skip-sequence",
		description: "As primary, leaves out every other sequence number, so that holes block execution.",
		twist: ofPrePrepares((message, means) => {
			const sequence = (message.sequence * 2) as SequenceNumber;
			return resigned({ ...message, sequence }, means);
		}),
	},
	{
		name: "huge-sequence",
		description:
			"As primary, uses sequence numbers far beyond the window, to exhaust the space or the memory of others.",
		twist: ofPrePrepares((message, means) => {
			const sequence = (message.sequence + 2 ** 40) as SequenceNumber;
			return resigned({ ...message, sequence }, means);
		}),
	},
	{
		name: "forged-request",
		description: "As primary, adds a request to each batch that no client has made.",
		twist: ofPrePrepares((message, means) => {
			const [model] = message.batch.requests;
			if (model === undefined) return message;
			const forged = { ...model, timestamp: model.timestamp + 1_000_000, operation: Uint8Array.of(102, 97, 107, 101) };
			return withBatch(message, { ...message.batch, requests: [...message.batch.requests, forged] }, means);
		}),
	},
	{
		name: "starve-client",
		description: "As primary, leaves out the requests of one client.",
		twist: ofPrePrepares((message, means) => {
			const { requests, choice } = message.batch;
			const starved = (means.memory.get("client") as string | undefined) ?? requests[0]?.client;
			means.memory.set("client", starved);
			const others = requests.filter(({ client }) => client !== starved);
			return others.length === 0 ? null : withBatch(message, { requests: others, choice }, means);
		}),
	},
	{
		name: "selective-proposals",
		description: "As primary, proposes to one half of the group only.",
		twist: ofPrePrepares((message, means, saying) => (isInSecondHalf(saying, means) ? null : message)),
	},
	{
		name: "empty-batches",
		description: "As primary, orders batches without requests.",
		twist: ofPrePrepares((message, means) => withBatch(message, { requests: [], choice: emptyBytes }, means)),
	},
	{
		name: "unasked-choice",
		description: "As primary, puts a choice into its batches that nobody can accept.",
		twist: ofPrePrepares((message, means) => {
			return withBatch(message, { ...message.batch, choice: Uint8Array.of(1, 2, 3) }, means);
		}),
	},
];
