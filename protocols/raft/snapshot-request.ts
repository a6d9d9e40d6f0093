/**
 * A follower that asks its leader for a snapshot (as in TiKV's raft-rs): somebody has found its application's state to be
 * wrong, or its own snapshot can not be read and there is no state (`repair.ts`). It hands its application nothing more until the snapshot is there, which reaches at least as far as it had got; its
 * log goes on, and what is decided meanwhile is applied behind the snapshot.
 */
import type { NodeId, RequestId } from "../core/index.ts";
import { emit, type RaftCore, reply, sendImmediate } from "./core.ts";
import { orderSnapshot } from "./delivery.ts";
import { isHardStateDurable, sendDurable } from "./durability.ts";
import type { SnapshotRequest } from "./messages.ts";
import { startTransfer } from "./snapshot-transfer.ts";
import type { RaftRefusal } from "./vocabulary.ts";
import { isWithoutApplication } from "./witness.ts";

/** Takes the wish of a local client, or returns why not. */
export function requestSnapshot(core: RaftCore, requestId: RequestId): RaftRefusal | null {
	if (core.role === "leader") return { reason: "already-leader" };
	if (core.leader === null || isWithoutApplication(core)) return { reason: "not-leader", leader: core.leader };
	if (core.wantedSnapshot !== null) return { reason: "too-many-pending", limit: 1 };
	core.wantedSnapshot = { requestId, isSent: false };
	return null;
}

/** At the end of a follower's batch: asks, and again with each heartbeat until the snapshot comes. */
export function askSnapshot(core: RaftCore): void {
	const { wantedSnapshot: wanted, leader, term, deliveredIndex: minIndex } = core;
	if (wanted === null || wanted.isSent || leader === null || core.restoring !== null) return;
	wanted.isSent = true;
	const send = isHardStateDurable(core) ? sendImmediate : sendDurable;
	send(core, leader, { type: "snapshot-request", term, minIndex });
}

/** A follower wants a snapshot through `minIndex` at least: the present one, or one that is taken now and found when it asks again. */
export function handleSnapshotRequest(core: RaftCore, from: NodeId, { minIndex }: SnapshotRequest): void {
	const progress = core.progress.get(from);
	if (core.role !== "leader" || progress === undefined || progress.mode === "snapshot") return;
	const { snapshot, deliveredIndex } = core;
	if (snapshot !== null && snapshot.lastIndex >= Math.max(minIndex, core.log.baseIndex)) {
		startTransfer(core, from, progress, true);
		return;
	}
	if (core.orderedSnapshot === null && deliveredIndex >= minIndex && deliveredIndex > 0) orderSnapshot(core);
}

/** The application has been handed the snapshot. */
export function answerSnapshotRequest(core: RaftCore): void {
	const { wantedSnapshot: wanted, deliveredIndex: lastIndex } = core;
	if (wanted === null) return;
	core.wantedSnapshot = null;
	if (wanted.requestId === null) emit(core, { type: "snapshot-repaired", lastIndex });
	else reply(core, wanted.requestId, { type: "snapshot-restored", lastIndex });
}

/** There is no leader to get it from any more: this member goes on with what it has, unless that is nothing. */
export function refuseSnapshotRequest(core: RaftCore, leader: NodeId | null): void {
	const { wantedSnapshot: wanted } = core;
	if (wanted === null) return;
	if (wanted.requestId === null) {
		wanted.isSent = false;
		return;
	}
	core.wantedSnapshot = null;
	reply(core, wanted.requestId, { type: "refused", reason: "not-leader", leader });
}
