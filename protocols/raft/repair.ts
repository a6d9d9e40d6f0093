/**
 * A member whose disk has lost what it may have acknowledged (in the manner of protocol-aware recovery, Alagappan et al.,
 * FAST 2018, and of Viewstamped Replication's recovery): its store reports at the start from which index on the log can not be
 * read. It drops all from there, and until it has it again from a leader it neither votes nor campaigns.
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
 * With a majority under repair nobody can be elected: they wait for those whose disks are whole, and lose nothing. A lost
 * term or vote can not be repaired: such a store must be refused, and the member comes back as a new one.
 */
import type { NodeId } from "../core/index.ts";
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
	core.repair = { through: null, isSent: false };
	beginAsking(core);
	emit(core, { type: "log-damaged", from: damagedFrom, lastIndex: log.lastIndex });
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
	core.repair = null;
	core.hardStateUnsaved = true;
	emit(core, { type: "log-repaired", through });
}

/** A message of the leader shows that the question or its answer may be lost, or that the leader expects too much. */
export function askRepairAgain(core: RaftCore): void {
	if (core.repair !== null) core.repair.isSent = false;
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
	becomeProbe(progress, indexAfter(Math.min(lastIndex, log.lastIndex) as LogIndex, 1));
	// All that this leader has ever sent, or counted.
	sendImmediate(core, from, { type: "repair-response", term, life, index: log.lastIndex });
}

export function handleRepairResponse(core: RaftCore, { life, index }: RepairResponse): void {
	if (core.repair === null || life !== core.askingLives || core.repair.through !== null) return;
	core.repair.through = index;
}
