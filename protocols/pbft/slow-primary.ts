/**
 * A primary that is slow on purpose, but never so slow that a request times out (Clement, Wong, Alvisi, Dahlin, Marchetti: "Making
 * Byzantine Fault Tolerant Systems Tolerate Byzantine Faults", Aardvark, NSDI 2009). Backups measure it by the clock of their timers alone:
 *
 * - Heartbeat: while a request is known to wait, a new slot is accepted or executed at least each `heartbeatMs`.
 * - Throughput: a period in which requests waited all the time brings at least as many executed requests as are expected. A view begins
 *   with a share of the best period of the last views, or where there is none of its own during its grace; then the expectation rises with
 *   each period, so that under full load no primary stays for ever, and one that holds back is left soon.
 *
 * Each backup decides for itself, and f + 1 of them move the group (rule 27). Slowness is suspicion, never evidence.
 */

import { cancelTimer, isAtEpochEnd, isPrimary, type PbftCore, setTimer, takesPart } from "./core.ts";
import { VIEWS_COMPARED } from "./guard.ts";

/** A view is entered: what is expected of its primary is a share of the best that others have shown. */
export function guardView(core: PbftCore): void {
	const { guard } = core;
	guard.earlier = [...guard.earlier, guard.best].slice(-VIEWS_COMPARED);
	guard.best = 0;
	guard.periods = 0;
	guard.expected = shareOf(core, Math.max(...guard.earlier));
	beginPeriod(core);
	beat(core);
}

/** The view is left, or nothing is asked of its primary any more. */
export function stopGuarding(core: PbftCore): void {
	if (core.config.guardPeriodMs > 0) cancelTimer(core, "guard");
	if (!core.guard.isHeartbeatSet) return;
	core.guard.isHeartbeatSet = false;
	cancelTimer(core, "heartbeat");
}

function shareOf(core: PbftCore, executed: number): number {
	return (executed * core.config.guardSharePercent) / 100;
}

function beginPeriod(core: PbftCore): void {
	const { guard, config } = core;
	if (config.guardPeriodMs === 0) return;
	guard.executed = 0;
	guard.isLoaded = core.waiting.size > 0;
	if (isWatching(core)) setTimer(core, "guard", config.guardPeriodMs);
}

function isWatching(core: PbftCore): boolean {
	return core.isActive && takesPart(core) && !isPrimary(core);
}

/** A period is over. Returns whether the primary has brought less than is expected of it. */
export function isPeriodTooSlow(core: PbftCore): boolean {
	const { guard, config } = core;
	const { executed, isLoaded, expected } = guard;
	guard.periods++;
	guard.best = Math.max(guard.best, executed);
	// At the end of an epoch nothing can be proposed.
	const isJudged = isLoaded && !isAtEpochEnd(core);
	if (guard.periods > config.guardGracePeriods) guard.expected *= 1 + config.guardRisePercent / 100;
	// Of the first view nothing is known from before: it is held to its own best.
	if (guard.periods >= config.guardGracePeriods && guard.expected === 0) guard.expected = shareOf(core, guard.best);
	beginPeriod(core);
	return isJudged && executed < expected;
}

/** Requests were executed, and so many wait. */
export function countExecuted(core: PbftCore, requests: number): void {
	core.guard.executed += requests;
	if (core.waiting.size === 0) core.guard.isLoaded = false;
	beat(core);
}

/** The primary has shown that it is there, or the first request has come that it has to be there for. */
export function beat(core: PbftCore): void {
	const { guard, config } = core;
	if (config.heartbeatMs === 0) return;
	if (isWatching(core) && core.waiting.size > 0 && !isAtEpochEnd(core)) {
		guard.isHeartbeatSet = true;
		setTimer(core, "heartbeat", config.heartbeatMs);
	} else if (guard.isHeartbeatSet) {
		guard.isHeartbeatSet = false;
		cancelTimer(core, "heartbeat");
	}
}
