/** Decisions, and their execution strictly by sequence number: a hole holds everything behind it (OSDI'99 §4.2). */
import type { RequestId } from "../core/index.ts";
import { examineAgainst, raiseAlarm } from "./accusation.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import { captureIfDue } from "./checkpoints.ts";
import { broadcast, deliver, emit, type PbftCore, reply, type Slot } from "./core.ts";
import { journal } from "./durability.ts";
import {
	type Batch,
	type ClientRequest,
	type CommitCertificate,
	type SequenceNumber,
	sequenceAfter,
} from "./entities.ts";
import { encodeMembershipOutcome } from "./membership.ts";
import { releaseReads } from "./reads.ts";
import { orderChange } from "./reconfiguration.ts";
import { keyOf, stopWaiting, timeChange, timeNext } from "./requests.ts";
import { bodyOf } from "./slots.ts";
import { countExecuted } from "./slow-primary.ts";
import { chainAfter } from "./statements.ts";
import { executeTentatively, isExecutedAs, rollBack } from "./tentative.ts";

/** Takes a decision that is proved. A second one for the slot that differs stops this member. */
export function decide(core: PbftCore, slot: Slot, certificate: CommitCertificate): void {
	if (slot.decision !== null) {
		if (!equalBytes(slot.decision.digest, certificate.digest)) raiseAlarm(core, slot.decision, certificate);
		return;
	}
	const { sequence } = slot;
	slot.decision = certificate;
	for (const [sender, vote] of slot.accepted?.view === certificate.view ? slot.commits : []) {
		const { epoch, view } = certificate;
		const statement = { type: "commit", epoch, view, sequence, digest: vote.digest } as const;
		examineAgainst(core, sender, { statement, signature: vote.signature }, certificate);
	}
	// Not urgent: others hold the proof too, and what this member has prepared is on its disk.
	journal(core, slot, { type: "decided", sequence, certificate }, false);
	const requests = bodyOf(core, slot, certificate.digest)?.requests.length ?? 0;
	emit(core, { type: "decided", certificate, requests });
	executeReady(core);
}

/** Executes all decided slots that follow on what was executed, and the one behind them tentatively. */
export function executeReady(core: PbftCore): void {
	executeDecided(core);
	executeTentatively(core);
}

function executeDecided(core: PbftCore): void {
	while (core.alarm === null) {
		const sequence = sequenceAfter(core.executed);
		const slot = core.slots.get(sequence);
		const decision = slot?.decision ?? null;
		if (slot === undefined || decision === null) return;
		const batch = bodyOf(core, slot, decision.digest);
		if (batch === undefined) {
			askForBody(core, slot);
			return;
		}
		execute(core, sequence, decision, batch);
	}
}

/** Asks everyone for the body of what is decided, or was prepared elsewhere: f + 1 correct members have it. */
export function askForBody(core: PbftCore, slot: Slot): void {
	const digest = slot.decision?.digest ?? slot.accepted?.digest;
	if (digest === undefined || bodyOf(core, slot, digest) !== undefined) return;
	broadcast(core, { type: "fetch-batch", sequence: slot.sequence, digest });
}

function execute(core: PbftCore, sequence: SequenceNumber, certificate: CommitCertificate, batch: Batch | null): void {
	const { digest } = certificate;
	const isConfirmed = isExecutedAs(core, sequence, digest);
	if (!isConfirmed) rollBack(core);
	const requests: ClientRequest[] = [];
	const requestIds: (readonly RequestId[])[] = [];
	const outcomes: (Uint8Array | null)[] = [];
	for (const request of batch?.requests ?? []) {
		const { client, timestamp } = request;
		const verdict = core.clients.look(client, timestamp);
		const waiting = stopWaiting(core, keyOf(request));
		if (verdict === "new") {
			core.clients.record(client, timestamp);
			requests.push(request);
			requestIds.push(waiting?.requestIds ?? nobody);
			const isChange = request.kind === "configure";
			outcomes.push(isChange ? encodeMembershipOutcome(orderChange(core, sequence, request)) : null);
		} else {
			// In a slot for the second time: a new view proposes again what an earlier one has had executed.
			for (const requestId of waiting?.requestIds ?? []) answerUnexecuted(core, requestId, request, verdict);
		}
	}
	core.executed = sequence;
	timeNext(core);
	core.chain = chainAfter(core.crypto.digest, core.chain, sequence, digest);
	core.chains.set(sequence, core.chain);
	core.chains.delete((sequence - 2 * core.config.windowSize) as SequenceNumber);
	core.choice = batch?.choice ?? core.choice;
	deliverExecution(core, { sequence, requests, requestIds, outcomes, isConfirmed });
	emit(core, { type: "executed", sequence, digest, chain: core.chain });
	if (core.isActive && sequence >= core.freshFrom && certificate.view === core.view) core.hasProgressed = true;
	timeChange(core);
	countExecuted(core, requests.length);
	captureIfDue(core);
}

const nobody: readonly RequestId[] = [];

interface Execution {
	readonly sequence: SequenceNumber;
	readonly requests: readonly ClientRequest[];
	readonly requestIds: readonly (readonly RequestId[])[];
	readonly outcomes: readonly (Uint8Array | null)[];
	/** It was executed tentatively before. */
	readonly isConfirmed: boolean;
}

function deliverExecution(core: PbftCore, execution: Execution): void {
	const { sequence, requests, outcomes, isConfirmed } = execution;
	const { view, choice } = core;
	if (requests.length > 0) {
		const requestIds = execution.requestIds.some((ids) => ids.length > 0) ? execution.requestIds : null;
		const common = { sequence, view, requests, requestIds };
		const isChange = outcomes.some((outcome) => outcome !== null);
		if (isConfirmed) deliver(core, { type: "confirm", ...common });
		else deliver(core, { type: "execute", ...common, choice, ...(isChange ? { outcomes } : {}) });
	}
	if (isConfirmed) core.tentative = null;
	releaseReads(core);
}

function answerUnexecuted(
	core: PbftCore,
	requestId: RequestId,
	{ client, timestamp }: ClientRequest,
	verdict: "executed" | "stale" | "full",
): void {
	if (verdict === "executed") {
		deliver(core, { type: "repeat-reply", requestId, client, timestamp, view: core.view });
	} else if (verdict === "stale") {
		reply(core, requestId, { type: "refused", reason: "stale-timestamp" });
	} else {
		reply(core, requestId, { type: "refused", reason: "too-many-clients", limit: core.config.clientsMax });
	}
}

/** Requests that wait here and were executed by way of a transferred state. */
export function answerTransferred(core: PbftCore): void {
	for (const [key, { request }] of [...core.waiting]) {
		const verdict = core.clients.look(request.client, request.timestamp);
		if (verdict === "new") continue;
		const waiting = stopWaiting(core, key);
		for (const requestId of waiting?.requestIds ?? []) answerUnexecuted(core, requestId, request, verdict);
	}
	timeNext(core);
}

/** Takes the body of a batch, if it is one that is missing here. */
export function takeBody(core: PbftCore, slot: Slot, digest: Uint8Array, batch: Batch): void {
	const isMissed = [slot.accepted?.digest, slot.decision?.digest].some((wanted) => {
		return wanted !== undefined && equalBytes(wanted, digest) && bodyOf(core, slot, wanted) === undefined;
	});
	if (!isMissed) return;
	slot.bodies.set(hexOf(digest), batch);
	journal(core, slot, { type: "body", sequence: slot.sequence, batch });
	executeReady(core);
}
