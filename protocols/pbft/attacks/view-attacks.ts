/** What a member can do with view changes, checkpoints and states. */
import type { SequenceNumber, ViewNumber } from "../entities.ts";
import type { PbftMessage, ViewChange } from "../messages.ts";
import { type Attack, type AttackMeans, isInSecondHalf, otherDigest, resigned, sayToAll } from "./attack.ts";

/** Does something to each message of one type; null holds it back. */
function of<T extends PbftMessage["type"]>(
	type: T,
	change: (message: Extract<PbftMessage, { type: T }>, means: AttackMeans) => PbftMessage | null,
): NonNullable<Attack["twist"]> {
	return (saying, means) => {
		if (saying.message.type !== type) return [saying];
		const message = change(saying.message as Extract<PbftMessage, { type: T }>, means);
		return message === null ? [] : [{ ...saying, message }];
	};
}

function viewChangeFor(view: number, { view: own, config }: AttackMeans): ViewChange {
	const { epoch } = own.configuration;
	const { stable } = own;
	const bare = {
		type: "view-change",
		epoch,
		view: view as ViewNumber,
		prepared: [],
		signature: new Uint8Array(0),
	} as const;
	if (config.votes === "signed") return { ...bare, stable };
	const checkpoints = stable === null ? [] : [{ sequence: stable.sequence, digest: stable.digest }];
	return {
		...bare,
		stable: stable === null ? null : { ...stable, votes: [] },
		claims: { checkpoints, prePrepared: [] },
	};
}

export const viewAttacks: readonly Attack[] = [
	{
		name: "hide-prepared",
		description: "Leaves out of its view changes what is prepared.",
		twist: of("view-change", (message, means) => resigned({ ...message, prepared: [] }, means)),
	},
	{
		name: "unproved-view-change",
		description: "Claims in its view changes that something else was prepared.",
		twist: of("view-change", (message, means) => {
			const prepared = message.prepared.map((proof) => ({ ...proof, digest: otherDigest(proof.digest) }));
			const sequence = ((message.stable?.sequence ?? 0) + 1) as SequenceNumber;
			const [signature, digest] = [new Uint8Array(64), means.crypto.digest(new Uint8Array(1))];
			const claim = { view: 0 as ViewNumber, sequence, digest, prePrepare: signature, prepares: [] };
			return resigned({ ...message, prepared: prepared.length > 0 ? prepared : [claim] }, means);
		}),
	},
	{
		name: "two-view-changes",
		description: "Sends one view change to each half.",
		twist: (saying, means) => {
			if (saying.message.type !== "view-change" || !isInSecondHalf(saying, means)) return [saying];
			return [{ ...saying, message: resigned({ ...saying.message, prepared: [], stable: null }, means) }];
		},
	},
	{
		name: "view-change-storm",
		description: "Asks for the next view after every batch, whatever the primary does.",
		invent: (means) => sayToAll(means, resigned(viewChangeFor(means.view.view + 1, means), means)),
	},
	{
		name: "huge-view",
		description: "Asks for views far away, and claims to be in them.",
		invent: (means) => {
			const view = (means.view.view + 2 ** 30 + means.step) as ViewNumber;
			const { low, executed, chain, configuration } = means.view;
			const place = { configurationEpoch: configuration.epoch, view, isActive: true, low, executed, chain };
			return [
				...sayToAll(means, resigned(viewChangeFor(view, means), means)),
				...sayToAll(means, { type: "status", ...place }),
			];
		},
	},
	{
		name: "bad-new-view",
		description: "As new primary, proposes something else than what was prepared.",
		twist: of("new-view", (message, means) => {
			const { epoch, view, proposals } = message;
			const changed = proposals.map((proposal) => {
				const digest = otherDigest(proposal.digest);
				const { signature } = resigned(
					{ type: "prepare", epoch, view, sequence: proposal.sequence, digest, signature: proposal.signature },
					means,
				);
				return { ...proposal, digest, signature };
			});
			const first = (means.view.low + 1) as SequenceNumber;
			const digest = means.crypto.digest(Uint8Array.of(7));
			const invented = [{ sequence: first, digest, signature: new Uint8Array(64) }];
			return resigned({ ...message, proposals: changed.length > 0 ? changed : invented }, means);
		}),
	},
	{
		name: "no-new-view",
		description: "As new primary, never opens its view.",
		twist: of("new-view", () => null),
	},
	{
		name: "unfetchable-new-view",
		description: "As new primary, names view changes that it does not show.",
		twist: (saying, means) => {
			const { message } = saying;
			if (message.type === "view-change-body") return [];
			if (message.type !== "new-view") return [saying];
			const viewChanges = message.viewChanges.map(({ sender, digest }) => ({ sender, digest: otherDigest(digest) }));
			return [{ ...saying, message: resigned({ ...message, viewChanges }, means) }];
		},
	},
	{
		name: "lying-checkpoint",
		description: "Votes for a state at each checkpoint that nobody has.",
		twist: of("checkpoint", (message, means) => resigned({ ...message, digest: otherDigest(message.digest) }, means)),
	},
	{
		name: "two-checkpoints",
		description: "Votes for its state at each checkpoint before one half, and for another before the other half.",
		twist: (saying, means) => {
			const { message } = saying;
			if (message.type !== "checkpoint" || !isInSecondHalf(saying, means)) return [saying];
			return [{ ...saying, message: resigned({ ...message, digest: otherDigest(message.digest) }, means) }];
		},
	},
	{
		name: "far-checkpoint",
		description: "Claims checkpoints far ahead, to make others fetch a state that does not exist.",
		invent: (means) => {
			const { epoch } = means.view.configuration;
			const sequence = (means.config.checkpointInterval * 2 ** 20) as SequenceNumber;
			const digest = means.crypto.digest(new Uint8Array(0));
			return sayToAll(means, resigned({ type: "checkpoint", epoch, sequence, digest, signature: digest }, means));
		},
	},
	{
		name: "bad-state",
		description: "Spoils every part of a state and every body that somebody fetches from it.",
		twist: (saying) => {
			const { message } = saying;
			if (message.type === "state-part") {
				return [{ ...saying, message: { ...message, data: message.data.map((byte) => byte ^ 1) } }];
			}
			if (message.type !== "batch") return [saying];
			const requests = message.batch.requests.toReversed().slice(1);
			return [{ ...saying, message: { ...message, batch: { ...message.batch, requests } } }];
		},
	},
	{
		name: "false-decision",
		description: "Shows decisions with certificates that it has made up.",
		invent: (means) => {
			const { view, executed, configuration } = means.view;
			const sequence = (executed + 1) as SequenceNumber;
			const digest = means.crypto.digest(Uint8Array.of(9));
			const statement = { epoch: configuration.epoch, view, sequence, digest };
			const { signature } = resigned({ type: "commit", ...statement, signature: digest }, means);
			const commits = configuration.members.map((sender) => ({ sender, signature }));
			return sayToAll(means, { type: "decision", certificate: { ...statement, commits }, batch: null });
		},
	},
];
