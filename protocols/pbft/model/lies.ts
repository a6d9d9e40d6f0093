/** What a member that lies may say in a model: a finite set, each thing signed with its own key and no other. */
import type { Envelope } from "../../verification/model-checker/index.ts";
import { emptyBytes } from "../bytes.ts";
import { type Batch, type Digest, primaryOf, type SequenceNumber, type ViewNumber } from "../entities.ts";
import type { PbftMessage, ViewChange } from "../messages.ts";
import { batchDigest, nullDigest, type Statement, viewChangeDigest } from "../statements.ts";
import type { PbftTypes } from "../vocabulary.ts";
import { type Authenticating, isAuthenticated, sign } from "../vote-authentication.ts";

export interface LieBounds {
	/** The liar, with its keys. */
	readonly speaker: Authenticating;
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
 * selective silence and forgetting. Where votes are authenticated also a view change that claims each batch to be prepared in the view
 * before, and, in models of one view, decisions without proof. Not in it: proofs made of others' votes, acknowledgements of others' view changes, vectors that are
 * good for some alone, and messages that are refused for their form.
 */
export function liesOf(bounds: LieBounds): readonly Envelope<PbftTypes>[] {
	const { configuration } = bounds.speaker;
	const liar = bounds.speaker.config.nodeId;
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
		if (view > 0) told.push(...viewChangesTo({ ...bounds, batches }, view as ViewNumber));
		for (let sequence = 1; sequence <= slots; sequence++) {
			told.push(...wordsOn({ ...bounds, batches }, view as ViewNumber, sequence as SequenceNumber));
		}
	}
	return told;
}

function wordsOn(
	{ speaker, batches, views }: LieBounds,
	view: ViewNumber,
	sequence: SequenceNumber,
): readonly PbftMessage[] {
	const { configuration, crypto, config } = speaker;
	const { epoch } = configuration;
	const isPrimary = primaryOf(configuration, view) === config.nodeId;
	const said = (type: Statement["type"], digest: Digest): Statement & { readonly signature: Uint8Array } => {
		const statement = { type, epoch, view, sequence, digest };
		return { ...statement, signature: sign(speaker, statement) };
	};
	const vote = (type: "prepare" | "commit", digest: Digest): PbftMessage => ({ ...said(type, digest), type });
	const digests = batches.map((batch) => digestOf(speaker, batch));
	const proposals = batches.map(
		(batch, i): PbftMessage => ({ ...said("pre-prepare", digests[i] ?? emptyBytes), type: "pre-prepare", batch }),
	);
	const known = view === 0 ? digests : [...digests, nullDigest(crypto.digest)];
	const decisions = batches.map((batch, i): PbftMessage => {
		const certificate = { epoch, view, sequence, digest: digests[i] ?? emptyBytes, commits: [] };
		return { type: "decision", certificate, batch };
	});
	return [
		...(isPrimary ? proposals : known.map((digest) => vote("prepare", digest))),
		...known.map((digest) => vote("commit", digest)),
		...(isAuthenticated(speaker) && views === 0 ? decisions : []),
	];
}

function digestOf({ config, crypto }: Authenticating, batch: Batch): Digest {
	return batchDigest(config.cluster, crypto.digest, batch);
}

/** One that hides everything; where they only claim, for each batch one that says that it is prepared. */
function viewChangesTo({ speaker, batches }: LieBounds, view: ViewNumber): readonly PbftMessage[] {
	const nothing = { stable: null, prepared: [] };
	if (!isAuthenticated(speaker)) return [viewChangeOf(speaker, view, nothing)];
	const claims = { checkpoints: [], prePrepared: [] };
	const claiming = batches.map((batch) => {
		const claim = { view: (view - 1) as ViewNumber, sequence: 1 as SequenceNumber, digest: digestOf(speaker, batch) };
		const prepared = [{ ...claim, prePrepare: emptyBytes, prepares: [] }];
		return viewChangeOf(speaker, view, { stable: null, prepared, claims: { ...claims, prePrepared: [claim] } });
	});
	return [viewChangeOf(speaker, view, { ...nothing, claims }), ...claiming];
}

function viewChangeOf(
	speaker: Authenticating,
	view: ViewNumber,
	said: Pick<ViewChange, "stable" | "prepared" | "claims">,
): PbftMessage {
	const { epoch } = speaker.configuration;
	const body = { epoch, view, ...said };
	const digest = viewChangeDigest(speaker.crypto.digest, body);
	const statement: Statement = { type: "view-change", epoch, view, sequence: 0 as SequenceNumber, digest };
	return { type: "view-change", ...body, signature: sign(speaker, statement) };
}
