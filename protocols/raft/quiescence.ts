/**
 * A group without work falls silent, if the settings say so (`quiesceAfterHeartbeats`): as dragonboat does, and RabbitMQ's ra by design.
 *
 * 1. A leader whose members all have what it has, and know it to be committed, for so many heartbeats, tells them so
 *    (`quiesce`) and stops both its heartbeats and the check of its quorum. A member that is where the leader says it is stops
 *    waiting for heartbeats.
 * 2. Whoever has work wakes its own side: a leader by a request or any message but a late acknowledgement, and its heartbeat
 *    then wakes the others; a member by a request, by any message, or by the host's word that its leader can not be reached.
 * 3. A member that missed the word goes on waiting, asks for pre-votes in the end, and so wakes the leader.
 *
 * No vote, term or commit depends on any of it: silence is what a slow network does, and a silent leader that was replaced
 * learns so from the first answer to whatever it does next. What it costs is that nobody notices by itself that the leader
 * is gone: in one process the host does, since it watches the members; beyond that the first client that asks.
 */
import type { NodeId } from "../core/index.ts";
import { isConfigurationCommitted } from "./active-configuration.ts";
import { isJoint } from "./configuration.ts";
import { type RaftCore, sendImmediate, setTimer } from "./core.ts";
import { commitThrough } from "./delivery.ts";
import type { Quiesce, RaftMessage } from "./messages.ts";
import { PRIORITY_WAITS_MAX } from "./priority.ts";
import { isAlive, type Progress } from "./progress.ts";
import { askRepairAnew } from "./repair.ts";
import { sendHeartbeat } from "./replication.ts";
import { setMinimumTimer } from "./roles.ts";

/** At a leader's heartbeat. Returns whether it is left out, since the group is silent from now on. */
export function fallsQuiet(core: RaftCore): boolean {
	const { quiesceAfterHeartbeats } = core.config;
	if (quiesceAfterHeartbeats === 0 || core.role !== "leader") return false;
	core.idleBeats = isIdle(core) ? core.idleBeats + 1 : 0;
	if (core.idleBeats <= quiesceAfterHeartbeats) return false;
	const { term, log } = core;
	for (const peer of core.progress.keys())
		sendImmediate(core, peer, { type: "quiesce", term, lastIndex: log.lastIndex });
	core.out.push({ type: "cancel-timer", timer: "heartbeat" });
	stopWaiting(core);
	return true;
}

/** Nothing is to be sent, written, decided, applied or answered. */
function isIdle(core: RaftCore): boolean {
	const { log, commitIndex, deliveredIndex } = core;
	const isDone = commitIndex === log.lastIndex && deliveredIndex === commitIndex && log.durableThrough === commitIndex;
	if (!isDone || core.pendingReads > 0 || core.pendingProposals > 0 || core.transfer !== null) return false;
	if (!isConfigurationCommitted(core) || isJoint(core.configuration)) return false;
	for (const progress of core.progress.values()) if (!isLevel(progress, core)) return false;
	return true;
}

function isLevel(progress: Progress, { log }: RaftCore): boolean {
	return (
		progress.mode === "replicate" && progress.match === log.lastIndex && isAlive(progress) && !progress.isUnreachable
	);
}

/** The leader of this term says that there is nothing more to come. */
export function handleQuiesce(core: RaftCore, { lastIndex }: Quiesce): void {
	const { log } = core;
	if (core.repair !== null) askRepairAnew(core);
	if (log.lastIndex !== lastIndex || core.repair !== null || core.restoring !== null) return;
	if (core.commitIndex < lastIndex) commitThrough(core, lastIndex);
	stopWaiting(core);
}

function stopWaiting(core: RaftCore): void {
	core.isQuiet = true;
	core.electionTimerMs = null;
	core.out.push({ type: "cancel-timer", timer: "election" });
}

/** A message has come to a silent member. */
export function wakeFor(core: RaftCore, from: NodeId, message: RaftMessage): void {
	if (!core.isQuiet || message.type === "quiesce") return;
	if (core.role === "leader" && message.type === "append-response" && message.term === core.term && message.accepted) {
		// The last words of those who are silent as well.
		if (message.index === core.progress.get(from)?.match) return;
	}
	wake(core);
}

/** There is something to do, or somebody to wait for. */
export function wake(core: RaftCore): void {
	if (!core.isQuiet) return;
	core.isQuiet = false;
	core.idleBeats = 0;
	setMinimumTimer(core);
	if (core.role !== "leader") return;
	for (const [peer, progress] of core.progress) {
		// What was heard before the silence says nothing: the check begins with a whole interval.
		progress.activeBefore = true;
		progress.recentlyActive = false;
		sendHeartbeat(core, peer, progress);
	}
	setTimer(core, "heartbeat", core.config.heartbeatMs);
}

/**
 * The host says that a peer can not be reached: if it is the leader, somebody else has to lead. Nobody waits for one that is gone,
 * neither for the minimum nor for its priority: only as long as keeps candidates apart. If the host is wrong, the pre-vote fails.
 */
export function wakeForLoss(core: RaftCore, peer: NodeId): void {
	if (!core.isQuiet) return;
	if (core.role === "leader" || peer !== core.leader) return;
	wake(core);
	core.leaderHeard = false;
	core.electionWaits = PRIORITY_WAITS_MAX;
	const { min, max } = core.config.electionTimeoutMs;
	core.electionTimerMs = { min: 0, max: max - min };
}
