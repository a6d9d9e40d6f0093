/** How PBFT is put into the model checker: its disk, what of a machine's state matters, and what can not matter any more. */
import { assert, type GroupId, type NodeId, nodeId } from "../../core/index.ts";
import { IdealAuthority, type ViewableMachine } from "../../verification/index.ts";
import { type Envelope, type GroupPort, RANK_MAX } from "../../verification/model-checker/index.ts";
import { emptyBytes, equalBytes, hexOf } from "../bytes.ts";
import { type PbftConfig, pbftConfig } from "../config.ts";
import type { HeldVote, PbftCore, Slot } from "../core.ts";
import type { Batch, ClientRequest, CommitCertificate, Epoch, PreparedProof, ViewNumber } from "../entities.ts";
import { PbftMachine } from "../machine.ts";
import type { PbftMessage, ViewChangeAck } from "../messages.ts";
import { quorumOf } from "../quorum.ts";
import { requestDigest, requestStatement } from "../statements.ts";
import type { PbftView } from "../view.ts";
import type { JournalRecord, PbftDurable, PbftTypes, PbftWrite } from "../vocabulary.ts";
import { type LieBounds, liesOf } from "./lies.ts";
import { OneProof, proofAgainst } from "./one-proof.ts";

/** A PBFT machine, or something around one, that observers can look into. */
export type ViewablePbft = ViewableMachine<PbftTypes, PbftView>;

export interface PbftPortOptions {
	/** Members, named `n1` and so on; as many may be faulty as their number allows. */
	readonly nodes: number;
	/**
	 * Members that lie, by number from 1: 1 leads view 0, 2 leads view 1. As long as they are no more than may be faulty, every
	 * property must hold.
	 */
	readonly liars: readonly number[];
	/** See {@link LieBounds.shown}. */
	readonly shown: LieBounds["shown"];
	/** A member in a later view is beyond the bounds. */
	readonly views: number;
	/** A member with a later slot is beyond the bounds. */
	readonly slots: number;
	/** Requests that a client makes, each of any member. */
	readonly requests: number;
	/** What members' votes carry; default `signed`. */
	readonly votes?: PbftConfig["votes"];
	/** Default: the machine of this room. A test plants bugs by putting another in its place. */
	readonly create?: (machine: PbftMachine) => ViewablePbft;
}

/** The part of a machine's state that this port reads. */
type PbftState = Omit<PbftCore, "config" | "crypto" | "choices" | "shapes" | "out" | "clients"> & {
	readonly clients: ReadonlyMap<NodeId, readonly number[]>;
};

/** What is left of it; see {@link essenceOf}. */
type PbftEssence = Pick<PbftState, "view" | "isActive" | "nextSequence" | "executed"> & {
	readonly slots: readonly SlotEssence[];
	readonly viewChanges: PbftState["viewChanges"];
};
type SlotEssence = Pick<Slot, "sequence" | "accepted" | "isPrepared" | "prepared"> & {
	/** Digests by sender; null when they do not matter any more. */
	readonly prepares: ReadonlyMap<NodeId, string> | null;
	readonly commits: ReadonlyMap<NodeId, string> | null;
	readonly decision: Pick<CommitCertificate, "view" | "digest"> | null;
};

const cluster = "model" as GroupId;
const client: NodeId = nodeId("client");
const AUTHORITY_SEED = 1;
/**
 * So large that no run within a model's reach comes near them: a budget that is used up, a checkpoint, an eviction would each make a
 * state's past matter.
 */
const beyondReach = {
	checkpointInterval: 65_536,
	windowSize: 131_072,
	futureMax: 65_536,
	offencesMax: 65_536,
	repeatMax: 4_096,
} as const;

/** What waits for time to pass, or is given more of it, is left out: a network that may deliver late does the same. */
const prompt = { forwardDelayMs: 0, queuePeriodsMax: 0 } as const;

export function pbftPort(options: PbftPortOptions): GroupPort<PbftTypes, PbftView> {
	const nodes = Array.from({ length: options.nodes }, (_, i) => nodeId(`n${i + 1}`));
	const faults = Math.floor((nodes.length - 1) / 3);
	const authority = new IdealAuthority(AUTHORITY_SEED, [...nodes, client]);
	const create = options.create ?? ((machine): ViewablePbft => machine);
	// One request more than are asked, so that a primary that lies has something of its own beside what others would propose.
	const requests = Array.from({ length: options.requests + 1 }, (_, i) => requestOf(authority, i + 1));
	const batches = requests.toReversed().map((request): Batch => ({ requests: [request], choice: emptyBytes }));
	const liars = options.liars.map((number) => nodeId(`n${number}`));
	const configuration = { epoch: 0 as Epoch, members: nodes, faults };
	const { votes = "signed" } = options;
	const configOf = (node: NodeId): PbftConfig =>
		pbftConfig({
			...beyondReach,
			...prompt,
			nodeId: node,
			cluster,
			members: nodes,
			faults,
			batchMaxRequests: 1,
			votes,
		});
	// Whoever is convicted in the last view leads it, and the member is beyond the bounds at once, or not, and nothing comes of it. With more
	// liars than may be faulty it matters for how many of them there is proof. Authenticators prove nothing.
	const isJusticeOver = (view: ViewNumber): boolean =>
		votes === "authenticated" || (view >= options.views && liars.length <= faults);
	const proofs = new Map(liars.map((liar) => [liar, proofAgainst(liar, cluster, authority.portOf(liar))]));
	return {
		nodes,
		create: (node) => new OneProof(create(new PbftMachine(configOf(node), authority.portOf(node))), proofs),
		blank,
		performWrite,
		view: (machine) => (machine as ViewablePbft).view,
		essence: (state) => {
			const core = state as PbftState;
			return { ...essenceOf(core, votes, liars), justice: isJusticeOver(core.view) ? null : justiceOf(core, liars) };
		},
		durableEssence: (durable) => ({
			...durable,
			view: isJusticeOver(durable.view.view) ? { ...durable.view, evidence: [] } : durable.view,
			records: durable.records.map((record) => essenceOfRecord(record, votes)),
		}),
		isWithin: (essence) => {
			const { view, slots } = essence as PbftEssence;
			return view <= options.views && slots.every(({ sequence }) => sequence <= options.slots);
		},
		isObsolete: (envelope, _essence, durable) => {
			if (envelope.message.type === "accusation") return isJusticeOver(durable.view.view);
			return isObsolete(envelope, durable);
		},
		isPremature: ({ message }, essence) => isPremature(message, essence as PbftEssence),
		rank: (essence) => rankOf(essence as PbftEssence),
		// What members repeat was said before, and here nothing that was said is ever lost for good.
		silentTimers: ["status"],
		requests: requests.slice(0, options.requests).map((request) => ({ type: "submit", request })),
		liars,
		forgeries: liars.flatMap((liar) => {
			const { views, slots, shown } = options;
			const speaker = { config: configOf(liar), configuration, crypto: authority.portOf(liar) };
			return liesOf({ speaker, batches, views, slots, shown });
		}),
		describeMessage,
		describeMember: (essence) => describeMember(essence as PbftEssence),
	};
}

/** A client's request, signed by it, told from the others by its only byte. */
function requestOf(authority: IdealAuthority, number: number): ClientRequest {
	const port = authority.portOf(client);
	const body = { client, timestamp: number, kind: "command", operation: Uint8Array.of(number) } as const;
	const signature = port.sign(requestStatement(requestDigest(cluster, port.digest, body)));
	return { ...body, signature, macs: emptyBytes };
}

const blank: PbftDurable = {
	view: { view: 0 as ViewNumber, isActive: true, viewChange: null, opened: null, alarm: null },
	stable: null,
	base: null,
	firstIndex: 1,
	records: [],
};

/** Checkpoints are far beyond the bounds of any model. */
function performWrite(durable: PbftDurable, { view, append, ...others }: PbftWrite): PbftDurable {
	assert(Object.keys(others).length === 0, "a model has no checkpoints", { fields: Object.keys(others) });
	assert(
		append === undefined || append.firstIndex === durable.firstIndex + durable.records.length,
		"an append continues the journal exactly",
	);
	return {
		...durable,
		view: view ?? durable.view,
		records: append === undefined ? durable.records : [...durable.records, ...append.records],
	};
}

/**
 * What of a state can matter to what a member does from here on. Left out are what never changes, what only decides how long timers
 * run, what only the silent timer's repetitions read, and budgets that nothing within reach uses up. And:
 *
 * 1. *In which order votes came, and how many more there are than a proof needs.* It decides only of which members' votes a proof is
 *    made, and whoever checks proofs takes each of them alike. Once a proof is made, it is kept as it is.
 * 2. *Votes of correct members in a slot that is settled*: prepares once it is prepared, commits once it is decided, but for whose they
 *    are (a view change is held against them); and their votes for another digest than the accepted one, for they never give another. They
 *    are looked at only for evidence. What liars have said matters until they are convicted.
 * 3. *By what somebody is convicted*; see `one-proof.ts`. All evidence names liars, or the run ends here, violated. In the last view it does
 *    not matter either who is convicted, nor what liars have said that could convict them.
 * 4. *Whose commits a decision is made of*, as 1.
 *
 * Where votes are authenticated, it matters besides what was ever accepted (Q), who has testified what, and who has acknowledged what, up
 * to a quorum with the new primary and the sender: correct members acknowledge one view change of a sender in a view, and in a model nobody
 * else does, so one that a quorum has stays so. Of proofs their claims alone matter there, since no more is ever told of them.
 */
function essenceOf(
	state: PbftState,
	votes: PbftConfig["votes"],
	liars: readonly NodeId[],
): PbftEssence & Readonly<Record<string, unknown>> {
	const { view, isActive, ownViewChange, opened, viewChanges, openingView, isViewTimerSet, timedRequest } = state;
	const { nextSequence, executed, alarm, unsaved, nextRecord } = state;
	return {
		view,
		isActive,
		ownViewChange,
		opened,
		viewChanges,
		openingView,
		isViewTimerSet,
		timedRequest,
		nextSequence,
		executed,
		alarm,
		unsaved: {
			...unsaved,
			isConviction: false,
			records: unsaved.records.map((record) => essenceOfRecord(record, votes)),
		},
		nextRecord,
		waiting: [...state.waiting.keys()],
		unproposed: [...state.unproposed.keys()],
		forwards: state.forwards,
		clients: state.clients,
		acknowledgements: new Map(
			[...state.acknowledgements].map(([sender, acks]) => [sender, essenceOfAcks(acks, quorumOf(state.configuration))]),
		),
		testimonies: new Map([...state.testimonies].map(([from, said]) => [from, new Set(said)])),
		slots: [...state.slots.values()].map((slot) => essenceOfSlot(slot, votes, liars)),
		// Kept messages that are equal to one kept before do nothing when they are taken up.
		future: new Map([...state.future].map(([from, messages]) => [from, new Set(messages.map(signatureOf))])),
	};
}

/** What each has acknowledged, until it is a quorum's; which members those are does not matter any more. */
function essenceOfAcks(
	acks: ReadonlyMap<NodeId, ViewChangeAck>,
	quorum: number,
): ReadonlyMap<string, ReadonlySet<NodeId> | "held"> {
	const byWord = new Map<string, Set<NodeId>>();
	for (const [from, { view, digest }] of acks) {
		const word = `${view} ${hexOf(digest)}`;
		byWord.set(word, (byWord.get(word) ?? new Set()).add(from));
	}
	return new Map([...byWord].map(([word, from]) => [word, from.size + 2 >= quorum ? "held" : from]));
}

function essenceOfSlot(
	slot: Slot,
	votes: PbftConfig["votes"],
	liars: readonly NodeId[],
): SlotEssence & Readonly<Record<string, unknown>> {
	const { sequence, accepted, bodies, prepares, commits, isPrepared, prepared, decision, held, everAccepted } = slot;
	return {
		sequence,
		everAccepted,
		accepted,
		held,
		bodies: new Set(bodies.keys()),
		prepares: isPrepared ? null : essenceOfVotes(prepares, accepted),
		commits: decision !== null ? null : essenceOfVotes(commits, accepted),
		committed: decision === null || votes !== "signed" ? null : committedBy(commits, accepted, liars),
		isPrepared,
		prepared: prepared === null ? null : essenceOfProof(prepared, votes),
		decision: decision === null ? null : { view: decision.view, digest: decision.digest },
	};
}

/** Who is convicted; and what the others that lie have spoken for in a slot, in whichever phase, or committed to: a word more may convict them. */
function justiceOf({ deposed, slots, unsaved }: PbftState, liars: readonly NodeId[]): unknown {
	const words = new Set<string>();
	for (const liar of liars.filter((one) => !deposed.has(one))) {
		for (const { sequence, prepares, commits } of slots.values()) {
			const [prepare, commit] = [prepares.get(liar), commits.get(liar)];
			for (const vote of [prepare, commit])
				if (vote !== undefined) words.add(`${liar} ${sequence} ${hexOf(vote.digest)}`);
			// It is held against a later view change.
			if (commit !== undefined) words.add(`${liar} ${sequence} commits`);
		}
	}
	return { deposed, words, isUnsaved: unsaved.isConviction };
}

/** Correct members whose commits are here: who hides one of its own in a view change is convicted. */
function committedBy(
	commits: ReadonlyMap<NodeId, HeldVote>,
	accepted: Slot["accepted"],
	liars: readonly NodeId[],
): ReadonlySet<NodeId> {
	return new Set([...essenceOfVotes(commits, accepted).keys()].filter((sender) => !liars.includes(sender)));
}

/** Every vote in a model is well signed, so whether that was checked already does not matter either. */
function essenceOfVotes(votes: ReadonlyMap<NodeId, HeldVote>, accepted: Slot["accepted"]): ReadonlyMap<NodeId, string> {
	const matter = [...votes].filter(([, { digest }]) => accepted !== null && equalBytes(digest, accepted.digest));
	return new Map(matter.map(([sender, { digest }]) => [sender, hexOf(digest)]));
}

function essenceOfProof(proof: PreparedProof, votes: PbftConfig["votes"]): PreparedProof {
	return votes === "signed" ? proof : { ...proof, prePrepare: emptyBytes, prepares: [] };
}

function essenceOfRecord(record: JournalRecord, votes: PbftConfig["votes"]): unknown {
	if (record.type === "prepared") return { ...record, proof: essenceOfProof(record.proof, votes) };
	if (record.type !== "decided") return record;
	const { view, digest } = record.certificate;
	return { type: record.type, sequence: record.sequence, view, digest };
}

/** Names a message of the normal case: what is under its signature says all of it. */
function signatureOf(message: PbftMessage): string {
	return "signature" in message ? hexOf(message.signature) : message.type;
}

/** Words of views that their receiver has left for good: it looks at none of them. */
function isObsolete({ message }: Envelope<PbftTypes>, { view: { view, isActive } }: PbftDurable): boolean {
	switch (message.type) {
		case "pre-prepare":
		case "prepare":
		case "commit":
			return message.view < view;
		case "view-change-ack":
		case "view-change":
		case "new-view":
			return message.view < view || (message.view === view && isActive);
		default:
			return false;
	}
}

/**
 * What a member would only put by: words of views that it is not in, votes in a slot for which it has accepted nothing, commits before
 * it is prepared, and a new view as long as a view change that it names is not here (it would be asked for, and is on its way).
 */
function isPremature(message: PbftMessage, { view, isActive, slots, viewChanges }: PbftEssence): boolean {
	switch (message.type) {
		case "pre-prepare":
			return message.view > view || !isActive;
		case "prepare":
		case "commit": {
			if (message.view > view || !isActive) return true;
			const slot = slots.find(({ sequence }) => sequence === message.sequence);
			if (slot === undefined || slot.accepted === null) return true;
			return message.type === "commit" && !slot.isPrepared;
		}
		case "new-view":
			return message.viewChanges.some(({ sender, digest }) => {
				const known = viewChanges.get(sender);
				return known === undefined || !equalBytes(known.digest, digest);
			});
		default:
			return false;
	}
}

/** Views first, then slots. All but a life's first steps only grow. */
function rankOf({ view, isActive, slots, executed, viewChanges }: PbftEssence): number {
	let rank = 60 * view + (isActive ? 10 : 0) + 4 * executed + viewChanges.size;
	for (const { accepted, prepares, commits } of slots) {
		rank += (accepted === null ? 0 : 2) + (prepares?.size ?? 6) + (commits?.size ?? 6);
	}
	return Math.min(rank, RANK_MAX);
}

/** The first bytes tell digests and signatures apart. */
const SHOWN_DIGITS = 6;

function describeMessage(message: PbftMessage): string {
	const { type, ...fields } = message;
	const parts = Object.entries(fields).map(([name, value]) => `${name} ${describeValue(value)}`);
	return [type, ...parts].join(" ");
}

function describeValue(value: unknown): string {
	if (value instanceof Uint8Array) return hexOf(value).slice(0, SHOWN_DIGITS) || "none";
	if (Array.isArray(value)) return `[${value.map(describeValue).join(", ")}]`;
	if (typeof value !== "object" || value === null) return String(value);
	const fields = Object.entries(value).map(([name, inner]) => `${name} ${describeValue(inner)}`);
	return `{${fields.join(" ")}}`;
}

function describeMember({ view, isActive, slots, executed }: PbftEssence): string {
	const told = slots.map(({ sequence, accepted, prepares, commits, prepared, decision }) => {
		const parts = [accepted === null ? "nothing accepted" : `accepted ${describeValue(accepted.digest)}`];
		if (prepares !== null) parts.push(`${prepares.size} prepares`);
		if (commits !== null) parts.push(`${commits.size} commits`);
		if (prepared !== null) parts.push(`prepared ${describeValue(prepared.digest)} in view ${prepared.view}`);
		if (decision !== null) parts.push(`decided ${describeValue(decision.digest)} in view ${decision.view}`);
		return `slot ${sequence}: ${parts.join(", ")}`;
	});
	return [`${isActive ? "in" : "asks for"} view ${view}`, ...told, `executed ${executed}`].join("; ");
}
