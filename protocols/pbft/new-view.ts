/** Entering a view: its primary opens it with proofs, and every backup recomputes what follows from them (OSDI'99 §4.4). */
import { assert, compareIds, type NodeId } from "../core/index.ts";
import { convict, isPassedOver } from "./accusation.ts";
import { isHeldByQuorum, viewChangeAgain } from "./acknowledgements.ts";
import { accept } from "./agreement.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import { becomeStable } from "./checkpoints.ts";
import { claimedViewFault, planView } from "./claimed-view.ts";
import { forgetCollector } from "./collector.ts";
import {
	broadcast,
	cancelTimer,
	emit,
	judgeOf,
	mayAnswer,
	type PbftCore,
	peersOf,
	send,
	sendImmediate,
	setTimer,
	suspect,
} from "./core.ts";
import { type Proposal, primaryOf, type SequenceNumber, sequenceAfter } from "./entities.ts";
import { isProvedFalse, newViewFault } from "./evidence.ts";
import { askForBody } from "./execution.ts";
import type { FetchViewChange, NewView, ViewChange, ViewChangeBody } from "./messages.ts";
import { isViewChangeSigned, type NewViewPlan, viewChangeStatement } from "./new-view-plan.ts";
import { quorumOf } from "./quorum.ts";
import { timeoutOf, timeRequests } from "./requests.ts";
import { bodyOf, resetForView, slotAt } from "./slots.ts";
import { guardView } from "./slow-primary.ts";
import { isSigned, newViewDigest, type Statement } from "./statements.ts";
import { rollBack } from "./tentative.ts";
import { isAttested } from "./testimony.ts";
import type { OpenedView } from "./vocabulary.ts";
import { isAuthenticated, sign } from "./vote-authentication.ts";
import { tellStatus } from "./where.ts";

/** The new primary has view changes of a quorum: it opens the view, unless they are only claimed and do not suffice yet. */
export function openView(core: PbftCore): void {
	const { view, configuration, crypto } = core;
	const { epoch } = configuration;
	const bodies = [...core.viewChanges]
		.filter(([member, { message }]) => message.view === view && configuration.members.includes(member))
		.filter(([member, { digest }]) => isHeldByQuorum(core, member, view, digest))
		.sort(([a], [b]) => compareIds(a, b))
		.slice(0, configuration.members.length);
	if (isAuthenticated(core) && bodies.length < quorumOf(configuration)) return;
	assert(bodies.length >= quorumOf(configuration), "a view is opened by a quorum");
	const plan = planView(
		core,
		bodies.map(([, { message }]) => message),
	);
	if (plan === null) return;
	const proposals: Proposal[] = plan.slots.map(({ sequence, digest }) => {
		const statement: Statement = { type: "pre-prepare", epoch, view, sequence, digest };
		return { sequence, digest, signature: sign(core, statement) };
	});
	const viewChanges = bodies.map(([sender, { digest }]) => ({ sender, digest }));
	const digest = newViewDigest(crypto.digest, viewChanges, proposals);
	const statement: Statement = { type: "new-view", epoch, view, sequence: 0 as SequenceNumber, digest };
	const message: NewView = { type: "new-view", epoch, view, viewChanges, proposals, signature: sign(core, statement) };
	broadcast(core, message);
	enterView(core, { message, bodies: bodies.map(([sender, known]) => ({ sender, viewChange: known.message })) }, plan);
}

/** The primary of a view opens it. A member that has not asked for the view enters it too: the message proves itself. */
export function handleNewView(core: PbftCore, from: NodeId, message: NewView): NewView | null {
	const { view, epoch, viewChanges, proposals, signature } = message;
	if (view < core.view || (view === core.view && core.isActive) || view === 0) return null;
	if (isPassedOver(core, view)) return null;
	const opening = core.openingView?.message.view ?? 0;
	if (opening > view || opening === view) return null;
	// Passed on by somebody else it is as good: the signature is the primary's.
	const primary = primaryOf(core.configuration, view);
	const digest = newViewDigest(core.crypto.digest, viewChanges, proposals);
	const statement: Statement = { type: "new-view", epoch, view, sequence: 0 as SequenceNumber, digest };
	if (!isSigned(core.config.cluster, judgeOf(core).verifier, { sender: primary, signature }, statement)) {
		// A primary may have spoilt this member's part of the vector; those for whom it was good pass it on.
		if (!isAuthenticated(core)) suspect(core, from, "bad-signature");
		if (!isAuthenticated(core) || !isAttested(core, from, `new-view ${epoch} ${view} ${hexOf(digest)}`)) return null;
	}
	core.openingView = { from, message, bodies: new Map() };
	for (const reference of viewChanges) {
		const known = core.viewChanges.get(reference.sender);
		if (known !== undefined && equalBytes(known.digest, reference.digest)) {
			core.openingView.bodies.set(reference.sender, known.message);
		}
	}
	fetchBodies(core, from);
	if (isAuthenticated(core)) timeOpening(core);
	return completeOpening(core);
}

/**
 * Too few may have what a new view names, since members forget others' view changes when they restart. Who waits for it may never see a
 * quorum leave either, for the rest has entered: it gives the view its time, and leaves.
 */
function timeOpening(core: PbftCore): void {
	if (core.isActive || core.isViewTimerSet) return;
	core.isViewTimerSet = true;
	setTimer(core, "view-change", timeoutOf(core));
}

/** Asks for the view changes that a new view names and that are not here (vmware/concord-bft #704: without this it stays stuck). */
export function fetchBodies(core: PbftCore, to: NodeId): void {
	if (core.openingView === null) return;
	const { message, bodies } = core.openingView;
	for (const { sender, digest } of message.viewChanges) {
		if (bodies.has(sender)) continue;
		const asked = { type: "fetch-view-change", view: message.view, sender, digest } as const;
		// One member's word may not be enough.
		for (const peer of isAuthenticated(core) ? peersOf(core) : [to]) sendImmediate(core, peer, asked);
	}
}

export function handleFetchViewChange(core: PbftCore, from: NodeId, message: FetchViewChange): void {
	const isWanted = (viewChange: ViewChange): boolean => {
		if (viewChange.view !== message.view) return false;
		return equalBytes(viewChangeStatement(judgeOf(core), viewChange).digest, message.digest);
	};
	const { sender } = message;
	const opened = core.opened?.bodies.find((body) => body.sender === sender && isWanted(body.viewChange))?.viewChange;
	const kept = core.viewChanges.get(sender)?.message;
	const viewChange = opened ?? (kept !== undefined && isWanted(kept) ? kept : undefined);
	if (viewChange === undefined || !mayAnswer(core, from)) return;
	const isOwn = sender === core.config.nodeId;
	send(core, from, {
		type: "view-change-body",
		sender,
		viewChange: isOwn ? viewChangeAgain(core, viewChange) : viewChange,
	});
}

/** @returns a new view that is refused for what it turned out to be, if so */
export function handleViewChangeBody(core: PbftCore, from: NodeId, body: ViewChangeBody): NewView | null {
	const { sender, viewChange } = body;
	if (core.openingView === null) return null;
	const { message, bodies } = core.openingView;
	const reference = message.viewChanges.find((named) => named.sender === sender);
	if (reference === undefined || bodies.has(sender)) return null;
	if (!equalBytes(viewChangeStatement(judgeOf(core), viewChange).digest, reference.digest)) return null;
	// Whoever passes it on may have spoilt the signature, which the reference does not cover: that says nothing of the primary.
	if (!isViewChangeSigned(judgeOf(core), sender, viewChange)) {
		const said = `view-change ${sender} ${hexOf(reference.digest)}`;
		if (!isAuthenticated(core) || !isAttested(core, from, said)) return null;
	}
	bodies.set(sender, viewChange);
	return completeOpening(core);
}

/** With every body here the new view is recomputed, and entered or refused. */
function completeOpening(core: PbftCore): NewView | null {
	if (core.openingView === null) return null;
	const { message, bodies: found } = core.openingView;
	const bodies: { sender: NodeId; viewChange: ViewChange }[] = [];
	for (const { sender } of message.viewChanges) {
		const viewChange = found.get(sender);
		if (viewChange === undefined) return null;
		bodies.push({ sender, viewChange });
	}
	core.openingView = null;
	const primary = primaryOf(core.configuration, message.view);
	const fault = isAuthenticated(core)
		? claimedViewFault(core, message, bodies)
		: newViewFault(judgeOf(core), primary, message, bodies);
	if (fault !== null) {
		suspect(core, primary, "unproved-new-view");
		if (!isProvedFalse(fault)) return null;
		convict(core, { type: "bad-new-view", culprit: primary, newView: message, viewChanges: bodies });
		return message;
	}
	const plan = planView(
		core,
		bodies.map(({ viewChange }) => viewChange),
	);
	if (plan !== null) enterView(core, { message, bodies }, plan);
	return null;
}

function enterView(core: PbftCore, opened: OpenedView, plan: NewViewPlan): void {
	const { message } = opened;
	rollBack(core);
	core.view = message.view;
	core.isActive = true;
	core.ownViewChange = null;
	core.opened = opened;
	core.openingView = null;
	core.hasProgressed = false;
	core.unsaved.isView = true;
	if (core.isViewTimerSet) {
		core.isViewTimerSet = false;
		cancelTimer(core, "view-change");
	}
	for (const [member, known] of core.viewChanges) {
		if (known.message.view <= message.view) core.viewChanges.delete(member);
	}
	if (plan.stable !== null && plan.stable.sequence > core.low) becomeStable(core, plan.stable);
	for (const slot of core.slots.values()) resetForView(slot);
	forgetCollector(core);
	core.acknowledgements.clear();
	core.unproposed = new Map(core.waiting);
	const minimum = plan.stable?.sequence ?? 0;
	const last = (plan.slots.at(-1)?.sequence ?? minimum) as SequenceNumber;
	core.nextSequence = sequenceAfter(Math.max(last, core.low) as SequenceNumber);
	core.freshFrom = core.nextSequence;
	const primary = primaryOf(core.configuration, core.view);
	emit(core, { type: "view-entered", view: core.view, primary, low: core.low });
	acceptProposals(core, message.proposals);
	// What others may have decided of it without this member, it asks for.
	if (core.executed < core.low)
		for (const { sender } of opened.bodies) if (sender !== core.config.nodeId) tellStatus(core, sender);
	passWaitingOn(core);
	timeRequests(core);
	guardView(core);
}

/** Everything that may have been decided runs through all phases again, in the new view (OSDI'99 §4.4). */
function acceptProposals(core: PbftCore, proposals: readonly Proposal[]): void {
	for (const { sequence, digest, signature } of proposals) {
		// A member whose checkpoint is further has this slot behind it.
		if (sequence <= core.low) continue;
		const slot = slotAt(core, sequence);
		const batch = bodyOf(core, slot, digest) ?? null;
		accept(core, slot, digest, signature, batch);
		askForBody(core, slot);
	}
}

/** The new primary may not know what waits here. */
function passWaitingOn(core: PbftCore): void {
	core.forwards = [];
	if (primaryOf(core.configuration, core.view) === core.config.nodeId) return;
	for (const { request } of core.unproposed.values()) core.forwards.push(request);
}
