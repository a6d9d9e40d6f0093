/**
 * What goes to the disk and what may follow it. Everything unsaved leaves in one persist, in the order in which it
 * came to be, so the disk always holds a state that the machine was in.
 */
import { must, type NodeId, type WriteId } from "../core/index.ts";
import { revertConfiguration } from "./active-configuration.ts";
import type { RaftCore } from "./core.ts";
import type { HardState, LogIndex } from "./entry.ts";
import { indexAfter } from "./log.ts";
import type { RaftMessage } from "./messages.ts";
import type { RaftWrite } from "./vocabulary.ts";

/** Whether anything is waiting to be handed to the disk. */
export function hasUnsaved(core: RaftCore): boolean {
	return (
		core.hardStateUnsaved ||
		core.log.handedThrough < core.log.lastIndex ||
		core.log.cutFrom !== null ||
		core.compactionUnsaved !== null
	);
}

/** Whether the present term and vote are durable. */
export function isHardStateDurable(core: RaftCore): boolean {
	const [oldest] = core.writes;
	return !core.hardStateUnsaved && (oldest === undefined || oldest.writeId > core.hardStateWriteId);
}

/** Hands everything unsaved to the disk, unless nothing is. */
export function persistUnsaved(core: RaftCore): void {
	if (hasUnsaved(core)) persist(core, {});
}

/** Hands everything unsaved and `more` to the disk in one persist. */
export function persist(core: RaftCore, more: RaftWrite): WriteId {
	const { log } = core;
	const write: { -readonly [Field in keyof RaftWrite]: RaftWrite[Field] } = { ...more };
	if (core.hardStateUnsaved) write.hardState = hardStateOf(core);
	if (log.cutFrom !== null) write.truncateFrom = log.cutFrom;
	if (log.handedThrough < log.lastIndex) {
		const firstIndex = indexAfter(log.handedThrough, 1);
		write.append = { firstIndex, entries: log.copyOf(firstIndex, log.lastIndex) };
	}
	if (core.compactionUnsaved !== null) write.compactThrough = core.compactionUnsaved;
	core.hardStateUnsaved = false;
	core.compactionUnsaved = null;
	log.cutFrom = null;
	log.handedThrough = log.lastIndex;
	const writeId = core.nextWriteId++;
	if (write.hardState !== undefined) core.hardStateWriteId = writeId;
	core.writes.push({ writeId, through: log.lastIndex });
	core.out.push({ type: "persist", writeId, write });
	return writeId;
}

function hardStateOf({ term, votedFor, askingLives, repair }: RaftCore): HardState {
	const hardState = askingLives === 0 ? { term, votedFor } : { term, votedFor, askingLives };
	return repair === null ? hardState : { ...hardState, isUnderRepair: true };
}

/** Sends what rests on this participant's term, vote or log: after they are durable. */
export function sendDurable(core: RaftCore, to: NodeId, message: RaftMessage): void {
	persistUnsaved(core);
	core.out.push({ type: "send", to, message, release: "after-durable" });
}

/**
 * Cuts the log before `index`. A persist of the cut entries that is still under way will complete, but by then they
 * are not the log's any more: it must not make their successors at the same indices count as durable.
 */
export function cutLog(core: RaftCore, index: LogIndex): void {
	core.log.truncateFrom(index);
	revertConfiguration(core, index);
	for (const write of core.writes) {
		if (write.through >= index) write.through = indexAfter(index, -1);
	}
}

/** Takes note that all persists through `writeId` are durable. */
export function completeWrites(core: RaftCore, writeId: WriteId): void {
	let done = 0;
	while (done < core.writes.length && must(core.writes[done], "in range").writeId <= writeId) {
		const { through } = must(core.writes[done], "in range");
		if (through > core.log.durableThrough) core.log.durableThrough = through;
		done++;
	}
	core.writes.splice(0, done);
}
