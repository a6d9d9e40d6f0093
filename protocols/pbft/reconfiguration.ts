/**
 * Changes of membership in the order (OSDI'99 leaves them out; the form is Lamport's, Malkhi's and Zhou's: "Reconfiguring a State Machine",
 * SIGACT News 41(1), 2010, with the change delayed by the length of the pipeline).
 *
 * A change that is executed in slot s is in force behind slot a, the end of the next checkpoint interval. Why no slot is agreed by the
 * wrong members: (1) nobody who is correct votes for a slot above the next checkpoint but one after what it has executed (`highOf`), so who
 * votes for a slot behind a has executed s and knows of the change; (2) who knows of it votes for no slot behind a in this epoch; (3) the
 * next epoch begins, for each member, with the state at a, which a quorum of this epoch has certified and which names the next members. So
 * every slot is of one epoch, and its quorum is of the members that are committed for it, whoever can be reached.
 *
 * Until a the primary fills slots with empty batches; backups time it as they time requests. At a everything waits for the checkpoint.
 */
import type { NodeId } from "../core/index.ts";
import { reconsiderConvictions } from "./accusation.ts";
import { equalBytes } from "./bytes.ts";
import { verifyCheckpoint } from "./certificates.ts";
import { forgetCollector } from "./collector.ts";
import { cancelTimer, configurationOf, emit, isMember, judgeOf, type PbftCore, reply } from "./core.ts";
import {
	type CheckpointState,
	type ClientRequest,
	type Configuration,
	type EpochProof,
	PAST_CONFIGURATIONS_MAX,
	primaryOf,
	type SequenceNumber,
	sequenceAfter,
	type ViewNumber,
} from "./entities.ts";
import { judgeMembershipChange, type MembershipOutcome } from "./membership.ts";
import { EPOCH_PROOFS_MAX } from "./messages.ts";
import { stopTimingRequests, timeRequests } from "./requests.ts";
import { guardView, stopGuarding } from "./slow-primary.ts";
import { checkpointHeader, checkpointHeaderDigest } from "./statements.ts";
import type { BaseRecord } from "./vocabulary.ts";

/** Executes a request of kind `configure` in a slot: the same verdict at every member. */
export function orderChange(core: PbftCore, sequence: SequenceNumber, request: ClientRequest): MembershipOutcome {
	if (core.pending !== null) {
		const { effectiveAfter } = core.pending;
		return { type: "refused", reason: "change-pending", effectiveAfter };
	}
	const { configuration, config, history } = core;
	const verdict = judgeMembershipChange(request.operation, {
		configuration,
		client: request.client,
		administrators: config.administrators,
		candidates: config.candidates,
		isOperation: (value) => core.shapes.isMembershipOperation(value),
		judge: {
			cluster: config.cluster,
			verifier: core.crypto,
			windowSize: config.windowSize,
			// From the replicated state alone: what else a member has learnt must not change its verdict.
			configurationOf: (epoch) => [configuration, ...history].find((known) => known.epoch === epoch) ?? null,
		},
	});
	if (verdict.type === "refused") return verdict;
	const { epoch, members, faults } = verdict.configuration;
	const effectiveAfter = lastSlotOfEpoch(sequence, config.checkpointInterval);
	core.pending = { configuration: verdict.configuration, effectiveAfter };
	emit(core, { type: "change-ordered", sequence, operation: verdict.operation, ...core.pending });
	return { type: "ordered", epoch, effectiveAfter, members, faults };
}

/** a for a change in slot s: the end of the checkpoint interval behind that of s. */
function lastSlotOfEpoch(sequence: SequenceNumber, interval: number): SequenceNumber {
	return ((Math.ceil(sequence / interval) + 1) * interval) as SequenceNumber;
}

/** The membership that the state at a checkpoint names: at the last slot of an epoch that of the next. */
export function membershipAt(
	core: PbftCore,
	sequence: SequenceNumber,
): Pick<CheckpointState, "configuration" | "pending" | "history"> {
	const { configuration, pending, history } = core;
	if (pending === null || pending.effectiveAfter !== sequence) return { configuration, pending, history };
	const past = [...history, configuration].slice(-PAST_CONFIGURATIONS_MAX);
	return { configuration: pending.configuration, pending: null, history: past };
}

/** The base of a checkpoint, with the proofs that lead to its members. */
export function baseOf(core: PbftCore, { certificate, state }: Pick<BaseRecord, "certificate" | "state">): BaseRecord {
	if (
		state.configuration.epoch > certificate.epoch &&
		configurationInProofs(core, state.configuration.epoch) === null
	) {
		keepProof(core, { certificate, header: checkpointHeader(core.crypto.digest, state) });
	}
	return { certificate, state, epochs: core.epochs };
}

function configurationInProofs(core: PbftCore, epoch: number): Configuration | null {
	return core.epochs.find(({ header }) => header.configuration.epoch === epoch)?.header.configuration ?? null;
}

function keepProof(core: PbftCore, proof: EpochProof): void {
	core.epochs = [...core.epochs, proof].slice(-EPOCH_PROOFS_MAX);
}

/** Learns of later configurations, each from the one before it; what does not follow is left. */
export function learnEpochs(core: PbftCore, proofs: readonly EpochProof[]): void {
	for (const proof of proofs) {
		const { certificate, header } = proof;
		const { epoch } = header.configuration;
		if (epoch !== certificate.epoch + 1 || configurationOf(core, epoch) !== null) continue;
		const configuration = configurationOf(core, certificate.epoch);
		if (configuration === null) continue;
		const isItsHeader =
			header.sequence === certificate.sequence &&
			equalBytes(checkpointHeaderDigest(core.crypto.digest, header), certificate.digest);
		if (isItsHeader && verifyCheckpoint(certificate, { ...judgeOf(core), configuration }) === null) {
			keepProof(core, proof);
		}
	}
}

/** Enters the epoch of a state that was taken over, in its first view; nothing of the one before is voted on any more. */
export function enterEpoch(core: PbftCore, { configuration, pending, history, sequence }: CheckpointState): void {
	core.configuration = configuration;
	core.pending = pending;
	core.history = history;
	reconsiderConvictions(core);
	core.hasLeft = false;
	core.epochStart = sequence;
	core.view = 0 as ViewNumber;
	core.isActive = true;
	core.ownViewChange = null;
	core.opened = null;
	core.openingView = null;
	core.viewChanges.clear();
	core.acknowledgements.clear();
	forgetCollector(core);
	core.failedViews = 0;
	core.hasProgressed = true;
	core.nextSequence = sequenceAfter(sequence);
	core.freshFrom = core.nextSequence;
	core.checkpoints.clear();
	core.ahead.clear();
	for (const at of core.slots.keys()) if (at > sequence) core.slots.delete(at);
	core.unproposed = new Map(core.waiting);
	core.unsaved.isView = true;
	stopTimers(core);
	forgetStrangers(core);
	emit(core, { type: "configuration-entered", configuration, after: sequence });
	if (!isMember(core, core.config.nodeId)) {
		retire(core, configuration);
		return;
	}
	const primary = primaryOf(configuration, core.view);
	emit(core, { type: "view-entered", view: core.view, primary, low: core.low });
	core.forwards = primary === core.config.nodeId ? [] : [...core.unproposed.values()].map(({ request }) => request);
	timeRequests(core);
	guardView(core);
}

function stopTimers(core: PbftCore): void {
	stopTimingRequests(core);
	stopGuarding(core);
	if (core.isViewTimerSet) cancelTimer(core, "view-change");
	core.isViewTimerSet = false;
	if (core.isBatchTimerSet) cancelTimer(core, "batch");
	core.isBatchTimerSet = false;
}

/** What was kept for those who are no members any more. */
function forgetStrangers(core: PbftCore): void {
	const perMember: readonly Map<NodeId, unknown>[] = [
		core.complaints,
		core.future,
		core.peers,
		core.silences,
		core.testimonies,
		core.peerGenerations,
	];
	for (const kept of perMember) for (const node of kept.keys()) if (!isMember(core, node)) kept.delete(node);
}

/** A certified state shows that a later epoch goes on without this member: it stops, for nobody gives it that state. */
export function leave(core: PbftCore, { configuration }: CheckpointState): void {
	if (core.hasLeft) return;
	core.hasLeft = true;
	stopTimers(core);
	retire(core, configuration);
}

/** This member is none any more: it votes no more, and whoever waits here has to ask others. */
function retire(core: PbftCore, { epoch }: Configuration): void {
	emit(core, { type: "removed", epoch });
	core.forwards = [];
	for (const { requestIds } of core.waiting.values()) {
		for (const requestId of requestIds) reply(core, requestId, { type: "refused", reason: "not-a-member" });
	}
	core.waiting.clear();
	core.unproposed.clear();
}
