/**
 * A leader that hands over by itself to a voter of higher priority (`priority.ts`) that has caught up, if
 * `handoverPriorityGap` says so. If that fails it waits twice as long before it tries again.
 */
import type { NodeId } from "../core/index.ts";
import { isConfigurationCommitted } from "./active-configuration.ts";
import { isJoint } from "./configuration.ts";
import type { RaftCore } from "./core.ts";
import { priorityOf } from "./priority.ts";
import { isCaughtUp } from "./progress.ts";
import { beginTransfer } from "./transfer.ts";

/** Heartbeats between two attempts: twice as many after each, up to this. */
const HANDOVER_WAIT_BEATS_MAX = 1024;

/** With each heartbeat of a leader: hands over if somebody should rather lead. */
export function handOverByPriority(core: RaftCore): void {
	const { config, configuration } = core;
	if (core.role !== "leader" || config.handoverPriorityGap === 0) return;
	if (core.handoverBeats > 0) {
		core.handoverBeats--;
		return;
	}
	if (core.transfer !== null || isJoint(configuration) || !isConfigurationCommitted(core)) return;
	const successor = preferredSuccessor(core);
	if (successor === null || beginTransfer(core, null, successor) !== null) return;
	core.handoverBeats = core.nextHandoverBeats;
	core.nextHandoverBeats = Math.min(2 * core.nextHandoverBeats, HANDOVER_WAIT_BEATS_MAX);
}

function preferredSuccessor(core: RaftCore): NodeId | null {
	const { config, configuration, progress, log } = core;
	let best: NodeId | null = null;
	let wanted = priorityOf(config, config.nodeId) + config.handoverPriorityGap;
	for (const voter of configuration.voters) {
		const peer = progress.get(voter);
		if (peer === undefined || peer.isUnreachable || priorityOf(config, voter) < wanted) continue;
		if (!isCaughtUp(peer, log.lastIndex, config.catchUpLagEntries)) continue;
		best = voter;
		wanted = priorityOf(config, voter) + 1;
	}
	return best;
}
