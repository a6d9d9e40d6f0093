/** A life begins: from the disk, a member takes up every word that it may have given. */
import { assert } from "../core/index.ts";
import { reconsiderConvictions } from "./accusation.ts";
import { viewChangeAgain } from "./acknowledgements.ts";
import { hexOf } from "./bytes.ts";
import { planView, withAccepted } from "./claimed-view.ts";
import { broadcast, deliver, emit, judgeOf, type PbftCore, peersOf } from "./core.ts";
import { primaryOf, type SequenceNumber, sequenceAfter } from "./entities.ts";
import { executeReady } from "./execution.ts";
import { viewChangeStatement } from "./new-view-plan.ts";
import { tellKey } from "./own-key.ts";
import { timeRecovery } from "./recovery.ts";
import { setStatusTimer } from "./repeats.ts";
import { timeKeys } from "./session-keys.ts";
import { slotAt } from "./slots.ts";
import { guardView } from "./slow-primary.ts";
import { batchDigest, type Statement } from "./statements.ts";
import { adoptState } from "./transfer.ts";
import { countViewChanges } from "./view-change.ts";
import type { JournalRecord, PbftDurable } from "./vocabulary.ts";
import { isAuthenticated, sign } from "./vote-authentication.ts";

export function handleStart(core: PbftCore, { view, stable, base, firstIndex, records }: PbftDurable): void {
	assert(core.nextRecord === 1 && core.executed === 0, "a machine starts once");
	core.view = view.view;
	core.isActive = view.isActive;
	core.ownViewChange = view.viewChange;
	core.opened = view.opened;
	core.alarm = view.alarm;
	core.keyGeneration = view.keyGeneration ?? 0;
	core.base = base;
	core.stable = stable ?? base?.certificate ?? null;
	core.low = core.stable?.sequence ?? core.low;
	if (core.nextSequence <= core.low) core.nextSequence = sequenceAfter(core.low);
	if (base !== null) {
		adoptState(core, base.state);
		core.epochs = base.epochs;
		core.epochStart = base.state.sequence;
		const { configuration } = core;
		if (configuration.epoch !== core.config.epoch) {
			emit(core, { type: "configuration-entered", configuration, after: base.state.sequence });
		}
		deliver(core, { type: "restore-checkpoint", state: base.state });
		emit(core, { type: "restored", sequence: base.state.sequence, chain: base.state.chain, from: "disk" });
	}
	for (const evidence of view.evidence ?? []) {
		core.convicted.set(evidence.culprit, evidence);
		emit(core, { type: "evidence", evidence });
	}
	reconsiderConvictions(core);
	core.freshFrom = freshFrom(core);
	core.nextRecord = firstIndex;
	for (const record of records) takeUp(core, record);
	if (core.isActive) {
		const primary = primaryOf(core.configuration, core.view);
		emit(core, { type: "view-entered", view: core.view, primary, low: core.low });
	} else if (core.ownViewChange !== null) {
		const message = core.ownViewChange;
		const { digest } = viewChangeStatement(judgeOf(core), message);
		core.viewChanges.set(core.config.nodeId, { message, digest });
		broadcast(core, viewChangeAgain(core, message));
		countViewChanges(core);
	}
	executeReady(core);
	if (core.isActive) guardView(core);
	setStatusTimer(core);
	timeRecovery(core);
	timeKeys(core);
	for (const peer of peersOf(core)) tellKey(core, peer);
}

/** The first slot that the view which is entered did not take over from earlier ones. */
function freshFrom(core: PbftCore): SequenceNumber {
	if (core.opened === null) return 1 as SequenceNumber;
	const last = core.opened.message.proposals.at(-1)?.sequence ?? 0;
	const viewChanges = core.opened.bodies.map(({ viewChange }) => viewChange);
	const stable = planView(core, viewChanges)?.stable?.sequence ?? 0;
	return sequenceAfter(Math.max(last, stable) as SequenceNumber);
}

function takeUp(core: PbftCore, record: JournalRecord): void {
	const index = core.nextRecord++;
	const { sequence } = record;
	if (sequence <= (core.base?.certificate.sequence ?? 0)) return;
	const slot = slotAt(core, sequence);
	slot.firstRecord ??= index;
	// What was open before may have been lost on its way.
	slot.age = 1;
	switch (record.type) {
		case "accepted": {
			const { view, digest, signature, batch } = record;
			if (batch !== null) slot.bodies.set(hexOf(digest), batch);
			if (isAuthenticated(core)) slot.everAccepted = withAccepted(slot, { view, sequence, digest });
			if (view !== core.view || !core.isActive) return;
			slot.accepted = { view, digest, signature };
			if (sequence >= core.nextSequence) core.nextSequence = sequenceAfter(sequence);
			giveVoteAgain(core, "prepare", record);
			return;
		}
		case "body":
			slot.bodies.set(hexOf(batchDigest(core.config.cluster, core.crypto.digest, record.batch)), record.batch);
			return;
		case "prepared": {
			const { proof } = record;
			slot.prepared = proof;
			if (slot.accepted?.view !== proof.view) return;
			slot.isPrepared = true;
			const { digest } = proof;
			for (const { sender, signature } of proof.prepares) {
				slot.prepares.set(sender, { digest, signature, isVerified: true });
			}
			giveVoteAgain(core, "commit", { sequence, digest });
			return;
		}
		case "decided":
			slot.decision = record.certificate;
			return;
	}
}

/** The same word as before, for when somebody lacks it. */
function giveVoteAgain(
	core: PbftCore,
	type: "prepare" | "commit",
	{ sequence, digest }: { readonly sequence: SequenceNumber; readonly digest: Uint8Array },
): void {
	const { nodeId } = core.config;
	const { view, configuration } = core;
	if (type === "prepare" && primaryOf(configuration, view) === nodeId) return;
	const statement: Statement = { type, epoch: configuration.epoch, view, sequence, digest };
	const slot = slotAt(core, sequence);
	const votes = type === "prepare" ? slot.prepares : slot.commits;
	votes.set(nodeId, { digest, signature: sign(core, statement), isVerified: true });
}
