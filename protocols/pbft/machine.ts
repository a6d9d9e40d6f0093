/** The PBFT state machine: checks what all messages share once, then hands each input to its concern. */
import {
	assertNever,
	type CryptoPort,
	type Effect,
	type Input,
	type MonotonicMs,
	type NodeId,
	type StateMachine,
} from "../core/index.ts";
import { handleAccusation } from "./accusation.ts";
import { handleViewChangeAck } from "./acknowledgements.ts";
import {
	handleCommit,
	handleFetchProposal,
	handlePrePrepare,
	handlePrepare,
	handleProposalShown,
	handleVoteCertificate,
} from "./agreement.ts";
import type { DecisionProof } from "./certificates.ts";
import { handleCheckpoint, handleSnapshotReady } from "./checkpoints.ts";
import { type ChoicePort, noChoices } from "./choices.ts";
import { handleCollectorTimer } from "./collector.ts";
import { type PbftConfig, validatePbftConfig } from "./config.ts";
import { noteHeard } from "./contact.ts";
import {
	budgetOf,
	copyCore,
	createCore,
	highOf,
	isMember,
	type PbftCore,
	suspect,
	takesPart,
	viewCore,
} from "./core.ts";
import { proofOfDecision } from "./decision-proof.ts";
import { persistAndRelease } from "./durability.ts";
import { type SequenceNumber, viewAfter } from "./entities.ts";
import { keepForLater, takeDue } from "./kept-messages.ts";
import type { Commit, PbftMessage, PrePrepare, Prepare, Status } from "./messages.ts";
import { handleFetchViewChange, handleNewView, handleViewChangeBody } from "./new-view.ts";
import { handleBatchTimer, propose } from "./proposing.ts";
import { handleQueryStable, handleRecoveryTimer, handleStableReport, isEstimating } from "./recovery.ts";
import {
	handleBatch,
	handleDecision,
	handleFetchBatch,
	handleFetchDecisions,
	handleStatus,
	handleStatusTimer,
	repeatUnderNewKeys,
} from "./repeats.ts";
import {
	forwardRequests,
	handleForward,
	handleForwardTimer,
	handleRequest,
	handleUnverifiable,
	timeRequests,
} from "./requests.ts";
import { handleStart } from "./restart.ts";
import { handleKeysTimer, handleNewKey } from "./session-keys.ts";
import { type PbftStatus, statusOf } from "./status.ts";
import {
	handleFetchPart,
	handleReadCompleted,
	handleStableCheckpoint,
	handleStatePart,
	handleTransferTimer,
} from "./transfer.ts";
import type { PbftView } from "./view.ts";
import {
	countViewChanges,
	handleGuardTimer,
	handleHeartbeatTimer,
	handleRequestTimer,
	handleViewChange,
	handleViewTimer,
	leaveDeposed,
	startViewChange,
} from "./view-change.ts";
import type { PbftTimer, PbftTypes } from "./vocabulary.ts";

/** The messages of the normal case: they count in one view. */
type InView = PrePrepare | Prepare | Commit;

/**
 * One member's part in one PBFT group.
 *
 * Everything that leaves rests on the disk: what a batch of inputs gives rise to is gathered, and on `batch-ended` emitted as one
 * persist and what follows it. Only asks, refusals and timers leave at once. `now` is not used.
 */
export class PbftMachine implements StateMachine<PbftTypes> {
	#core: PbftCore;

	/**
	 * `crypto` speaks as `config.nodeId` and knows the keys of all members and clients.
	 * @throws QuorateError as `validatePbftConfig`
	 */
	constructor(config: PbftConfig, crypto: CryptoPort, choices: ChoicePort = noChoices) {
		validatePbftConfig(config);
		this.#core = createCore(config, crypto, choices);
	}

	step(input: Input<PbftTypes>, _now: MonotonicMs, effects: Effect<PbftTypes>[]): void {
		const core = this.#core;
		core.out = effects;
		switch (input.type) {
			case "message":
				if (core.alarm === null) receive(core, input.from, input.message);
				return;
			case "request":
				handleRequest(core, input.requestId, input.request);
				return;
			case "batch-ended":
				endBatch(core);
				return;
			case "timer":
				if (core.alarm === null) handleTimer(core, input.timer);
				return;
			case "snapshot-ready":
				if (core.alarm === null) {
					handleSnapshotReady(core, input.snapshot);
					takeUpKept(core);
				}
				return;
			case "read-completed":
				handleReadCompleted(core, input.readId, input.result);
				return;
			case "start":
				handleStart(core, input.durable);
				return;
			case "write-completed":
			case "peer-reachable":
			case "peer-unreachable":
				// What may count as durable is the host's release queue's to know; who can be reached decides nothing here.
				return;
			default:
				assertNever(input, "input");
		}
	}

	get state(): unknown {
		return viewCore(this.#core);
	}

	/** What the properties of `properties/` look at. Costs nothing; valid until the next step. */
	get view(): PbftView {
		return this.#core;
	}

	get status(): PbftStatus {
		return statusOf(this.#core);
	}

	/** The proof that a request was decided in a slot; null if this member has none (any more). */
	proofOfDecision(sequence: SequenceNumber, client: NodeId, timestamp: number): DecisionProof | null {
		return proofOfDecision(this.#core, sequence, client, timestamp);
	}

	copy(): PbftMachine {
		const { config, crypto, choices } = this.#core;
		const copy = new PbftMachine(config, crypto, choices);
		copy.#core = copyCore(this.#core);
		return copy;
	}
}

function endBatch(core: PbftCore): void {
	if (core.alarm === null && !isEstimating(core)) {
		leaveDeposed(core);
		propose(core);
		forwardRequests(core);
	}
	persistAndRelease(core);
}

function handleTimer(core: PbftCore, timer: PbftTimer): void {
	switch (timer) {
		case "request":
			handleRequestTimer(core);
			return;
		case "view-change":
			handleViewTimer(core);
			return;
		case "guard":
			handleGuardTimer(core);
			return;
		case "heartbeat":
			handleHeartbeatTimer(core);
			return;
		case "recovery":
			handleRecoveryTimer(core);
			return;
		case "collector":
			handleCollectorTimer(core);
			return;
		case "keys":
			handleKeysTimer(core);
			return;
		case "batch":
			handleBatchTimer(core);
			return;
		case "forward":
			handleForwardTimer(core);
			return;
		case "status":
			handleStatusTimer(core);
			return;
		case "transfer":
			handleTransferTimer(core);
			return;
		default:
			assertNever(timer, "timer");
	}
}

/** Cheap checks first: who sends, of which epoch, of which form, and whether its budget is used up. */
function receive(core: PbftCore, from: NodeId, message: PbftMessage): void {
	if (from === core.config.nodeId) return;
	if (!isMember(core, from)) {
		if (core.shapes.isMessage(message) && message.type === "status") handleStrangersStatus(core, from, message);
		return;
	}
	noteHeard(core, from);
	if (!core.shapes.isMessage(message)) {
		suspect(core, from, "malformed-message");
		return;
	}
	// Who is no member, any more or yet, learns where the group is, and no more.
	if (!takesPart(core) && message.type !== "stable-checkpoint" && message.type !== "state-part") return;
	if ("epoch" in message && message.epoch !== core.configuration.epoch) {
		if (message.epoch === core.configuration.epoch + 1 && isOfNormalCase(message)) keepForLater(core, from, message);
		return;
	}
	if (isEstimating(core) && !isHeardInRecovery(message)) return;
	const isOverBudget = budgetOf(core, from).offences >= core.config.offencesMax;
	if (isOverBudget && !isCheap(message)) return;
	if (isOfNormalCase(message)) receiveInView(core, from, message);
	else receiveOther(core, from, message);
	takeUpKept(core);
}

function isOfNormalCase(message: PbftMessage): message is InView {
	return message.type === "pre-prepare" || message.type === "prepare" || message.type === "commit";
}

/** What a member hears that does not know how far the group is: proofs, and where others are. */
function isHeardInRecovery({ type }: PbftMessage): boolean {
	const heard: readonly PbftMessage["type"][] = [
		"query-stable",
		"stable-report",
		"stable-checkpoint",
		"state-part",
		"fetch-part",
		"decision",
		"new-key",
	];
	return heard.includes(type);
}

/** A former member that has not heard of its removal is shown it, unless it was convicted. */
function handleStrangersStatus(core: PbftCore, from: NodeId, status: Status): void {
	const wasMember = core.history.some(({ members }) => members.includes(from));
	if (wasMember && !core.convicted.has(from) && takesPart(core)) handleStatus(core, from, status);
}

/** What costs at most one signature check, or none; the rest is not looked at any more when a peer has offended too often. */
function isCheap({ type }: PbftMessage): boolean {
	return type === "prepare" || type === "commit" || type === "checkpoint" || type === "status";
}

/** Messages of the normal case count in the window of the present, active view alone; some of later ones are kept (OSDI'99 §4.4). */
function receiveInView(core: PbftCore, from: NodeId, message: InView): void {
	if (message.view < core.view) return;
	if (message.view > core.view || !core.isActive || message.sequence > highOf(core)) {
		keepForLater(core, from, message);
		return;
	}
	switch (message.type) {
		case "pre-prepare":
			handlePrePrepare(core, from, message);
			return;
		case "prepare":
			handlePrepare(core, from, message);
			return;
		case "commit":
			handleCommit(core, from, message);
			return;
		default:
			assertNever(message, "message");
	}
}

/** View, epoch or window have moved: what had come too early counts now, and may move them on. */
function takeUpKept(core: PbftCore): void {
	for (;;) {
		const due = takeDue(core);
		if (due.length === 0) return;
		for (const [from, message] of due) {
			if (message.type === "checkpoint") handleCheckpoint(core, from, message);
			else receiveInView(core, from, message);
		}
	}
}

function receiveOther(core: PbftCore, from: NodeId, message: Exclude<PbftMessage, InView>): void {
	switch (message.type) {
		case "checkpoint":
			handleCheckpoint(core, from, message);
			return;
		case "view-change":
			handleViewChange(core, from, message);
			return;
		case "view-change-ack":
			if (handleViewChangeAck(core, from, message)) countViewChanges(core);
			return;
		case "accusation":
			handleAccusation(core, from, message);
			return;
		case "new-key":
			if (handleNewKey(core, from, message)) repeatUnderNewKeys(core, from);
			return;
		case "vote-certificate":
			handleVoteCertificate(core, from, message);
			return;
		case "new-view":
			leaveRefused(core, handleNewView(core, from, message));
			return;
		case "view-change-body":
			leaveRefused(core, handleViewChangeBody(core, from, message));
			return;
		case "fetch-view-change":
			handleFetchViewChange(core, from, message);
			return;
		case "forward":
			handleForward(core, from, message);
			return;
		case "unverifiable":
			handleUnverifiable(core, from, message);
			return;
		case "fetch-proposal":
			handleFetchProposal(core, from, message);
			return;
		case "proposal-shown":
			handleProposalShown(core, message);
			return;
		case "fetch-batch":
			handleFetchBatch(core, from, message);
			return;
		case "batch":
			handleBatch(core, from, message);
			return;
		case "status":
			handleStatus(core, from, message);
			return;
		case "decision":
			handleDecision(core, from, message);
			return;
		case "fetch-decisions":
			handleFetchDecisions(core, from, message);
			return;
		case "stable-checkpoint":
			handleStableCheckpoint(core, from, message);
			return;
		case "query-stable":
			handleQueryStable(core, from, message);
			return;
		case "stable-report":
			if (handleStableReport(core, from, message)) takePartAgain(core);
			return;
		case "fetch-part":
			handleFetchPart(core, from, message);
			return;
		case "state-part":
			handleStatePart(core, from, message);
			return;
		default:
			assertNever(message, "message");
	}
}

/** What has run out while a recovering member said nothing is timed anew. */
function takePartAgain(core: PbftCore): void {
	timeRequests(core);
	countViewChanges(core);
}

/** A primary that opens its view falsely is not waited for. */
function leaveRefused(core: PbftCore, refused: PbftMessage | null): void {
	if (refused === null || refused.type !== "new-view" || refused.view < core.view) return;
	startViewChange(core, viewAfter(refused.view), "bad-new-view");
}
