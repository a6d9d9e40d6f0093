/** What a member that lies may say in a model: a finite set, each thing signed with its own key and no other. */
import type { CryptoPort, NodeId } from "../../core/index.ts";
import type { Envelope } from "../../verification/model-checker/index.ts";
import { emptyBytes } from "../bytes.ts";
import { type Batch, type Configuration, primaryOf, type SequenceNumber, type ViewNumber } from "../entities.ts";
import type { PbftMessage } from "../messages.ts";
import { batchDigest, nullDigest, type Statement, statementBytes, viewChangeDigest } from "../statements.ts";
import type { PbftTypes } from "../vocabulary.ts";

export interface LieBounds {
	readonly cluster: string;
	readonly configuration: Configuration;
	readonly liar: NodeId;
	/** Speaks as the liar. */
	readonly crypto: CryptoPort;
	/** What it may propose, each with good requests of clients. */
	readonly batches: readonly Batch[];
	/** The last view that it speaks of. */
	readonly views: number;
	/** The last slot that it speaks of. */
	readonly slots: number;
	/**
	 * `one`: to each other member it speaks for one batch only, to every other one for another (as twins do). `all`: it may say
	 * everything to everyone, which makes many more states.
	 */
	readonly shown: "one" | "all";
}

/**
 * Every proposal and every vote of the normal case for every batch (from the second view on for the null request too), and for every
 * later view a view change that hides whatever was prepared. All of it to whomever it likes, so this holds equivocation, double votes,
 * selective silence and forgetting. Not in it: proofs made of others' votes, and messages that are refused for their form.
 */
export function liesOf(bounds: LieBounds): readonly Envelope<PbftTypes>[] {
	const { configuration, liar } = bounds;
	const others = configuration.members.filter((member) => member !== liar);
	return others.flatMap((to, place) => {
		return wordsTo(place, bounds).map((message) => ({ from: liar, to, message }));
	});
}

function wordsTo(place: number, bounds: LieBounds): readonly PbftMessage[] {
	const { views, slots, shown } = bounds;
	const batches =
		shown === "all" ? bounds.batches : bounds.batches.filter((_, i) => i === place % bounds.batches.length);
	const told: PbftMessage[] = [];
	for (let view = 0; view <= views; view++) {
		if (view > 0) told.push(emptyViewChange(bounds, view as ViewNumber));
		for (let sequence = 1; sequence <= slots; sequence++) {
			told.push(...wordsOn({ ...bounds, batches }, view as ViewNumber, sequence as SequenceNumber));
		}
	}
	return told;
}

function wordsOn(bounds: LieBounds, view: ViewNumber, sequence: SequenceNumber): readonly PbftMessage[] {
	const { cluster, configuration, liar, crypto, batches } = bounds;
	const { epoch } = configuration;
	const isPrimary = primaryOf(configuration, view) === liar;
	const said = (type: Statement["type"], digest: Uint8Array): Statement & { readonly signature: Uint8Array } => {
		const statement = { type, epoch, view, sequence, digest };
		return { ...statement, signature: crypto.sign(statementBytes(cluster, liar, statement)) };
	};
	const vote = (type: "prepare" | "commit", digest: Uint8Array): PbftMessage => ({ ...said(type, digest), type });
	const digests = batches.map((batch) => batchDigest(cluster, crypto.digest, batch));
	const proposals = batches.map(
		(batch, i): PbftMessage => ({ ...said("pre-prepare", digests[i] ?? emptyBytes), type: "pre-prepare", batch }),
	);
	const known = view === 0 ? digests : [...digests, nullDigest(crypto.digest)];
	return [
		...(isPrimary ? proposals : known.map((digest) => vote("prepare", digest))),
		...known.map((digest) => vote("commit", digest)),
	];
}

function emptyViewChange({ cluster, configuration, liar, crypto }: LieBounds, view: ViewNumber): PbftMessage {
	const body = { epoch: configuration.epoch, view, stable: null, prepared: [] };
	const digest = viewChangeDigest(crypto.digest, body);
	const statement: Statement = {
		type: "view-change",
		epoch: body.epoch,
		view,
		sequence: 0 as SequenceNumber,
		digest,
	};
	return { type: "view-change", ...body, signature: crypto.sign(statementBytes(cluster, liar, statement)) };
}
