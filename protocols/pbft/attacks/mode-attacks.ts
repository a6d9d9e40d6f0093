/** What a member can do where votes are authenticated, or certificates come from a collector, and nowhere else. */
import type { SequenceNumber } from "../entities.ts";
import type { PbftMessage, SlotClaim } from "../messages.ts";
import { type Attack, isInSecondHalf, otherDigest, resigned, type Saying, sayToAll } from "./attack.ts";

function certificatesOnly(change: (saying: Saying) => readonly Saying[]): NonNullable<Attack["twist"]> {
	return (saying) => (saying.message.type === "vote-certificate" ? change(saying) : [saying]);
}

/** Not among `pbftAttacks`: without the settings that they are for they do nothing. */
export const modeAttacks: readonly Attack[] = [
	{
		name: "spoilt-parts",
		needs: "authenticated",
		description: "Makes vectors that are good for one half of the group only.",
		twist: (saying, means) => {
			const readers = means.peers.filter((to) => !isInSecondHalf({ ...saying, to }, means));
			return [{ ...saying, message: resigned(saying.message, means, readers) }];
		},
	},
	{
		name: "false-claims",
		needs: "authenticated",
		description: "Claims in its view changes that something else is prepared everywhere, in the latest view.",
		twist: (saying, means) => {
			const { message } = saying;
			if (message.type !== "view-change" || message.claims === undefined) return [saying];
			const low = message.stable?.sequence ?? 0;
			const slots = [1, 2, 3].map((i) => (low + i) as SequenceNumber);
			const claimed = slots.map((sequence): SlotClaim => {
				const digest = otherDigest(means.crypto.digest(Uint8Array.of(sequence)));
				return { view: (message.view - 1) as SlotClaim["view"], sequence, digest };
			});
			const none = new Uint8Array(0);
			const prepared = claimed.map((claim) => ({ ...claim, prePrepare: none, prepares: [] }));
			const claims = { ...message.claims, prePrepared: claimed };
			return [{ ...saying, message: resigned({ ...message, prepared, claims }, means) }];
		},
	},
	{
		name: "false-acknowledgements",
		needs: "authenticated",
		description: "Acknowledges view changes that nobody has sent, and none that somebody has.",
		twist: (saying, means) => {
			const { message } = saying;
			if (message.type !== "view-change-ack") return [saying];
			return [{ ...saying, message: resigned({ ...message, digest: otherDigest(message.digest) }, means) }];
		},
	},
	{
		name: "old-keys",
		needs: "authenticated",
		description: "Says what it has said long ago once more, and renews its keys after every batch.",
		twist: (saying, { memory }) => {
			if (!memory.has("first") && saying.message.type === "prepare") memory.set("first", saying.message);
			return [saying];
		},
		invent: (means) => {
			const first = means.memory.get("first") as PbftMessage | undefined;
			const key = { type: "new-key", generation: means.step + 1, signature: new Uint8Array(0) } as const;
			return [...sayToAll(means, resigned(key, means)), ...(first === undefined ? [] : sayToAll(means, first))];
		},
	},
	{
		name: "silent-collector",
		needs: "collector",
		description: "As collector, never shows a certificate.",
		twist: certificatesOnly(() => []),
	},
	{
		name: "half-collector",
		needs: "collector",
		description: "As collector, shows certificates to one half of the group only.",
		twist: (saying, means) =>
			saying.message.type === "vote-certificate" && isInSecondHalf(saying, means) ? [] : [saying],
	},
	{
		name: "forging-collector",
		needs: "collector",
		description: "As collector, shows certificates for another digest, with the signatures that it has.",
		twist: certificatesOnly((saying) => {
			const { message } = saying;
			if (message.type !== "vote-certificate") return [saying];
			return [saying, { ...saying, message: { ...message, digest: otherDigest(message.digest) } }];
		}),
	},
];
