/**
 * Messages that come too early: of a view that is not entered yet, of the next epoch, or of slots above the window. None of them counts
 * (rule 4); they are taken up when view, epoch or window have moved. Without that a member that lags by a few slots, as one always does
 * where checkpoints are close, would lose what the others say only once, and could follow by repetitions and state transfers alone, never
 * fast enough under load.
 */
import type { NodeId } from "../core/index.ts";
import { highOf, type PbftCore } from "./core.ts";
import { primaryOf } from "./entities.ts";
import type { Checkpoint, Commit, PrePrepare, Prepare } from "./messages.ts";

export type KeptMessage = PrePrepare | Prepare | Commit | Checkpoint;

/** Batches of the largest size that are kept for one sender. */
const KEPT_BATCHES_MAX = 8;

/** Keeps at most `futureMax` of each sender: the oldest give way. Of pre-prepares those alone that their sender may make. */
export function keepForLater(core: PbftCore, from: NodeId, message: KeptMessage): void {
	const { futureMax, batchMaxBytes } = core.config;
	if (futureMax === 0 || message.sequence <= core.low) return;
	if (message.type === "pre-prepare" && message.epoch === core.configuration.epoch) {
		if (from !== primaryOf(core.configuration, message.view)) return;
	}
	const kept = core.future.get(from) ?? [];
	if (kept.length === 0) core.future.set(from, kept);
	kept.push(message);
	if (kept.length > futureMax) kept.shift();
	if (message.type !== "pre-prepare") return;
	let sizeBytes = kept.reduce((sum, other) => sum + sizeOf(other), 0);
	while (sizeBytes > KEPT_BATCHES_MAX * batchMaxBytes) sizeBytes -= sizeOf(kept.shift());
}

function sizeOf(message: KeptMessage | undefined): number {
	if (message?.type !== "pre-prepare") return 0;
	return message.batch.requests.reduce((sum, { operation }) => sum + operation.length, 0);
}

/** What counts now, each once, by sender in the order in which it came; nothing as long as view, epoch and window stay. */
export function takeDue(core: PbftCore): readonly (readonly [NodeId, KeptMessage])[] {
	if (core.future.size === 0) return [];
	const { view, isActive, configuration } = core;
	const [epoch, high] = [configuration.epoch, highOf(core)];
	const { takenAt } = core;
	const isUnmoved = takenAt.view === view && takenAt.isActive === isActive && takenAt.epoch === epoch;
	if (isUnmoved && takenAt.high === high) return [];
	core.takenAt = { view, isActive, epoch, high };
	const due: (readonly [NodeId, KeptMessage])[] = [];
	for (const [from, messages] of [...core.future]) {
		const later: KeptMessage[] = [];
		for (const message of messages) {
			if (message.epoch < epoch || (message.epoch === epoch && message.sequence <= core.low)) continue;
			if (isDue(core, message, high)) due.push([from, message]);
			else later.push(message);
		}
		if (later.length === 0) core.future.delete(from);
		else if (later.length < messages.length) core.future.set(from, later);
	}
	return due;
}

function isDue(core: PbftCore, message: KeptMessage, high: number): boolean {
	if (message.epoch !== core.configuration.epoch) return false;
	if (message.type === "checkpoint") return message.sequence <= high;
	if (message.view !== core.view) return message.view < core.view;
	return core.isActive && message.sequence <= high;
}
