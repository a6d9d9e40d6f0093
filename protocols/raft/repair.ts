/**
 * A member whose disk has lost what it may have acknowledged (in the manner of protocol-aware recovery, Alagappan et al.,
 * FAST 2018, and of Viewstamped Replication's recovery): its store reports at the start from which index on the log can not be
 * read, or that the snapshot can not. Of a log it drops all from there, and until it has it again from a leader it neither votes nor campaigns.
 *
 * 1. That it is under repair is durable before, and with, the cut: a restart in between finds a log that looks whole.
 * 2. It asks the leader, who forgets what this member has acknowledged beyond the end of its log, and tells the end of its
 *    own. Acknowledgements of a former life that come late may raise what the leader believes again, so a follower under
 *    repair that is sent what does not follow its log asks anew.
 * 3. What it once acknowledged and was committed, was so in a term no later than its own, which its disk has kept. By
 *    leader completeness a leader of this term or a later one has it: no quorum that elected that leader had this member's
 *    vote since the loss, so each met the committing quorum in a member that has lost nothing.
 * 4. So when it follows the leader's log up to the end that it was told, it has all that it may have acknowledged, and votes
 *    again. What it acknowledges meanwhile is on its disk, and counts.
 *
 * A snapshot that can not be read has taken the application's state with it, and what stood in the log before.
 *
 * 5. Term, vote and the rest of the log are as they were, and so is what the snapshot describes: how far it went, in which
 *    term, with which members. What this member acknowledges behind it is on its disk, so the log goes on from there.
 * 6. The state is not there: it hands its application nothing, answers no read, can not lead, since it could bring nobody
 *    else up, and does not vote, so that 3 holds for all of what it may have acknowledged. It asks the leader for a snapshot
 *    that reaches at least as far, and is whole when the application has that, and 4.
 * 7. A leader that finds it when it reads it to send it has all of the state, and takes another (`snapshot-replacement.ts`).
 *
 * With a majority under repair nobody can be elected: they wait for those whose disks are whole, and lose nothing. A lost
 * term or vote can not be repaired: such a store must be refused, and the member comes back as a new one.
 */
import { assert, type NodeId } from "../core/index.ts";
import { emit, type RaftCore, sendImmediate } from "./core.ts";
import { sendDurable } from "./durability.ts";
import type { LogIndex } from "./entry.ts";
import { beginAsking } from "./forwarding.ts";
import { indexAfter } from "./log.ts";
import type { RepairRequest, RepairResponse } from "./messages.ts";
import { becomeProbe } from "./progress.ts";

/** At a start: the log ends before what is damaged (or was found to be in an earlier life, null). */
export function beginRepair(core: RaftCore, damagedFrom: LogIndex | null): void {
	const { log } = core;
	if (damagedFrom !== null && (log.cutFrom === null || damagedFrom < log.cutFrom)) log.cutFrom = damagedFrom;
	askAnew(core);
	emit(core, { type: "log-damaged", from: damagedFrom, lastIndex: log.lastIndex });
}

/** At a start: the snapshot is described, and can not be read. */
export function missSnapshot(core: RaftCore): void {
	const { snapshot } = core;
	assert(snapshot !== null && snapshot.withheld !== true, "a snapshot that is damaged has bytes");
	if (core.repair === null) askAnew(core);
	core.wantedSnapshot = { requestId: null, isSent: false };
	emit(core, { type: "snapshot-damaged", lastIndex: snapshot.lastIndex, remedy: "leader" });
}

function askAnew(core: RaftCore): void {
	core.repair = { through: null, isSent: false };
	beginAsking(core);
}

/** At the end of a follower's batch: asks how far it must get, and sees whether it is there. */
export function continueRepair(core: RaftCore): void {
	const { repair, leader, log, term, askingLives: life } = core;
	if (repair === null) return;
	const { through } = repair;
	if (through === null) {
		if (leader === null || repair.isSent) return;
		repair.isSent = true;
		sendDurable(core, leader, { type: "repair-request", term, life, lastIndex: log.lastIndex });
		return;
	}
	if (core.followedThrough < through || log.durableThrough < through || core.restoring !== null) return;
	if (core.wantedSnapshot?.requestId === null) return;
	core.repair = null;
	core.hardStateUnsaved = true;
	emit(core, { type: "log-repaired", through });
}

/** A heartbeat: the question, or its answer, may be lost. */
export function askRepairAgain(core: RaftCore): void {
	if (core.repair !== null) core.repair.isSent = false;
	if (core.wantedSnapshot !== null) core.wantedSnapshot.isSent = false;
}

/**
 * The leader says nothing, or that there is nothing more to come: it may not know that this member is under repair. It is
 * asked from the beginning, which also wakes a silent group.
 */
export function askRepairAnew(core: RaftCore): void {
	if (core.repair !== null) core.repair.through = null;
	askRepairAgain(core);
}

/** The leader believes more of this member's log than there is: it must forget that first. */
export function disclaim(core: RaftCore, to: NodeId): void {
	const { term, askingLives: life, log } = core;
	sendDurable(core, to, { type: "repair-request", term, life, lastIndex: log.lastIndex });
}

/** A member has lost what is behind `lastIndex`, whatever it has acknowledged. */
export function handleRepairRequest(core: RaftCore, from: NodeId, { life, lastIndex }: RepairRequest): void {
	const progress = core.progress.get(from);
	if (core.role !== "leader" || progress === undefined) return;
	const { log, term } = core;
	progress.match = Math.min(progress.match, lastIndex) as LogIndex;
	// A snapshot that it has asked for is on its way: what follows comes behind it.
	if (progress.transfer?.isWanted !== true) {
		becomeProbe(progress, indexAfter(Math.min(lastIndex, log.lastIndex) as LogIndex, 1));
	}
	// All that this leader has ever sent, or counted.
	sendImmediate(core, from, { type: "repair-response", term, life, index: log.lastIndex });
}

export function handleRepairResponse(core: RaftCore, { life, index }: RepairResponse): void {
	if (core.repair === null || life !== core.askingLives || core.repair.through !== null) return;
	core.repair.through = index;
}
