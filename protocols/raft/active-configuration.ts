/**
 * Which configuration is in force: "a server always uses the latest configuration in its log, regardless of whether the
 * entry is committed" (§6). Every change of the log that can change it goes through here.
 */

import { membersOf } from "./configuration.ts";
import { decodeConfiguration } from "./configuration-codec.ts";
import { ConfigurationHistory } from "./configuration-history.ts";
import { emit, type RaftCore } from "./core.ts";
import type { Entry, LogIndex, RaftSnapshot } from "./entry.ts";
import { indexAfter } from "./log.ts";
import { initialProgress } from "./progress.ts";

/** Appends one entry to the log. A configuration is in force from here on. */
export function appendToLog(core: RaftCore, entry: Entry): void {
	core.log.push(entry);
	if (entry.kind === "withheld") core.isHollow = true;
	if (entry.kind !== "configuration") return;
	core.configurations.push({ index: core.log.lastIndex, configuration: decodeConfiguration(entry.data) });
	useLatest(core);
}

/** The log was cut before `index`: a configuration that is gone with it is in force no more. */
export function revertConfiguration(core: RaftCore, index: LogIndex): void {
	if (core.configurations.truncateFrom(index)) useLatest(core);
}

/** A snapshot replaces the log, or (`keepsTail`) its part up to the snapshot's last index. */
export function installConfiguration(core: RaftCore, snapshot: RaftSnapshot, keepsTail: boolean): void {
	const { lastIndex, configuration } = snapshot;
	const tail = keepsTail ? core.configurations.between(lastIndex, core.log.lastIndex) : [];
	core.configurations = new ConfigurationHistory({ index: lastIndex, configuration });
	for (const placed of tail) core.configurations.push(placed);
	useLatest(core);
}

/** At a start: from the snapshot, or the first boot, and the log behind it. */
export function recoverConfiguration(core: RaftCore): void {
	const { snapshot, log } = core;
	if (snapshot !== null) {
		core.configurations = new ConfigurationHistory({
			index: snapshot.lastIndex,
			configuration: snapshot.configuration,
		});
	}
	// What the log retains from before the snapshot is in the snapshot's configuration.
	const from = Math.max(log.baseIndex, snapshot?.lastIndex ?? 0) as LogIndex;
	for (let index = indexAfter(from, 1); index <= log.lastIndex; index = indexAfter(index, 1)) {
		const { kind, data } = log.entryAt(index);
		if (kind === "configuration") core.configurations.push({ index, configuration: decodeConfiguration(data) });
	}
	// Who starts a member knows the configuration of the first boot.
	if (core.configurations.latest.index > 0) useLatest(core);
	if (snapshot !== null) tellCommitted(core, 0 as LogIndex, snapshot.lastIndex);
}

/** The configurations in `(after, through]` can not be cut any more. */
export function tellCommitted(core: RaftCore, after: LogIndex, through: LogIndex): void {
	for (const { index, configuration } of core.configurations.between(after, through)) {
		emit(core, { type: "configuration-committed", index, ...configuration });
	}
}

/** Whether the configuration in force is committed, as far as known here. */
export function isConfigurationCommitted(core: RaftCore): boolean {
	return core.configurationIndex <= core.commitIndex;
}

function useLatest(core: RaftCore): void {
	const { index, configuration } = core.configurations.latest;
	core.configuration = configuration;
	core.configurationIndex = index;
	// What the leader sends a new member first is the entry that makes it one.
	if (core.role === "leader") followMembers(core, indexAfter(index, -1));
	emit(core, { type: "configuration-changed", index, ...configuration });
}

/** A leader sends to all members but itself, and to nobody else; to a new one from behind `guess` on. */
export function followMembers(core: RaftCore, guess: LogIndex): void {
	const members = membersOf(core.configuration).filter((member) => member !== core.config.nodeId);
	for (const peer of core.progress.keys()) if (!members.includes(peer)) core.progress.delete(peer);
	for (const member of members) {
		if (!core.progress.has(member)) core.progress.set(member, initialProgress(guess));
	}
}
