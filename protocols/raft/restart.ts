/** The first step of a life: the core takes what was durable, and nothing else, from the one before. */
import { recoverConfiguration } from "./active-configuration.ts";
import type { RaftCore } from "./core.ts";
import type { LogIndex, Term } from "./entry.ts";
import { RaftLog } from "./log.ts";
import { beginRepair, missSnapshot } from "./repair.ts";
import { setElectionTimer, setMinimumTimer } from "./roles.ts";
import { guardLease } from "./round.ts";
import type { RaftDurable } from "./vocabulary.ts";
import { isHollowLog } from "./witness.ts";

export function handleStart(core: RaftCore, durable: RaftDurable): void {
	const { hardState, snapshot } = durable;
	core.term = hardState.term;
	core.votedFor = hardState.votedFor;
	core.askingLives = hardState.askingLives ?? 0;
	core.snapshot = snapshot;
	core.log = recoverLog(core, durable);
	if (snapshot !== null) {
		core.commitIndex = snapshot.lastIndex;
		core.deliveredIndex = snapshot.lastIndex;
		core.snapshotMark = snapshot.lastIndex;
		if (snapshot.withheld !== true && durable.isSnapshotDamaged !== true) {
			core.out.push({ type: "apply", delivery: { type: "restore-snapshot", snapshot }, release: "immediate" });
		}
		recoverTerm(core, snapshot.lastTerm);
	}
	core.isHollow = isHollowLog(core.log, snapshot);
	recoverConfiguration(core);
	if (durable.damagedFrom !== undefined || hardState.isUnderRepair) beginRepair(core, durable.damagedFrom ?? null);
	if (durable.isSnapshotDamaged === true) missSnapshot(core);
	setElectionTimer(core);
	// At the first boot there is no leader that could count on this member.
	if (core.term > 0) awaitLease(core);
}

/** With leases: for as long as a leader may count on what was promised in the life before. */
function awaitLease(core: RaftCore): void {
	guardLease(core);
	if (!core.guardsLease) return;
	core.leaderHeard = true;
	setMinimumTimer(core);
}

/**
 * The durable log, behind a base. The application's snapshots become durable beside the persists, so a snapshot may
 * reach beyond the durable log, or cover indices where the disk still has the entries of a leader that lost. Either
 * way the log has no entry of the snapshot's last index and term, and is replaced by the snapshot, as in §7.
 */
function recoverLog(core: RaftCore, { snapshot, firstIndex, entries }: RaftDurable): RaftLog {
	const beforeFirst = (firstIndex - 1) as LogIndex;
	if (snapshot === null) return new RaftLog(beforeFirst, 0 as Term, entries);
	const { lastIndex, lastTerm } = snapshot;
	if (lastIndex === beforeFirst) return new RaftLog(lastIndex, lastTerm, entries);
	if (entries[lastIndex - firstIndex]?.term !== lastTerm) {
		const log = new RaftLog(lastIndex, lastTerm, []);
		if (entries.length > 0) log.cutFrom = firstIndex;
		core.compactionUnsaved = lastIndex;
		return log;
	}
	// Entries before the snapshot's last were retained. The term before them is not known, so the first is the base.
	const first = entries[0];
	return new RaftLog(firstIndex, first?.term ?? lastTerm, entries.slice(1));
}

/**
 * A snapshot may be durable although the term in which its last entry arrived is not. No vote of that term can have
 * left, since votes leave after their term is durable; so the term may be taken up without one.
 */
function recoverTerm(core: RaftCore, lastTerm: Term): void {
	if (core.term >= lastTerm) return;
	core.term = lastTerm;
	core.votedFor = null;
	core.hardStateUnsaved = true;
}
