/**
 * Witnesses: members that vote and acknowledge, and keep terms and indices but no commands and no application (as in
 * dragonboat, TiKV and NuRaft). Two full members and a witness outlive the loss of one for the price of two.
 *
 * 1. A witness is sent `withheld` in place of each command. Its log has the terms and configurations of the leader's, so its
 *    votes and acknowledgements mean what any member's do (§5.4.1).
 * 2. Witnesses are fewer than a majority of the voters (`membership.ts` sees to it), so each quorum has a full member: what
 *    is committed is on the disk of one that can hand it on. If that one is lost for ever the command is lost with it; if it is
 *    away, the witness refuses its vote to those who lack the command, and nobody leads until it is back.
 * 3. A witness is sent only what is on the disk of a full voter already (`replication.ts`). So it never knows of more than
 *    all who could lead, and refuses its vote for ever. It costs the time of a write: a commit that needs the witness
 *    comes later than one that does not.
 * 4. A witness never campaigns, is handed no leadership, and answers nobody: it has no state to answer from. Its snapshots
 *    are the end of what it knows to be decided and have no bytes, whoever makes them.
 * 5. A log with something withheld is hollow, and whose it is hands its application nothing, witness or not. Only a
 *    snapshot makes it whole.
 */
import { isWitness } from "./configuration.ts";
import { emit, type RaftCore } from "./core.ts";
import { persist, persistUnsaved } from "./durability.ts";
import type { Entry, LogIndex, RaftSnapshot, SessionId } from "./entry.ts";
import { indexAfter, type RaftLog } from "./log.ts";

const noData = new Uint8Array(0);

/** These entries as a witness gets them. */
export function withhold(entries: readonly Entry[]): readonly Entry[] {
	return entries.map((entry) => {
		if (entry.kind !== "command") return entry;
		const session = 0 as SessionId;
		return { term: entry.term, kind: "withheld", session, serial: 0, firstIncomplete: 0, data: noData };
	});
}

/** Whether this member's application is handed nothing: it is a witness, or its log is hollow. */
export function isWithoutApplication(core: RaftCore): boolean {
	return core.isHollow || isWitness(core.configuration, core.config.nodeId);
}

/** Whether something is withheld behind a snapshot, or in it. */
export function isHollowLog(log: RaftLog, snapshot: RaftSnapshot | null): boolean {
	if (snapshot?.withheld === true) return true;
	const from = Math.max(log.baseIndex, snapshot?.lastIndex ?? 0) as LogIndex;
	for (let index = indexAfter(from, 1); index <= log.lastIndex; index = indexAfter(index, 1)) {
		if (log.entryAt(index).kind === "withheld") return true;
	}
	return false;
}

/** In place of a delivery: what is decided is passed over, and the log before it goes when it has grown by the policy. */
export function passOver(core: RaftCore): void {
	core.deliveredIndex = core.commitIndex;
	if (core.deliveredIndex - core.snapshotMark < core.config.snapshotEveryEntries) return;
	const lastIndex = core.deliveredIndex;
	const lastTerm = core.log.termAt(lastIndex);
	if (lastTerm === undefined) return;
	const { configuration } = core.configurations.asOf(lastIndex);
	const snapshot: RaftSnapshot = { lastIndex, lastTerm, configuration, sizeBytes: 0, withheld: true };
	core.isHollow = true;
	core.snapshot = snapshot;
	core.snapshotMark = lastIndex;
	core.orderedSnapshot = null;
	core.configurations.forgetBefore(lastIndex);
	persistUnsaved(core);
	const through = indexAfter(lastIndex, -core.config.retainedEntries);
	if (through > core.log.baseIndex) {
		core.log.compactThrough(through);
		core.compactionUnsaved = through;
		emit(core, { type: "log-compacted", throughIndex: through });
	}
	persist(core, { snapshotChunk: { lastIndex, lastTerm, offset: 0, data: noData }, installSnapshot: snapshot });
}
