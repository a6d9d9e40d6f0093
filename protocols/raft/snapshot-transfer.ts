/**
 * The leader's side of install-snapshot (§7, thesis §5.3): chunk by chunk from the durable snapshot, one chunk under
 * way per peer. The peer's answer says where it stands, so a lost chunk is sent again from there, and a snapshot that
 * was replaced meanwhile starts over as the new one.
 */
import { assert, type NodeId, type ReadId } from "../core/index.ts";
import { isWitness } from "./configuration.ts";
import { emit, type RaftCore, sendImmediate } from "./core.ts";
import type { SnapshotResponse } from "./messages.ts";
import { acknowledge, becomeReplicate, type Progress, type SnapshotTransfer } from "./progress.ts";
import type { RaftReadResult } from "./vocabulary.ts";

/** Starts sending the present snapshot to a peer whose next entry is compacted, or that has asked for it. */
export function startTransfer(core: RaftCore, peer: NodeId, progress: Progress, isWanted = false): void {
	const { snapshot } = core;
	assert(snapshot !== null && snapshot.lastIndex >= core.log.baseIndex, "a durable snapshot covers what is compacted");
	progress.mode = "snapshot";
	progress.inflight = [];
	const isWithheld = isWitness(core.configuration, peer);
	const sizeBytes = isWithheld ? 0 : snapshot.sizeBytes;
	progress.transfer = { snapshot, sizeBytes, isWithheld, isWanted, offset: 0, readId: null, moved: true };
	emit(core, { type: "snapshot-send-started", to: peer, lastIndex: snapshot.lastIndex });
	sendNext(core, peer, progress.transfer);
}

/** A witness gets all of it at once: there are no bytes to read. */
function sendNext(core: RaftCore, peer: NodeId, transfer: SnapshotTransfer): void {
	if (transfer.isWithheld) sendChunk(core, peer, transfer, new Uint8Array(0));
	else readChunk(core, transfer);
}

function readChunk(core: RaftCore, transfer: SnapshotTransfer): void {
	const { sizeBytes } = transfer;
	const { lastIndex } = transfer.snapshot;
	const lengthBytes = Math.min(core.config.snapshotChunkBytes, sizeBytes - transfer.offset);
	transfer.readId = core.nextReadId++;
	core.out.push({
		type: "read",
		readId: transfer.readId,
		read: { lastIndex, offset: transfer.offset, lengthBytes },
	});
}

/** The disk has answered a read: the chunk leaves at once, since what it claims is durable already. */
export function handleReadCompleted(core: RaftCore, readId: ReadId, result: RaftReadResult): void {
	for (const [peer, progress] of core.progress) {
		const { transfer } = progress;
		if (transfer === null || transfer.readId !== readId) continue;
		transfer.readId = null;
		if (result.type === "chunk") sendChunk(core, peer, transfer, result.data);
		// Replaced since. If this machine knows the new one, start over; else a heartbeat will, when it does.
		else if (core.snapshot !== transfer.snapshot) startTransfer(core, peer, progress, transfer.isWanted);
	}
}

function sendChunk(core: RaftCore, peer: NodeId, transfer: SnapshotTransfer, data: Uint8Array): void {
	const { sizeBytes, isWithheld: withheld } = transfer;
	const { lastIndex, lastTerm, configuration } = transfer.snapshot;
	sendImmediate(core, peer, {
		type: "install-snapshot",
		term: core.term,
		lastIndex,
		lastTerm,
		configuration,
		withheld,
		sizeBytes,
		offset: transfer.offset,
		data,
		round: core.round,
	});
}

/** The peer says how far the chunks have arrived. Returns whether `match` moved. */
export function handleSnapshotResponse(
	core: RaftCore,
	peer: NodeId,
	progress: Progress,
	{ lastIndex, nextOffset }: SnapshotResponse,
): boolean {
	const { transfer } = progress;
	if (transfer === null || transfer.snapshot.lastIndex !== lastIndex) return false;
	if (nextOffset > transfer.sizeBytes || nextOffset < 0) return false;
	if (nextOffset === transfer.sizeBytes) {
		const moved = acknowledge(progress, lastIndex);
		becomeReplicate(progress);
		return moved;
	}
	// The answer to a chunk that was sent twice: the one from here on is under way.
	if (nextOffset === transfer.offset) return false;
	transfer.offset = nextOffset;
	transfer.moved = true;
	if (core.snapshot === transfer.snapshot) sendNext(core, peer, transfer);
	else startTransfer(core, peer, progress, transfer.isWanted);
	return false;
}

/** A heartbeat's time has passed: if the peer did not move meanwhile, its chunk or the answer was lost. */
export function resendStalledChunk(core: RaftCore, peer: NodeId, progress: Progress): void {
	const { transfer } = progress;
	if (transfer === null || transfer.readId !== null) return;
	if (core.snapshot !== transfer.snapshot) startTransfer(core, peer, progress, transfer.isWanted);
	else if (!transfer.moved) sendNext(core, peer, transfer);
	transfer.moved = false;
}
