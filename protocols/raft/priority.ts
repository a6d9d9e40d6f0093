/**
 * Who should lead, if any of several could (as in NuRaft and TiKV): preferences, on which no safety rests. The config names
 * a priority for each member.
 *
 * 1. A voter lets as many election timeouts pass as there are higher priorities among those who could lead, at most
 *    {@link PRIORITY_WAITS_MAX}, so that they campaign first. It hears of none that does, it campaigns all the same.
 * 2. A voter with a log that is no worse objects to a candidate of lower priority. Only until it has campaigned itself
 *    without coming to lead: the candidate may reach voters that this one does not.
 * 3. A leader hands over to a voter of higher priority, if the config says so (`handover.ts`).
 *
 * There is no priority that keeps a member from ever leading. It may be the only one alive that has what is committed, and
 * then nobody could lead; who had rather not leads until the others have caught up, and hands over.
 */
import type { NodeId } from "../core/index.ts";
import type { RaftConfig } from "./config.ts";
import { isVoter, isWitness, votersOf } from "./configuration.ts";
import type { RaftCore } from "./core.ts";
import type { Configuration } from "./entry.ts";
import type { RequestVote } from "./messages.ts";

export const PRIORITY_WAITS_MAX = 3;

export function priorityOf({ priorities }: RaftConfig, node: NodeId): number {
	return priorities[node] ?? 1;
}

/** Whether a voter may lead: a witness has not what it takes. */
export function couldLead(configuration: Configuration, node: NodeId): boolean {
	return isVoter(configuration, node) && !isWitness(configuration, node);
}

/** Whether this voter lets one more election timeout pass (1 above); if so it is counted. */
export function waitsForHigherPriority(core: RaftCore): boolean {
	const { config, configuration } = core;
	const own = priorityOf(config, config.nodeId);
	const higher = new Set<number>();
	for (const voter of votersOf(configuration)) {
		const priority = priorityOf(config, voter);
		if (priority > own && couldLead(configuration, voter)) higher.add(priority);
	}
	if (core.electionWaits >= Math.min(higher.size, PRIORITY_WAITS_MAX)) return false;
	core.electionWaits++;
	return true;
}

/** Whether this voter objects to a candidate that may have its vote otherwise (2 above). */
export function objectsTo(core: RaftCore, candidate: NodeId, { lastIndex, lastTerm, transfer }: RequestVote): boolean {
	const { config, configuration, log } = core;
	if (transfer || core.hasCampaigned || !couldLead(configuration, config.nodeId)) return false;
	if (priorityOf(config, config.nodeId) <= priorityOf(config, candidate)) return false;
	return lastTerm === log.lastTerm && lastIndex === log.lastIndex;
}

/** A new leader first does its work for a maximum election timeout. */
export function beginHandovers(core: RaftCore): void {
	const { heartbeatMs, electionTimeoutMs } = core.config;
	core.handoverBeats = Math.ceil(electionTimeoutMs.max / heartbeatMs);
	core.nextHandoverBeats = core.handoverBeats;
}
