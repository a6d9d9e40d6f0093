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
import { bearable } from "./apply-lag.ts";
import { type RaftConfig, validateRaftConfig } from "./config.ts";
import { copyCore, createCore, type RaftCore, setTimer, viewCore } from "./core.ts";
import { deliverCommitted, handleSnapshotReady, restoreInstalled } from "./delivery.ts";
import { completeWrites, persistUnsaved, sendDurable } from "./durability.ts";
import {
	handleElectionTimer,
	handleOwnVoteDurable,
	handleRequestVote,
	handleVote,
	ignoresCandidate,
} from "./election.ts";
import type { LogIndex, Term } from "./entry.ts";
import { acknowledgeNow, handleAppendEntries, handleInstallSnapshot, hearLeader } from "./follower.ts";
import { answerFollowerReads, askReadIndex, handleReadIndexResponse, handleReadTimer } from "./follower-reads.ts";
import {
	giveUpForwards,
	handleForwardRefusal,
	handleForwardResponse,
	handleForwardTimer,
	sendForwards,
} from "./forwarding.ts";
import { handleForwardedProposals } from "./forwarding-ledger.ts";
import { handOverByPriority } from "./handover.ts";
import { continueChange } from "./membership.ts";
import type { RaftMessage, SnapshotResponse } from "./messages.ts";
import { fallsQuiet, handleQuiesce, wake, wakeFor, wakeForLoss } from "./quiescence.ts";
import { completeReads, handleReadIndexRequest, openReadRound, refuseReads } from "./read-index.ts";
import { continueRepair, handleRepairRequest, handleRepairResponse } from "./repair.ts";
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
import { replaceSnapshot } from "./snapshot-replacement.ts";
import { answerSnapshotRequest, askSnapshot, handleSnapshotRequest } from "./snapshot-request.ts";
import { handleReadCompleted, handleSnapshotResponse } from "./snapshot-transfer.ts";
import { type RaftStatus, statusOf } from "./status.ts";
import { continueTransfer, handleTimeoutNow, handleTransferTimer, renewTransfer } from "./transfer.ts";
import type { RaftView } from "./view.ts";
import type { RaftTimer, RaftTypes } from "./vocabulary.ts";
import { isWithoutApplication } from "./witness.ts";

/**
 * One participant's part in one Raft group.
 *
 * Between batches it holds back new entries, acknowledgements, reads and deliveries, and emits them on
 * `batch-ended`: a persist, at most `maxInflightAppends` appends per peer, one acknowledgement, one delivery (more
 * only where a bound of the config cuts them), the election timer once. Votes and refusals leave with the step that
 * causes them.
 * `now` serves {@link RaftStatus} and, where the config has them, leases; no effect depends on it otherwise.
 */
export class RaftMachine implements StateMachine<RaftTypes> {
	#core: RaftCore;
	/** When this leader has heard each of its peers last. No part of the state: nothing that is done depends on it. */
	readonly #heardAtMs = new Map<NodeId, MonotonicMs>();

	/** @throws QuorateError as `validateRaftConfig` */
	constructor(config: RaftConfig) {
		validateRaftConfig(config);
		this.#core = createCore(config);
	}

	step(input: Input<RaftTypes>, now: MonotonicMs, effects: Effect<RaftTypes>[]): void {
		const core = this.#core;
		core.out = effects;
		core.nowMs = now;
		switch (input.type) {
			case "message":
				wakeFor(core, input.from, input.message);
				receive(core, input.from, input.message);
				if (core.role === "leader") this.#heardAtMs.set(input.from, now);
				else if (this.#heardAtMs.size > 0) this.#heardAtMs.clear();
				return;
			case "request":
				wake(core);
				handleRequest(core, input.requestId, input.request);
				return;
			case "batch-ended":
				endBatch(core);
				return;
			case "write-completed":
				completeWrite(core, input.writeId);
				return;
			case "timer":
				handleTimer(core, input.timer);
				return;
			case "read-completed":
				if (input.result.type === "damaged") replaceSnapshot(core, input.result.lastIndex);
				handleReadCompleted(core, input.readId, input.result);
				return;
			case "snapshot-ready":
				handleSnapshotReady(core, input.snapshot);
				return;
			case "peer-reachable":
			case "peer-unreachable":
				if (input.type === "peer-reachable") wake(core);
				else wakeForLoss(core, input.peer);
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
		return statusOf(this.#core, this.#heardAtMs);
	}

	copy(): RaftMachine {
		const copy = new RaftMachine(this.#core.config);
		copy.#core = copyCore(this.#core);
		return copy;
	}
}

function handleTimer(core: RaftCore, timer: RaftTimer): void {
	switch (timer) {
		case "election":
			handleElectionTimer(core);
			return;
		case "heartbeat":
			if (fallsQuiet(core)) return;
			handleHeartbeatTimer(core);
			renewTransfer(core);
			handOverByPriority(core);
			return;
		case "transfer":
			handleTransferTimer(core);
			return;
		case "read":
			handleReadTimer(core);
			return;
		case "forward":
			handleForwardTimer(core);
			return;
		default:
			assertNever(timer, "timer");
	}
}

function receive(core: RaftCore, from: NodeId, message: RaftMessage): void {
	if (!settleTerm(core, from, message)) return;
	switch (message.type) {
		case "append-entries":
			handleAppendEntries(core, from, bearable(core, message));
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
		case "timeout-now":
			handleTimeoutNow(core, from, message);
			return;
		case "read-index-request":
			handleReadIndexRequest(core, from, message);
			return;
		case "read-index-response":
			handleReadIndexResponse(core, message);
			return;
		case "forwarded-proposals":
			handleForwardedProposals(core, from, message);
			return;
		case "forward-response":
			handleForwardResponse(core, message);
			return;
		case "forward-refusal":
			handleForwardRefusal(core, message);
			return;
		case "repair-request":
			handleRepairRequest(core, from, message);
			return;
		case "repair-response":
			handleRepairResponse(core, message);
			return;
		case "snapshot-request":
			handleSnapshotRequest(core, from, message);
			return;
		case "quiesce":
			hearLeader(core, from);
			handleQuiesce(core, message);
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
			if (ignoresCandidate(core, message)) return false;
			// A pre-vote names a term that nobody has entered yet (thesis §9.6).
			if (!message.preVote) becomeFollower(core, message.term, null);
			return true;
		case "vote":
			if (message.preVote && message.granted) return message.term === core.term + 1;
			becomeFollower(core, message.term, null);
			return true;
		case "append-entries":
		case "install-snapshot":
		case "timeout-now":
		case "read-index-response":
		case "forward-response":
		case "forward-refusal":
		case "repair-response":
		case "quiesce":
			becomeFollower(core, message.term, from);
			return true;
		case "append-response":
		case "snapshot-response":
		case "read-index-request":
		case "forwarded-proposals":
		case "repair-request":
		case "snapshot-request":
			becomeFollower(core, message.term, null);
			return true;
		default:
			return assertNever(message, "message");
	}
}

/** A round of an earlier term means nothing in this one: who led then may lead again, and must not take it for a confirmation. */
const NO_ROUND = 0;

/** Tells a leader or candidate of an earlier term that it is over; without this a higher term could stay alone. */
function answerStale(core: RaftCore, from: NodeId, message: RaftMessage): void {
	const { term } = core;
	const zero = 0 as LogIndex;
	switch (message.type) {
		case "append-entries": {
			const { prevIndex: index } = message;
			const hint = { hintIndex: zero, hintTerm: 0 as Term };
			sendDurable(core, from, { type: "append-response", term, accepted: false, index, ...hint, round: NO_ROUND });
			return;
		}
		case "install-snapshot": {
			const { lastIndex } = message;
			sendDurable(core, from, { type: "snapshot-response", term, lastIndex, nextOffset: 0, round: NO_ROUND });
			return;
		}
		case "request-vote":
			sendDurable(core, from, { type: "vote", term, granted: false, preVote: message.preVote });
			return;
		case "vote":
		case "append-response":
		case "snapshot-response":
		case "timeout-now":
		case "read-index-request":
		case "read-index-response":
		case "forwarded-proposals":
		case "forward-response":
		case "forward-refusal":
		case "repair-request":
		case "repair-response":
		case "snapshot-request":
		case "quiesce":
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
	if (restoreInstalled(core, writeId)) answerSnapshotRequest(core);
	if (writeId >= core.voteWriteId) handleOwnVoteDurable(core);
	advanceCommit(core);
}

/** Emits what the batch has gathered, the disk first. */
function endBatch(core: RaftCore): void {
	if (core.role === "leader") continueChange(core);
	if (core.electionTimerMs !== null) {
		setTimer(core, "election", core.electionTimerMs.min, core.electionTimerMs.max);
		core.electionTimerMs = null;
	}
	if (core.writes.length < core.config.maxInflightWrites) persistUnsaved(core);
	if (core.role === "leader") {
		openReadRound(core);
		replicate(core);
		continueTransfer(core);
	} else {
		acknowledgeNow(core);
		if (isWithoutApplication(core)) giveUpWaiting(core);
		askReadIndex(core);
		sendForwards(core);
		askSnapshot(core);
		continueRepair(core);
	}
	deliverCommitted(core);
	completeReads(core);
	answerFollowerReads(core);
}

/** Clients that have asked a member before it was a witness must ask another. */
function giveUpWaiting(core: RaftCore): void {
	if (core.pendingReads > 0) refuseReads(core, core.leader);
	giveUpForwards(core);
}
