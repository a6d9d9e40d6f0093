/** From the commit index to the application: deliveries, in order, and the policy of snapshots (§7). */
import { assert, type RequestId, type WriteId } from "../core/index.ts";
import { tellCommitted } from "./active-configuration.ts";
import { emit, type RaftCore } from "./core.ts";
import { persistUnsaved } from "./durability.ts";
import type { LogIndex, RaftSnapshot } from "./entry.ts";
import { bytesBetween, bytesOf } from "./entry-size.ts";
import { settlePassed, takeForwarded } from "./forwarding.ts";
import { indexAfter } from "./log.ts";
import { isWithoutApplication, passOver } from "./witness.ts";

/** Takes note that everything through `index` is decided. */
export function commitThrough(core: RaftCore, index: LogIndex): void {
	assert(index > core.commitIndex && index <= core.log.lastIndex, "the commit index only grows, within the log", {
		index,
		commitIndex: core.commitIndex,
	});
	const before = core.commitIndex;
	core.commitIndex = index;
	if (core.role === "leader") core.uncommittedBytes -= bytesBetween(core.log, before, index);
	emit(core, { type: "commit-advanced", term: core.term, index });
	tellCommitted(core, before, index);
}

/**
 * Hands the application what is decided. It need not be durable here: a quorum has it, so a crash of this
 * participant can not undo it, and a restart delivers it again from the last snapshot on.
 */
export function deliverCommitted(core: RaftCore): void {
	// A state that is wrong is given nothing more until it is replaced.
	if (core.restoring !== null || core.wantedSnapshot !== null) return;
	if (isWithoutApplication(core)) {
		if (core.deliveredIndex < core.commitIndex) passOver(core);
		return;
	}
	while (core.deliveredIndex < core.commitIndex) {
		const firstIndex = indexAfter(core.deliveredIndex, 1);
		const bound = core.deliveredIndex + core.config.maxEntriesPerDelivery;
		const through = Math.min(bound, core.commitIndex) as LogIndex;
		const entries = core.log.copyOf(firstIndex, through);
		core.deliveredBytes += bytesOf(entries);
		core.deliveredIndex = through;
		const requestIds = takeForwarded(core, firstIndex, entries) ?? takeRequestIds(core, firstIndex, entries.length);
		core.out.push({
			type: "apply",
			delivery: { type: "entries", firstIndex, entries, requestIds },
			release: "immediate",
		});
		orderSnapshotIfDue(core);
	}
}

/** The local requests that wait for `count` entries from `firstIndex` on; null if none does. */
function takeRequestIds(core: RaftCore, firstIndex: LogIndex, count: number): (RequestId | null)[] | null {
	const before = Math.max(0, core.requestsFrom - firstIndex);
	if (core.requestIds.length === 0 || before >= count) return null;
	const taken = core.requestIds.splice(0, count - before);
	core.requestsFrom = indexAfter(core.requestsFrom, taken.length);
	let waiting = 0;
	for (const requestId of taken) if (requestId !== null) waiting++;
	core.pendingProposals -= waiting;
	if (waiting === 0) return null;
	return before === 0 ? taken : [...new Array<null>(before).fill(null), ...taken];
}

/** How far the log may outgrow the policy while a snapshot is being sent: a newer one would start it anew. */
const TRANSFER_PATIENCE = 8;

function orderSnapshotIfDue(core: RaftCore): void {
	if (core.orderedSnapshot !== null) return;
	const patience = isTransferring(core) ? TRANSFER_PATIENCE : 1;
	const entries = core.deliveredIndex - core.snapshotMark;
	const { snapshotEveryEntries, snapshotEveryBytes } = core.config;
	if (entries < snapshotEveryEntries * patience && core.deliveredBytes < snapshotEveryBytes * patience) return;
	orderSnapshot(core);
}

/** Orders a snapshot of what the application has been handed; none may be under way. */
export function orderSnapshot(core: RaftCore): void {
	const lastIndex = core.deliveredIndex;
	const lastTerm = core.log.termAt(lastIndex);
	assert(lastTerm !== undefined, "the log knows the term of what was delivered last");
	const { configuration } = core.configurations.asOf(lastIndex);
	core.orderedSnapshot = lastIndex;
	core.snapshotMark = lastIndex;
	core.deliveredBytes = 0;
	core.out.push({
		type: "apply",
		delivery: { type: "take-snapshot", lastIndex, lastTerm, configuration },
		release: "immediate",
	});
}

function isTransferring(core: RaftCore): boolean {
	for (const progress of core.progress.values())
		if (progress.mode === "snapshot" && progress.recentlyActive) return true;
	return false;
}

/** The application's snapshot is durable: the log before it may go, save what laggards may still want. */
export function handleSnapshotReady(core: RaftCore, snapshot: RaftSnapshot): void {
	if (core.orderedSnapshot === snapshot.lastIndex) core.orderedSnapshot = null;
	// One that was installed meanwhile reaches further.
	if (core.snapshot !== null && core.snapshot.lastIndex >= snapshot.lastIndex) return;
	assert(snapshot.lastIndex <= core.deliveredIndex, "a snapshot covers only what was delivered");
	core.snapshot = snapshot;
	core.configurations.forgetBefore(snapshot.lastIndex);
	const through = indexAfter(snapshot.lastIndex, -core.config.retainedEntries);
	if (through <= core.log.baseIndex) return;
	// What is delivered may not have been handed to the disk yet; it can not be compacted before that.
	persistUnsaved(core);
	core.log.compactThrough(through);
	core.compactionUnsaved = through;
	emit(core, { type: "log-compacted", throughIndex: through });
}

/**
 * An installed snapshot is durable: the application loads it, and deliveries go on behind it. Returns whether it is.
 */
export function restoreInstalled(core: RaftCore, writeId: WriteId): boolean {
	if (core.restoring === null || core.restoring.writeId > writeId) return false;
	const { snapshot } = core.restoring;
	core.restoring = null;
	core.deliveredIndex = snapshot.lastIndex;
	settlePassed(core);
	if (snapshot.withheld !== true) {
		core.out.push({ type: "apply", delivery: { type: "restore-snapshot", snapshot }, release: "immediate" });
	}
	return true;
}
