/** The state that all concerns of a PBFT machine share, and the smallest things that all of them do. */
import type { CryptoPort, Effect, NodeId, ReadId, RequestId, WriteId } from "../core/index.ts";
import { emptyBytes } from "./bytes.ts";
import type { ChoicePort } from "./choices.ts";
import { ClientTable } from "./client-table.ts";
import type { PbftConfig } from "./config.ts";
import {
	type Batch,
	type CheckpointCertificate,
	type CheckpointState,
	type ClientRequest,
	type CommitCertificate,
	type Configuration,
	type Digest,
	type Epoch,
	type EpochProof,
	type PendingChange,
	type PreparedProof,
	primaryOf,
	type SequenceNumber,
	type ViewNumber,
} from "./entities.ts";
import type { PbftEvent, Suspicion } from "./events.ts";
import type { Conflict, Evidence } from "./evidence.ts";
import { createGuard, type Guard } from "./guard.ts";
import type {
	Checkpoint,
	Commit,
	NewView,
	PbftMessage,
	PrePrepare,
	Prepare,
	SlotClaim,
	ViewChange,
	ViewChangeAck,
} from "./messages.ts";
import type { ViewChangeContext } from "./new-view-plan.ts";
import type { HeldRead } from "./reads.ts";
import { MessageShapes } from "./shape.ts";
import { nullDigest, type Statement } from "./statements.ts";
import { nothingUnsaved, type Unsaved } from "./unsaved.ts";
import type {
	BaseRecord,
	OpenedView,
	PbftDelivery,
	PbftReply,
	PbftTimer,
	PbftTypes,
	ViewRecord,
} from "./vocabulary.ts";
import { verifierOf } from "./vote-authentication.ts";

/** Messages that a peer may ask for in one status period, in units of `repeatMax`. */
const ANSWERS_PER_REPEAT = 4;

/** One member's word on a slot, as it came in. */
export interface HeldVote {
	readonly digest: Digest;
	readonly signature: Uint8Array;
	/** Signatures are checked when a quorum may be there, since most votes come after it. Only checked ones count. */
	isVerified: boolean;
}

/** One sequence number between the water marks. */
export interface Slot {
	readonly sequence: SequenceNumber;
	/** The pre-prepare that this member speaks for in the present view. */
	accepted: { readonly view: ViewNumber; readonly digest: Digest; readonly signature: Uint8Array } | null;
	/** Bodies by the key of their digest: those of `accepted`, `prepared` and `decision`. */
	bodies: Map<string, Batch>;
	/** A pre-prepare with requests that can not be checked here: it waits for others that could. */
	held: { readonly digest: Digest; readonly signature: Uint8Array; readonly batch: Batch } | null;
	/** By sender, of the present view. They may come before the pre-prepare; each keeps its own digest. */
	prepares: Map<NodeId, HeldVote>;
	commits: Map<NodeId, HeldVote>;
	/** Prepared in the present view, and committed to. */
	isPrepared: boolean;
	/**
	 * Q: digests accepted here, each with the latest view in which it was, at most `ACCEPTED_MAX`; filled where votes are authenticated
	 * only. Their bodies are kept.
	 */
	everAccepted: readonly SlotClaim[];
	/** Of the latest view in which it was prepared here: what a view change must tell. */
	prepared: PreparedProof | null;
	decision: CommitCertificate | null;
	/** Statuses sent since it was opened: what has just been opened is on its way, and is not repeated. */
	age: number;
	/** The journal's first record of this slot. */
	firstRecord: number | null;
}

/** A request that is known to be authentic and not executed. */
export interface WaitingRequest {
	readonly request: ClientRequest;
	readonly digest: Digest;
	/** Local clients that wait for its result. */
	requestIds: RequestId[];
}

/** A state that is being fetched. */
export interface Transfer {
	readonly certificate: CheckpointCertificate;
	readonly state: CheckpointState;
	/** Members to ask, in turn. */
	readonly sources: readonly NodeId[];
	source: number;
	/** Parts up to here are on the disk. */
	received: number;
	/** Parts that came before their turn. */
	early: Map<number, Uint8Array>;
	/** Something came since the timer was set. */
	isMoving: boolean;
}

/** What was captured at a checkpoint, until it is stable or passed over. */
export interface Capture {
	readonly state: Omit<CheckpointState, "root" | "sizeBytes">;
	/** Complete once the host has hashed the application's part. */
	complete: {
		readonly state: CheckpointState;
		/** In which this member has said so. */
		readonly epoch: Epoch;
		readonly digest: Digest;
		readonly signature: Uint8Array;
	} | null;
}

/** What a member that recovers has been told. */
export interface Recovery {
	/** Its durable checkpoint when it began. */
	readonly base: number;
	readonly reports: Map<NodeId, { readonly low: SequenceNumber; readonly prepared: SequenceNumber }>;
	/** c of TOCS §5.2; null until a quorum has told. */
	estimate: SequenceNumber | null;
}

/** What one peer has done in this status period. */
export interface PeerBudget {
	/** Malformed or unproved messages. */
	offences: number;
	/** Its status was answered. */
	isAnswered: boolean;
	/** Messages that it has got for the asking. */
	answers: number;
	/** Parts of a state that are being read for it. */
	reads: number;
	/** Words under keys that this member has renewed since: no offences. */
	staleWords: number;
	/** It has renewed its keys, and this member has repeated its words under them. */
	isRepeatedTo: boolean;
}

export interface PbftCore {
	readonly config: PbftConfig;
	readonly crypto: CryptoPort;
	readonly choices: ChoicePort;
	readonly shapes: MessageShapes;
	/** Where effects go; the host's list of the present step. */
	out: Effect<PbftTypes>[];

	configuration: Configuration;
	/** A change that is ordered and comes into force behind its last slot of this epoch. Part of the replicated state, as the next. */
	pending: PendingChange | null;
	/** The configurations before, ascending, at most {@link PAST_CONFIGURATIONS_MAX}. */
	history: readonly Configuration[];
	/** Proofs of epochs, ascending, at most {@link EPOCH_PROOFS_MAX}: this member's own past, and what it has learnt of later ones. */
	epochs: readonly EpochProof[];
	/** A later epoch goes on without this member, which was shown so; what it knows of the order ends in this one. */
	hasLeft: boolean;
	/** No slot up to here is of this epoch. */
	epochStart: SequenceNumber;
	/** Digest of the null request; the same for ever. */
	readonly nothing: Digest;

	/** The view that this member is in, or wants to be in. Never below what it has told anyone. */
	view: ViewNumber;
	isActive: boolean;
	/** What was sent for `view` while it is not active. */
	ownViewChange: ViewChange | null;
	opened: OpenedView | null;
	/** The last good view change of each member, for `view` or later. */
	viewChanges: Map<NodeId, { readonly message: ViewChange; readonly digest: Digest }>;
	/** A new view whose view changes are not all here. */
	openingView: { readonly from: NodeId; readonly message: NewView; readonly bodies: Map<NodeId, ViewChange> } | null;
	/** Views in a row that brought no progress; the timeouts are doubled so many times. */
	failedViews: number;
	/** Something new was executed since the view was entered. */
	hasProgressed: boolean;
	/** The first slot of this view that no earlier view had prepared. */
	freshFrom: SequenceNumber;
	isViewTimerSet: boolean;
	/** A recovery that is under way. */
	recovery: Recovery | null;
	/** Recoveries of this life so far. */
	recoveries: number;
	/** What was measured of primaries. */
	guard: Guard;
	/** What the request timer runs for. */
	timedRequest: string | null;
	/** What became of the queue since that was set: see `queuePeriodsMax`. */
	queue: {
		/** Times that the request was given more. */
		periods: number;
		/** `executed` when it was set last. */
		executed: SequenceNumber;
		/** Requests that came later and were executed since. */
		overtaken: number;
	};

	/** h: the last stable checkpoint that is known; null at the beginning of the order. */
	stable: CheckpointCertificate | null;
	low: SequenceNumber;
	/** The checkpoint that is on the disk with its state. `base.sequence <= low`. */
	base: BaseRecord | null;
	captures: Map<SequenceNumber, Capture>;
	/** Checkpoint votes above `low`, by sequence and sender. */
	checkpoints: Map<SequenceNumber, Map<NodeId, HeldVote>>;
	/** The highest checkpoint that each member speaks of beyond the window. */
	ahead: Map<NodeId, SequenceNumber>;
	transfer: Transfer | null;

	slots: Map<SequenceNumber, Slot>;
	/** The primary's next slot. */
	nextSequence: SequenceNumber;
	/** All up to here was handed to the application. */
	executed: SequenceNumber;
	chain: Digest;
	/** The next slot, if it was executed before it is committed. */
	tentative: { readonly sequence: SequenceNumber; readonly digest: Digest } | null;
	/** Reads that wait until nothing is tentative, and all that was prepared is executed. */
	heldReads: HeldRead[];
	/** The choice of the last executed batch. */
	choice: Uint8Array;
	/** The chain after each of the last slots, for finding out where histories part. */
	chains: Map<SequenceNumber, Digest>;
	clients: ClientTable;
	/** By `client:timestamp`, in the order of arrival. */
	waiting: Map<string, WaitingRequest>;
	/** Those of them that are in no slot of the present view, in order. */
	unproposed: Map<string, WaitingRequest>;
	/** By member, the clients whose authenticators it could not check. With f + 1 members a client has to sign. */
	complaints: Map<NodeId, Set<NodeId>>;
	/** Requests to be passed on when the batch ends. */
	forwards: ClientRequest[];
	/** Requests that the primary may still propose by itself: those that came since the forward timer was set, and those before. */
	unforwarded: { young: ClientRequest[]; old: ClientRequest[] };
	isForwardTimerSet: boolean;
	isBatchTimerSet: boolean;
	/** The gathering time is over: propose what there is. */
	isBatchDue: boolean;

	/** Messages for views that are not entered yet and slots above the window, by sender, at most `futureMax` each. */
	future: Map<NodeId, (PrePrepare | Prepare | Commit | Checkpoint)[]>;
	/** Where this member was when it last looked which of them are due. */
	takenAt: { readonly view: number; readonly isActive: boolean; readonly epoch: number; readonly high: number };
	peers: Map<NodeId, PeerBudget>;
	/** Statuses of this member since it has heard each of the others. */
	silences: Map<NodeId, number>;
	/** Those that are heard are no quorum with this member. */
	isParted: boolean;
	/** The first evidence against each member. */
	convicted: Map<NodeId, Evidence>;
	/** Of them, the members that everyone of this epoch can be shown to be faulty: none of these leads, see `accusation.ts`. */
	deposed: Set<NodeId>;
	/** What members have said that convinces nobody alone, by member; only where votes are authenticated. See `testimony.ts`. */
	testimonies: Map<NodeId, readonly string[]>;
	/** Who has what view change of whom, as far as the primary that needs it was told; only where votes are authenticated. */
	acknowledgements: Map<NodeId, Map<NodeId, ViewChangeAck>>;
	/** Of the keys by which others speak to this member; 0 until the first refresh. See `session-keys.ts`. */
	keyGeneration: number;
	/** Of those by which this member speaks to others, by receiver. */
	peerGenerations: Map<NodeId, number>;
	/** The collector of this view was too slow: votes go to everyone. */
	isCollectorSlow: boolean;
	isCollectorTimerSet: boolean;
	/** Slots up to here were open when the collector was last looked at. */
	collectedThrough: number;
	alarm: Conflict | null;

	nextWriteId: WriteId;
	nextReadId: ReadId;
	/** Peers whose reads of parts are under way. */
	reads: Map<ReadId, NodeId>;
	nextRecord: number;
	unsaved: Unsaved;
	/** Sends and deliveries of this batch: they leave behind its persist. */
	gathered: Effect<PbftTypes>[];
}

export function createCore(config: PbftConfig, crypto: CryptoPort, choices: ChoicePort): PbftCore {
	const { members, faults } = config;
	return {
		config,
		crypto,
		choices,
		shapes: new MessageShapes(config),
		out: [],
		configuration: { epoch: config.epoch as Epoch, members, faults },
		pending: null,
		history: [],
		epochs: [],
		hasLeft: false,
		epochStart: 0 as SequenceNumber,
		nothing: nullDigest(crypto.digest),
		view: 0 as ViewNumber,
		isActive: true,
		ownViewChange: null,
		opened: null,
		viewChanges: new Map(),
		openingView: null,
		failedViews: 0,
		hasProgressed: true,
		freshFrom: 1 as SequenceNumber,
		isViewTimerSet: false,
		recovery: null,
		recoveries: 0,
		guard: createGuard(),
		timedRequest: null,
		queue: { periods: 0, executed: 0 as SequenceNumber, overtaken: 0 },
		stable: null,
		low: 0 as SequenceNumber,
		base: null,
		captures: new Map(),
		checkpoints: new Map(),
		ahead: new Map(),
		transfer: null,
		slots: new Map(),
		nextSequence: 1 as SequenceNumber,
		executed: 0 as SequenceNumber,
		chain: emptyBytes,
		tentative: null,
		heldReads: [],
		choice: emptyBytes,
		chains: new Map(),
		clients: new ClientTable(config),
		waiting: new Map(),
		unproposed: new Map(),
		complaints: new Map(),
		forwards: [],
		unforwarded: { young: [], old: [] },
		isForwardTimerSet: false,
		isBatchTimerSet: false,
		isBatchDue: false,
		future: new Map(),
		takenAt: { view: 0, isActive: true, epoch: config.epoch, high: -1 },
		peers: new Map(),
		silences: new Map(),
		isParted: false,
		convicted: new Map(),
		deposed: new Set(),
		testimonies: new Map(),
		acknowledgements: new Map(),
		keyGeneration: 0,
		peerGenerations: new Map(),
		isCollectorSlow: false,
		isCollectorTimerSet: false,
		collectedThrough: 0,
		alarm: null,
		nextWriteId: 1,
		nextReadId: 1,
		reads: new Map(),
		nextRecord: 1,
		unsaved: nothingUnsaved(),
		gathered: [],
	};
}

/** An independent core in the same state. Immutable values (batches, proofs, messages) are shared. */
export function copyCore(core: PbftCore): PbftCore {
	const waiting = copyEach(core.waiting, (request) => ({ ...request, requestIds: request.requestIds.slice() }));
	return {
		...core,
		out: [],
		guard: { ...core.guard },
		recovery: core.recovery === null ? null : { ...core.recovery, reports: new Map(core.recovery.reports) },
		heldReads: core.heldReads.slice(),
		viewChanges: new Map(core.viewChanges),
		openingView: core.openingView === null ? null : { ...core.openingView, bodies: new Map(core.openingView.bodies) },
		captures: copyEach(core.captures, (capture) => ({ ...capture })),
		checkpoints: copyEach(core.checkpoints, copyVotes),
		ahead: new Map(core.ahead),
		transfer: core.transfer === null ? null : { ...core.transfer, early: new Map(core.transfer.early) },
		slots: copyEach(core.slots, (slot) => ({
			...slot,
			bodies: new Map(slot.bodies),
			prepares: copyVotes(slot.prepares),
			commits: copyVotes(slot.commits),
		})),
		chains: new Map(core.chains),
		clients: core.clients.copy(),
		waiting,
		unproposed: new Map([...waiting].filter(([key]) => core.unproposed.has(key))),
		complaints: copyEach(core.complaints, (clients) => new Set(clients)),
		forwards: core.forwards.slice(),
		unforwarded: { young: core.unforwarded.young.slice(), old: core.unforwarded.old.slice() },
		queue: { ...core.queue },
		future: copyEach(core.future, (messages) => messages.slice()),
		peers: copyEach(core.peers, (budget) => ({ ...budget })),
		silences: new Map(core.silences),
		convicted: new Map(core.convicted),
		deposed: new Set(core.deposed),
		testimonies: new Map(core.testimonies),
		peerGenerations: new Map(core.peerGenerations),
		acknowledgements: copyEach(core.acknowledgements, (acknowledgements) => new Map(acknowledgements)),
		reads: new Map(core.reads),
		unsaved: { ...core.unsaved, records: core.unsaved.records.slice(), parts: core.unsaved.parts.slice() },
		gathered: core.gathered.slice(),
	};
}

function copyVotes(votes: ReadonlyMap<NodeId, HeldVote>): Map<NodeId, HeldVote> {
	return copyEach(votes, (vote) => ({ ...vote }));
}

function copyEach<K, V>(map: ReadonlyMap<K, V>, copy: (value: V) => V): Map<K, V> {
	return new Map([...map].map(([key, value]) => [key, copy(value)]));
}

/** The core's state as plain data. */
export function viewCore(core: PbftCore): unknown {
	const {
		config: _config,
		crypto: _crypto,
		choices: _choices,
		shapes: _shapes,
		out: _out,
		clients,
		...variables
	} = core;
	return { ...variables, clients: clients.view };
}

export function isPrimary(core: PbftCore): boolean {
	return primaryOf(core.configuration, core.view) === core.config.nodeId;
}

export function isMember(core: PbftCore, node: NodeId): boolean {
	return core.configuration.members.includes(node);
}

/** Whether this member votes: it is one of the configuration, and has not been shown that it was removed from a later one. */
export function takesPart(core: PbftCore): boolean {
	return !core.hasLeft && isMember(core, core.config.nodeId);
}

/** Everyone else in the configuration. */
export function peersOf(core: PbftCore): NodeId[] {
	return core.configuration.members.filter((member) => member !== core.config.nodeId);
}

/**
 * H: sequence numbers above it are not accepted: h + L (OSDI'99 §4.3), but none of another epoch, and none above the next checkpoint but
 * one after the state that is known here, of which the configuration may not be settled (see `reconfiguration.ts`); while this member recovers
 * L above what a quorum has told (TOCS §5.2).
 */
export function highOf(core: PbftCore): SequenceNumber {
	const { windowSize, checkpointInterval } = core.config;
	const shown = core.transfer?.state;
	let { executed: known, pending } = core;
	if (shown !== undefined && shown.sequence > known) {
		if (shown.configuration.epoch !== core.configuration.epoch) return core.low;
		known = shown.sequence;
		pending = shown.pending;
	}
	const settled = (Math.floor(known / checkpointInterval) + 2) * checkpointInterval;
	return Math.min(
		core.low + windowSize,
		settled,
		core.recovery === null ? Number.POSITIVE_INFINITY : (core.recovery.estimate ?? 0) + windowSize,
		pending?.effectiveAfter ?? Number.POSITIVE_INFINITY,
	) as SequenceNumber;
}

/** The epoch is at its last slot: nothing more is agreed in it. */
export function isAtEpochEnd(core: PbftCore): boolean {
	return core.pending !== null && core.executed >= core.pending.effectiveAfter;
}

/** The configuration of an epoch, if it is known here; null if not. */
export function configurationOf({ configuration, history, epochs }: PbftCore, epoch: number): Configuration | null {
	if (epoch === configuration.epoch) return configuration;
	const past = history.find((known) => known.epoch === epoch);
	return past ?? epochs.find(({ header }) => header.configuration.epoch === epoch)?.header.configuration ?? null;
}

/** What this machine's judgements of proofs rest on. */
export function judgeOf(core: PbftCore): ViewChangeContext {
	return {
		cluster: core.config.cluster,
		verifier: verifierOf(core),
		windowSize: core.config.windowSize,
		configurationOf: (epoch) => configurationOf(core, epoch),
		isKnown: (vote, statement) => isKnownVote(core, vote.sender, vote.signature, statement),
	};
}

/** Whether this very signature was checked here before, as a vote: proofs of others mostly consist of those. */
function isKnownVote(core: PbftCore, sender: NodeId, signature: Uint8Array, statement: Statement): boolean {
	// Earlier epochs have views of the same numbers.
	if (statement.epoch !== core.configuration.epoch || statement.sequence <= core.epochStart) return false;
	const slot = core.slots.get(statement.sequence);
	if (slot === undefined || slot.accepted?.view !== statement.view) return false;
	const votes = statement.type === "prepare" ? slot.prepares : statement.type === "commit" ? slot.commits : null;
	const vote = votes?.get(sender);
	if (vote === undefined || !vote.isVerified) return false;
	return isSame(vote.signature, signature) && isSame(vote.digest, statement.digest);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Sends after everything unsaved and saved before is durable: all that a PBFT member says rests on its own disk. */
export function send(core: PbftCore, to: NodeId, message: PbftMessage): void {
	core.gathered.push({ type: "send", to, message, release: "after-durable" });
}

export function broadcast(core: PbftCore, message: PbftMessage): void {
	for (const peer of peersOf(core)) send(core, peer, message);
}

/** Asks and repetitions, which claim nothing that is not durable already. */
export function sendImmediate(core: PbftCore, to: NodeId, message: PbftMessage): void {
	core.out.push({ type: "send", to, message, release: "immediate" });
}

/** Hands something to the application, behind the persist of this batch. */
export function deliver(core: PbftCore, delivery: PbftDelivery): void {
	core.gathered.push({ type: "apply", delivery, release: "after-durable" });
}

export function setTimer(core: PbftCore, timer: PbftTimer, ms: number, spread = 0): void {
	core.out.push({ type: "set-timer", timer, afterMs: { min: ms, max: ms + spread } });
}

export function cancelTimer(core: PbftCore, timer: PbftTimer): void {
	core.out.push({ type: "cancel-timer", timer });
}

export function emit(core: PbftCore, event: PbftEvent): void {
	core.out.push({ type: "emit", event });
}

export function reply(core: PbftCore, requestId: RequestId, answer: PbftReply): void {
	// A refusal rests on nothing durable.
	core.out.push({ type: "reply", requestId, reply: answer, release: "immediate" });
}

export function budgetOf(core: PbftCore, peer: NodeId): PeerBudget {
	let budget = core.peers.get(peer);
	if (budget === undefined) {
		budget = { offences: 0, isAnswered: false, answers: 0, reads: 0, staleWords: 0, isRepeatedTo: false };
		core.peers.set(peer, budget);
	}
	return budget;
}

/** Whether a peer may get one more message for the asking in this status period. Asking costs it nothing, so answering is bounded. */
export function mayAnswer(core: PbftCore, peer: NodeId): boolean {
	const budget = budgetOf(core, peer);
	if (budget.answers >= ANSWERS_PER_REPEAT * core.config.repeatMax) return false;
	budget.answers++;
	return true;
}

/** Takes note of what only this member has seen. */
export function suspect(core: PbftCore, member: NodeId, reason: Suspicion): void {
	const budget = budgetOf(core, member);
	budget.offences++;
	// One event for each offence up to the bound: a flood of bad messages makes no flood of events.
	if (budget.offences <= core.config.offencesMax) emit(core, { type: "suspicion", member, reason });
	if (budget.offences === core.config.offencesMax) {
		emit(core, { type: "suspicion", member, reason: "too-many-offences" });
	}
}

/** The record of where this member is in the order of views. */
export function viewRecordOf(core: PbftCore): ViewRecord {
	const { view, isActive, ownViewChange: viewChange, opened, alarm, keyGeneration, convicted } = core;
	return {
		view,
		isActive,
		viewChange,
		opened,
		alarm,
		...(keyGeneration > 0 ? { keyGeneration } : {}),
		...(convicted.size > 0 ? { evidence: [...convicted.values()] } : {}),
	};
}
