/** The Raft state machine: settles the term once, then hands each input to its concern. */
import {
	assert,
	assertNever,
	type Effect,
	type Input,
	type MonotonicMs,
	type NodeId,
	type StateMachine,
	type WriteId,
} from "../core/index.ts";
import { type RaftConfig, validateRaftConfig } from "./config.ts";
import { copyCore, createCore, type RaftCore, type RaftRole, setTimer, viewCore } from "./core.ts";
import { deliverCommitted, handleSnapshotReady, restoreInstalled } from "./delivery.ts";
import { completeWrites, persistUnsaved, sendDurable } from "./durability.ts";
import {
	handleElectionTimer,
	handleOwnVoteDurable,
	handleRequestVote,
	handleVote,
	ignoresCandidates,
} from "./election.ts";
import type { LogIndex, Term } from "./entry.ts";
import { acknowledgeNow, handleAppendEntries, handleInstallSnapshot } from "./follower.ts";
import type { RaftMessage, SnapshotResponse } from "./messages.ts";
import { completeReads, openReadRound } from "./read-index.ts";
import {
	advanceCommit,
	handleAppendResponse,
	handleHeartbeatTimer,
	handleReachability,
	noteAlive,
	replicate,
} from "./replication.ts";
import { handleRequest } from "./requests.ts";
import { handleStart } from "./restart.ts";
import { becomeFollower } from "./roles.ts";
import { handleReadCompleted, handleSnapshotResponse } from "./snapshot-transfer.ts";
import type { RaftView } from "./view.ts";
import type { RaftTypes } from "./vocabulary.ts";

/** Where a participant stands, for observers; cheap to ask. */
export interface RaftStatus {
	readonly role: RaftRole;
	readonly term: Term;
	readonly leader: NodeId | null;
	readonly commitIndex: LogIndex;
	readonly deliveredIndex: LogIndex;
	readonly lastIndex: LogIndex;
	/** The last compacted index. */
	readonly baseIndex: LogIndex;
	/** The last index of the durable snapshot; 0 if there is none. */
	readonly snapshotIndex: LogIndex;
	readonly pendingProposals: number;
	readonly pendingReads: number;
}

/**
 * One participant's part in one Raft group.
 *
 * Between batches it holds back new entries, acknowledgements, reads and deliveries, and emits them on
 * `batch-ended`: a persist, at most `maxInflightAppends` appends per peer, one acknowledgement, one delivery (more
 * only where a bound of the config cuts them), the election timer once. Votes and refusals leave with the step that
 * causes them.
 * `now` is not used.
 */
export class RaftMachine implements StateMachine<RaftTypes> {
	#core: RaftCore;

	/** @throws QuorateError as `validateRaftConfig` */
	constructor(config: RaftConfig) {
		validateRaftConfig(config);
		this.#core = createCore(config);
	}

	step(input: Input<RaftTypes>, _now: MonotonicMs, effects: Effect<RaftTypes>[]): void {
		const core = this.#core;
		core.out = effects;
		switch (input.type) {
			case "message":
				receive(core, input.from, input.message);
				return;
			case "request":
				handleRequest(core, input.requestId, input.request);
				return;
			case "batch-ended":
				endBatch(core);
				return;
			case "write-completed":
				completeWrite(core, input.writeId);
				return;
			case "timer":
				if (input.timer === "election") handleElectionTimer(core);
				else handleHeartbeatTimer(core);
				return;
			case "read-completed":
				handleReadCompleted(core, input.readId, input.result);
				return;
			case "snapshot-ready":
				handleSnapshotReady(core, input.snapshot);
				return;
			case "peer-reachable":
			case "peer-unreachable":
				handleReachability(core, input.peer, input.type === "peer-reachable");
				return;
			case "start":
				handleStart(core, input.durable);
				return;
			default:
				assertNever(input, "input");
		}
	}

	get state(): unknown {
		return viewCore(this.#core);
	}

	/** What the properties of `properties/` look at. Costs nothing; see {@link RaftView} for how long it is valid. */
	get view(): RaftView {
		return this.#core;
	}

	get status(): RaftStatus {
		const { role, term, leader, commitIndex, deliveredIndex, log, snapshot, pendingProposals, pendingReads } =
			this.#core;
		return {
			role,
			term,
			leader,
			commitIndex,
			deliveredIndex,
			lastIndex: log.lastIndex,
			baseIndex: log.baseIndex,
			snapshotIndex: snapshot?.lastIndex ?? (0 as LogIndex),
			pendingProposals,
			pendingReads,
		};
	}

	copy(): RaftMachine {
		const copy = new RaftMachine(this.#core.config);
		copy.#core = copyCore(this.#core);
		return copy;
	}
}

function receive(core: RaftCore, from: NodeId, message: RaftMessage): void {
	if (!settleTerm(core, from, message)) return;
	switch (message.type) {
		case "append-entries":
			handleAppendEntries(core, from, message);
			return;
		case "append-response":
			handleAppendResponse(core, from, message);
			return;
		case "request-vote":
			handleRequestVote(core, from, message);
			return;
		case "vote":
			handleVote(core, from, message);
			return;
		case "install-snapshot":
			handleInstallSnapshot(core, from, message);
			return;
		case "snapshot-response":
			receiveSnapshotResponse(core, from, message);
			return;
		default:
			assertNever(message, "message");
	}
}

/**
 * What all roles do about terms, first (Figure 2, "Rules for Servers"): a later term is taken up, an earlier one is
 * answered with ours. Returns whether the message goes on to its handler.
 */
function settleTerm(core: RaftCore, from: NodeId, message: RaftMessage): boolean {
	if (message.term === core.term) return true;
	if (message.term < core.term) {
		answerStale(core, from, message);
		return false;
	}
	switch (message.type) {
		case "request-vote":
			if (ignoresCandidates(core)) return false;
			// A pre-vote names a term that nobody has entered yet (thesis §9.6).
			if (!message.preVote) becomeFollower(core, message.term, null);
			return true;
		case "vote":
			if (message.preVote && message.granted) return message.term === core.term + 1;
			becomeFollower(core, message.term, null);
			return true;
		case "append-entries":
		case "install-snapshot":
			becomeFollower(core, message.term, from);
			return true;
		case "append-response":
		case "snapshot-response":
			becomeFollower(core, message.term, null);
			return true;
		default:
			return assertNever(message, "message");
	}
}

/** Tells a leader or candidate of an earlier term that it is over; without this a higher term could stay alone. */
function answerStale(core: RaftCore, from: NodeId, message: RaftMessage): void {
	const { term } = core;
	const zero = 0 as LogIndex;
	switch (message.type) {
		case "append-entries": {
			const { prevIndex: index, round } = message;
			const hint = { hintIndex: zero, hintTerm: 0 as Term };
			sendDurable(core, from, { type: "append-response", term, accepted: false, index, ...hint, round });
			return;
		}
		case "install-snapshot": {
			const { lastIndex, round } = message;
			sendDurable(core, from, { type: "snapshot-response", term, lastIndex, nextOffset: 0, round });
			return;
		}
		case "request-vote":
			sendDurable(core, from, { type: "vote", term, granted: false, preVote: message.preVote });
			return;
		case "vote":
		case "append-response":
		case "snapshot-response":
			return;
		default:
			assertNever(message, "message");
	}
}

function receiveSnapshotResponse(core: RaftCore, from: NodeId, message: SnapshotResponse): void {
	const progress = core.progress.get(from);
	if (core.role !== "leader" || progress === undefined) return;
	noteAlive(core, progress, message.round);
	if (handleSnapshotResponse(core, from, progress, message)) advanceCommit(core);
}

function completeWrite(core: RaftCore, writeId: WriteId): void {
	assert(writeId < core.nextWriteId, "only what was handed to the disk can be durable", { writeId });
	completeWrites(core, writeId);
	restoreInstalled(core, writeId);
	if (writeId >= core.voteWriteId) handleOwnVoteDurable(core);
	advanceCommit(core);
}

/** Emits what the batch has gathered, the disk first. */
function endBatch(core: RaftCore): void {
	if (core.electionTimerMs !== null) {
		setTimer(core, "election", core.electionTimerMs.min, core.electionTimerMs.max);
		core.electionTimerMs = null;
	}
	if (core.writes.length < core.config.maxInflightWrites) persistUnsaved(core);
	if (core.role === "leader") {
		openReadRound(core);
		replicate(core);
	} else {
		acknowledgeNow(core);
	}
	deliverCommitted(core);
	completeReads(core);
}
