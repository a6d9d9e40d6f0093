/**
 * The machine's variables (Figure 2 and what extends it) and the smallest verbs over them. Every concern of the room
 * is a file of functions over one {@link RaftCore}.
 */
import type { Effect, MonotonicMs, NodeId, RequestId, WriteId } from "../core/index.ts";
import type { RaftConfig } from "./config.ts";
import { configurationOf } from "./configuration.ts";
import { ConfigurationHistory } from "./configuration-history.ts";
import type { Configuration, Entry, LogIndex, RaftSnapshot, Term } from "./entry.ts";
import type { RaftEvent } from "./events.ts";
import { RaftLog } from "./log.ts";
import type { RaftMessage } from "./messages.ts";
import { copyProgress, type Progress } from "./progress.ts";
import type { RaftRefusal, RaftReply, RaftTimer, RaftTypes } from "./vocabulary.ts";

export type RaftRole = "follower" | "pre-candidate" | "candidate" | "leader";

export interface RaftCore {
	readonly config: RaftConfig;
	/** Where the present step's effects go. No part of the state. */
	out: Effect<RaftTypes>[];
	/** The host's clock at the present input, and when rounds began by it, for leases alone. No part of the state. */
	nowMs: MonotonicMs;
	roundBegins: RoundBegin[];
	/** When this follower's open questions were first put, and how fresh its state is known to be; no part of the state either. */
	questionTimes: Map<number, MonotonicMs>;
	freshSinceMs: MonotonicMs | null;

	// What survives a crash (Figure 2, and the snapshot of §7).
	term: Term;
	votedFor: NodeId | null;
	log: RaftLog;
	/** The latest durable snapshot. `snapshot.lastIndex >= log.baseIndex` unless nothing is compacted. */
	snapshot: RaftSnapshot | null;
	/** The configurations of snapshot and log; the latest is `configuration`, in force whether committed or not (§6). */
	configurations: ConfigurationHistory;
	configuration: Configuration;
	/** Where it comes from; see `PlacedConfiguration`. */
	configurationIndex: LogIndex;

	/** In how many lives a leader was asked for read indices, or was forwarded proposals; see `HardState`. */
	askingLives: number;

	// All roles.
	role: RaftRole;
	/** The leader of `term`, as far as known. */
	leader: NodeId | null;
	/** `deliveredIndex <= commitIndex <= log.lastIndex`. */
	commitIndex: LogIndex;
	deliveredIndex: LogIndex;
	/** Bytes of entries delivered since the last snapshot was ordered. */
	deliveredBytes: number;
	/** The snapshot that the application is taking. */
	orderedSnapshot: LogIndex | null;
	/** Where the last ordered or installed snapshot stands; entries since then count towards the next. */
	snapshotMark: LogIndex;
	/** An installed snapshot that is not durable yet: deliveries wait for it. */
	restoring: { readonly writeId: WriteId; readonly snapshot: RaftSnapshot } | null;

	/** The host's word: the application is further behind than `maxUnappliedEntries`. */
	isApplicationBehind: boolean;
	/** The group is silent, as far as this member knows: neither heartbeats nor a wait for them (`quiescence.ts`). */
	isQuiet: boolean;
	/** Of a leader: its heartbeats in a row in which there was nothing to do. */
	idleBeats: number;

	// What the disk was not handed yet, and what it has not finished.
	hardStateUnsaved: boolean;
	compactionUnsaved: LogIndex | null;
	nextWriteId: WriteId;
	/** The last persist that held a term and vote. */
	hardStateWriteId: WriteId;
	/** Unfinished persists and how far the log on the disk reaches, as it stands here, when each is done. */
	writes: { readonly writeId: WriteId; through: LogIndex }[];

	// Followers and candidates.
	/** A leader was heard within the minimum election timeout: no help for other candidates (thesis §6.2). */
	leaderHeard: boolean;
	/**
	 * With leases: no vote is given before the election timer fires, whatever the term, save to a successor that the leader
	 * wants. It outlives terms and leaders, unlike `leaderHeard`.
	 */
	guardsLease: boolean;
	/** What the election timer is to be set to when the batch ends; until then a firing is that of the timer before. */
	electionTimerMs: { readonly min: number; readonly max: number } | null;
	/** Answers to this campaign, one's own included as soon as it counts. */
	votes: Map<NodeId, boolean>;
	/** The persist of one's own vote. */
	voteWriteId: WriteId;
	/** Election timeouts that were let pass for voters of higher priority, since a leader was heard. */
	electionWaits: number;
	/** This member has campaigned since a leader was heard. */
	hasCampaigned: boolean;
	/** Something is withheld in the log, or in the snapshot: see `witness.ts`. */
	isHollow: boolean;
	/** The acknowledgement to the leader that leaves when the batch ends. */
	ack: Acknowledgement | null;
	/** The latest round of this term's leader that was heard. */
	heardRound: number;
	/** A snapshot that is being received. */
	receipt: SnapshotReceipt | null;

	/** How far the log is known to be that of the leader of this term. */
	followedThrough: LogIndex;
	/** What this member has lost is being got again: it does not vote. */
	repair: Repair | null;
	/** The leader's snapshot is wanted: by a local client, or (null) since this member's own can not be read. */
	wantedSnapshot: { readonly requestId: RequestId | null; isSent: boolean } | null;

	/** The questions of this follower's reads to its leader, ascending; empty while no leader is known. */
	questions: ReadQuestion[];
	/** The latest question of this life. */
	lastQuestion: number;
	isReadTimerSet: boolean;
	/** This life has taken a number (`askingLives`), for its questions and proposals to leaders. */
	hasAsked: boolean;
	/** Proposals that this follower has passed on to its leader, ascending by number; empty while no leader is known. */
	forwards: ForwardedProposal[];
	/** The number of the latest of this life. */
	lastForward: number;
	isForwardTimerSet: boolean;

	// Leaders.
	progress: Map<NodeId, Progress>;
	/** Local requests by the index of their entry: `requestIds[i]` waits for `requestsFrom + i`. */
	requestIds: (RequestId | null)[];
	requestsFrom: LogIndex;
	/** How many of `requestIds` are not null. */
	pendingProposals: number;
	/** Bytes of the entries that are not committed; 0 at everyone but a leader. */
	uncommittedBytes: number;
	/** What followers have forwarded in this term, and what came of it. */
	ledgers: Map<NodeId, ForwardingLedger>;
	/** The local request for a change whose joint configuration this leader will leave by itself. */
	changeRequestId: RequestId | null;
	/**
	 * The transfer of leadership that this leader has begun. It outlives the leadership that it has ended, until a leader
	 * is known.
	 */
	transfer: Transfer | null;
	/** Heartbeats until this leader may hand over to a higher priority, and how many there will be until the next attempt. */
	handoverBeats: number;
	nextHandoverBeats: number;
	/** This leader has begun a transfer: it has no lease in its term any more. */
	isLeaseOver: boolean;
	/** The latest read-index round. */
	round: number;
	/** Reads that have no round yet; at a follower, no question. */
	reads: PendingRead[];
	/** What followers have asked and has no round yet. */
	asked: AskedIndex[];
	/** Rounds that are not confirmed or not applied yet, ascending. */
	readRounds: {
		readonly round: number;
		readonly index: LogIndex;
		readonly reads: readonly PendingRead[];
		readonly asked: readonly AskedIndex[];
	}[];
	/** Reads in all, with and without a round or a question, and what followers have asked. */
	pendingReads: number;
	nextReadId: number;
}

/** When a round began. */
export interface RoundBegin {
	readonly round: number;
	readonly atMs: MonotonicMs;
}

/** What a follower owes its leader. */
export interface Acknowledgement {
	/** The last index known to match the leader's log. */
	index: LogIndex;
	round: number;
	/** The leader wants to know that it is followed, now: it sent a heartbeat, or a new round. */
	isPrompt: boolean;
}

export interface PendingRead {
	readonly requestId: RequestId;
	readonly query: Uint8Array;
	/** A lease will not do. */
	readonly needsRound: boolean;
}

/** A follower's question for a read index. */
export interface AskedIndex {
	readonly from: NodeId;
	readonly life: number;
	readonly question: number;
}

/** Reads of a follower that share one question to its leader. */
export interface ReadQuestion {
	readonly question: number;
	readonly reads: readonly PendingRead[];
	/** It was sent to the leader of the present term. */
	isSent: boolean;
	/** The leader's answer: the reads wait until it is applied here. */
	index: LogIndex | null;
	/** How often the read timer has found it waiting. */
	waits: number;
}

/** How a damaged log is got again. */
export interface Repair {
	/** The leader of this term has said how far: with it all that may have been acknowledged is here. */
	through: LogIndex | null;
	isSent: boolean;
}

/** A proposal that a follower has passed on to its leader. */
export interface ForwardedProposal {
	readonly number: number;
	readonly requestId: RequestId;
	/** Of the term in which it was taken in; without its data once the leader has it. */
	entry: Entry;
	/** Where the leader says that it stands. */
	index: LogIndex | null;
	/** It is under way, or its answer is. */
	isSent: boolean;
	/** It has left at least once. */
	wasSent: boolean;
	/** How often the forward timer has found it unanswered. */
	waits: number;
}

/** What one follower's life has forwarded to this leader. */
export interface ForwardingLedger {
	readonly life: number;
	/** The follower knows what came of all numbers below. */
	settledBelow: number;
	/** By number: the index at which it stands, or why it was not taken. */
	readonly outcomes: Map<number, LogIndex | RaftRefusal>;
}

/** A leadership on its way to another voter. */
export interface Transfer {
	readonly to: NodeId;
	/** Null if nobody asked for it. */
	readonly requestId: RequestId | null;
	/** It has the whole log and was told to campaign. */
	isAsked: boolean;
}

/** How much of a leader's snapshot has arrived. Two leaders' snapshots of one index may differ in their bytes. */
export interface SnapshotReceipt {
	readonly lastIndex: LogIndex;
	readonly lastTerm: Term;
	nextOffset: number;
}

/** The core before its start. */
export function createCore(config: RaftConfig): RaftCore {
	const configuration = configurationOf(config.voters, [], config.witnesses);
	return {
		config,
		out: [],
		nowMs: 0,
		roundBegins: [],
		questionTimes: new Map(),
		freshSinceMs: null,
		term: 0 as Term,
		votedFor: null,
		log: new RaftLog(0 as LogIndex, 0 as Term, []),
		snapshot: null,
		configurations: new ConfigurationHistory({ index: 0 as LogIndex, configuration }),
		configuration,
		configurationIndex: 0 as LogIndex,
		askingLives: 0,
		role: "follower",
		leader: null,
		commitIndex: 0 as LogIndex,
		deliveredIndex: 0 as LogIndex,
		deliveredBytes: 0,
		orderedSnapshot: null,
		snapshotMark: 0 as LogIndex,
		restoring: null,
		isApplicationBehind: false,
		isQuiet: false,
		idleBeats: 0,
		hardStateUnsaved: false,
		compactionUnsaved: null,
		nextWriteId: 1,
		hardStateWriteId: 0,
		writes: [],
		leaderHeard: false,
		guardsLease: false,
		electionTimerMs: null,
		votes: new Map(),
		voteWriteId: 0,
		electionWaits: 0,
		hasCampaigned: false,
		isHollow: false,
		ack: null,
		heardRound: 0,
		receipt: null,
		followedThrough: 0 as LogIndex,
		repair: null,
		wantedSnapshot: null,
		questions: [],
		lastQuestion: 0,
		isReadTimerSet: false,
		hasAsked: false,
		forwards: [],
		lastForward: 0,
		isForwardTimerSet: false,
		progress: new Map(),
		requestIds: [],
		requestsFrom: 0 as LogIndex,
		pendingProposals: 0,
		uncommittedBytes: 0,
		ledgers: new Map(),
		changeRequestId: null,
		transfer: null,
		handoverBeats: 0,
		nextHandoverBeats: 0,
		isLeaseOver: false,
		round: 0,
		reads: [],
		asked: [],
		readRounds: [],
		pendingReads: 0,
		nextReadId: 1,
	};
}

/** An independent core in the same state. Immutable values (entries, snapshots, reads) are shared. */
export function copyCore(core: RaftCore): RaftCore {
	return {
		...core,
		out: [],
		roundBegins: core.roundBegins.slice(),
		questionTimes: new Map(core.questionTimes),
		log: core.log.copy(),
		configurations: core.configurations.copy(),
		writes: core.writes.map((write) => ({ ...write })),
		votes: new Map(core.votes),
		transfer: core.transfer === null ? null : { ...core.transfer },
		ack: core.ack === null ? null : { ...core.ack },
		receipt: core.receipt === null ? null : { ...core.receipt },
		repair: core.repair === null ? null : { ...core.repair },
		wantedSnapshot: core.wantedSnapshot === null ? null : { ...core.wantedSnapshot },
		progress: new Map([...core.progress].map(([peer, progress]) => [peer, copyProgress(progress)])),
		requestIds: core.requestIds.slice(),
		questions: core.questions.map((question) => ({ ...question })),
		forwards: core.forwards.map((each) => ({ ...each })),
		ledgers: new Map(
			[...core.ledgers].map(([node, ledger]) => [node, { ...ledger, outcomes: new Map(ledger.outcomes) }]),
		),
		reads: core.reads.slice(),
		asked: core.asked.slice(),
		readRounds: core.readRounds.slice(),
	};
}

/** The core's state as plain data. */
export function viewCore(core: RaftCore): unknown {
	const { config: _config, out: _out, nowMs: _nowMs, log, configurations, ...more } = core;
	const { roundBegins: _begins, questionTimes: _times, freshSinceMs: _fresh, ...variables } = more;
	return { ...variables, log: log.view, configurations: configurations.view };
}

/** Sends something that rests on nothing unsaved; what does, goes through `sendDurable` of `durability.ts`. */
export function sendImmediate(core: RaftCore, to: NodeId, message: RaftMessage): void {
	core.out.push({ type: "send", to, message, release: "immediate" });
}

/** Sets a timer to a wait that the host draws; `max` is `min` where nothing is to be drawn. */
export function setTimer(core: RaftCore, timer: RaftTimer, min: number, max: number = min): void {
	core.out.push({ type: "set-timer", timer, afterMs: { min, max } });
}

export function reply(core: RaftCore, requestId: RequestId, answer: RaftReply): void {
	// A refusal or an unknown outcome rests on nothing durable.
	core.out.push({ type: "reply", requestId, reply: answer, release: "immediate" });
}

export function emit(core: RaftCore, event: RaftEvent): void {
	core.out.push({ type: "emit", event });
}
