/**
 * Proactive recovery (TOCS §5): a member that may have been tampered with, without anyone having noticed, does as if it had been. It says
 * nothing until a quorum has told where the group is, votes for nothing above the water mark that follows from that, and counts as
 * recovered when its own state equals one that a quorum has certified since, or was replaced by it.
 *
 * The estimate c is the checkpoint of one member than which a quorum of members has nothing later, and which f others have prepared: so c is
 * no lower than what a correct member has, and no higher than what one has reached. This member's own word counts for the first alone: it may
 * be wrong, but without it f members could keep it silent. Where votes are
 * authenticated it renews its session keys first. Rebooting from clean code, and new secrets behind the port, are the host's.
 */
import type { NodeId } from "../core/index.ts";
import { broadcast, emit, mayAnswer, type PbftCore, sendImmediate, setTimer, takesPart } from "./core.ts";
import type { Configuration, SequenceNumber } from "./entities.ts";
import type { QueryStable, StableReport } from "./messages.ts";
import { quorumOf } from "./quorum.ts";
import { renewKeys } from "./session-keys.ts";

/** The next recovery is due after a period, spread so that members do not all recover at once. */
export function timeRecovery(core: PbftCore): void {
	const { recoveryPeriodMs } = core.config;
	if (recoveryPeriodMs > 0) setTimer(core, "recovery", recoveryPeriodMs, recoveryPeriodMs);
}

export function handleRecoveryTimer(core: PbftCore): void {
	timeRecovery(core);
	if (core.recovery !== null || !takesPart(core)) return;
	core.recoveries++;
	const base = core.base?.certificate.sequence ?? 0;
	core.recovery = { base, reports: new Map(), estimate: null };
	emit(core, { type: "recovery-started" });
	// Whoever was in here may have the old ones.
	renewKeys(core);
	askWhereGroupIs(core);
}

/** Asks again for what was lost. */
export function askWhereGroupIs(core: PbftCore): void {
	if (isEstimating(core)) broadcast(core, { type: "query-stable", nonce: core.recoveries });
}

/** This member does not know yet how far the group is, and says nothing about slots and views. */
export function isEstimating({ recovery }: PbftCore): boolean {
	return recovery !== null && recovery.estimate === null;
}

export function handleQueryStable(core: PbftCore, from: NodeId, { nonce }: QueryStable): void {
	if (!mayAnswer(core, from)) return;
	const { low } = core;
	let prepared = low;
	for (const slot of core.slots.values())
		if (slot.prepared !== null && slot.sequence > prepared) prepared = slot.sequence;
	sendImmediate(core, from, { type: "stable-report", nonce, low, prepared });
}

/** @returns whether this member knows now how far the group is */
export function handleStableReport(core: PbftCore, from: NodeId, { nonce, low, prepared }: StableReport): boolean {
	const { recovery } = core;
	if (recovery === null || recovery.estimate !== null || nonce !== core.recoveries) return false;
	recovery.reports.set(from, { low, prepared });
	recovery.estimate = estimateOf(recovery.reports, core.low, core.configuration);
	if (recovery.estimate === null) return false;
	emit(core, { type: "recovery-estimated", sequence: recovery.estimate });
	return true;
}

/** c by the reports so far; null while they do not suffice. */
function estimateOf(
	reports: ReadonlyMap<NodeId, { readonly low: SequenceNumber; readonly prepared: SequenceNumber }>,
	own: SequenceNumber,
	configuration: Configuration,
): SequenceNumber | null {
	for (const [member, { low }] of reports) {
		const others = [...reports].filter(([other]) => other !== member).map(([, report]) => report);
		const notLater = others.filter((other) => other.low <= low).length + (own <= low ? 1 : 0);
		const isHighEnough = notLater >= quorumOf(configuration) - 1;
		const isReached = others.filter((other) => other.prepared >= low).length >= configuration.faults;
		if (isHighEnough && isReached) return low;
	}
	return null;
}

/** A base was saved: its state is this member's own, and certified. */
export function noteRecovered(core: PbftCore): void {
	const { recovery, base } = core;
	if (recovery === null || recovery.estimate === null || base === null) return;
	const { sequence } = base.certificate;
	if (sequence <= recovery.base || sequence <= recovery.estimate) return;
	core.recovery = null;
	emit(core, { type: "recovered", sequence });
}
