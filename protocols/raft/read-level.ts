/**
 * Reads that say how they are to be answered ({@link ReadLevel}). What is new here is the bound of a stale read:
 *
 * 1. A follower notes when it puts a question for a read index to its leader. The index in the answer covers everything that
 *    was decided before (`follower-reads.ts`, 1).
 * 2. So once it has applied that far, its state has all that was decided before that moment, and never goes back behind it.
 * 3. `now` less that moment, both by its own clock, bounds how old its state is. No other clock is involved, nor how long
 *    messages take; only that this clock does not run slower than time does.
 *
 * These times are no part of the state, as those of leases are not: models have neither.
 */
import type { RequestId } from "../core/index.ts";
import type { RaftCore } from "./core.ts";
import type { RaftRequest } from "./vocabulary.ts";
import { isWithoutApplication } from "./witness.ts";

type Read = Extract<RaftRequest, { type: "read" | "read-at" }>;

/** From here on a bound is none. */
export const ANY_STALENESS_MS: number = Number.MAX_SAFE_INTEGER;

/** Whether this member's state has everything that was decided so long ago. */
export function isFreshEnough({ freshSinceMs, nowMs, wantedSnapshot }: RaftCore, maxStalenessMs: number): boolean {
	// Its state is known to be wrong.
	if (wantedSnapshot !== null) return false;
	if (maxStalenessMs >= ANY_STALENESS_MS) return true;
	return freshSinceMs !== null && nowMs - freshSinceMs <= maxStalenessMs;
}

/** A read that needs neither leader nor quorum. */
export function mayAnswerNow(core: RaftCore, request: Read): boolean {
	if (request.type === "read" || request.level !== "stale" || isWithoutApplication(core)) return false;
	return isFreshEnough(core, request.maxStalenessMs);
}

/** Whether a follower asks its leader for a read index for it. */
export function isReadByFollowers({ config }: RaftCore, request: Read): boolean {
	return request.type === "read" ? config.followerReads : request.level === "follower" || request.level === "stale";
}

/** Lets the application answer from the state as it is. */
export function queryNow(core: RaftCore, requestId: RequestId, query: Uint8Array): void {
	core.out.push({ type: "apply", delivery: { type: "query", requestId, query }, release: "immediate" });
}

/** A question is put for the first time. */
export function noteAsked(core: RaftCore, question: number): void {
	core.questionTimes.set(question, core.nowMs);
}

/** It is closed; `isApplied`: with an answer that is applied here. */
export function noteClosed(core: RaftCore, question: number, isApplied: boolean): void {
	const askedAtMs = core.questionTimes.get(question);
	core.questionTimes.delete(question);
	if (!isApplied || askedAtMs === undefined) return;
	if (core.freshSinceMs === null || askedAtMs > core.freshSinceMs) core.freshSinceMs = askedAtMs;
}
