/**
 * What a leader knows of one peer's log (nextIndex and matchIndex of Figure 2) and how it sends to it:
 *
 * ```
 *             accepted                          the entry before `next` is compacted
 *   probe ──────────────▶ replicate     probe, replicate ──────────────────────────▶ snapshot
 *     ▲                      │ refused, unreachable                                     │
 *     └──────────────────────┘                    replicate ◀───────────────────────────┘ all chunks acknowledged
 * ```
 *
 * `probe`: where the logs agree is unknown, so one append is sent and its answer awaited. `replicate`: appends are
 * sent ahead of their answers, as `maxInflightAppends` and `maxInflightBytes` allow. `snapshot`: chunks only.
 */
import type { ReadId } from "../core/index.ts";
import type { RaftConfig } from "./config.ts";
import type { LogIndex, RaftSnapshot } from "./entry.ts";
import { indexAfter } from "./log.ts";

type InflightLimits = Pick<RaftConfig, "maxInflightAppends" | "maxInflightBytes">;

export interface Progress {
	mode: "probe" | "replicate" | "snapshot";
	/** The highest index known to be durable at the peer. `< next`. */
	match: LogIndex;
	/** The next index to send. */
	next: LogIndex;
	/** `probe`: an append is under way, or lost until the next heartbeat. */
	probeSent: boolean;
	/** `replicate`: the last index of each unanswered append with entries, ascending. */
	inflight: LogIndex[];
	/** The bytes of the entries of each of these appends. */
	inflightBytes: number[];
	/** `snapshot`: the transfer. */
	transfer: SnapshotTransfer | null;
	/** Heard of since the last check of the quorum. */
	recentlyActive: boolean;
	/** Heard of between that check and the one before; true at first, since nothing speaks against it. */
	activeBefore: boolean;
	/** The host believes that the peer can not be reached, and it has not been heard of since. */
	isUnreachable: boolean;
	/** The latest read-index round that was sent, and the latest that was echoed. */
	sentRound: number;
	ackedRound: number;
}

/** A snapshot on its way to a peer: one chunk at a time. */
export interface SnapshotTransfer {
	readonly snapshot: RaftSnapshot;
	/** Its bytes; none for a witness. */
	readonly sizeBytes: number;
	readonly isWithheld: boolean;
	/** The peer has asked for it: that its log needs none does not end it. */
	readonly isWanted: boolean;
	/** The peer has everything before this. */
	offset: number;
	/** The read of the chunk at `offset`, until it completes. */
	readId: ReadId | null;
	/** The peer has moved the offset since the last heartbeat. */
	moved: boolean;
}

/** A new leader's guess: the peer has all that the leader has. */
export function initialProgress(lastIndex: LogIndex): Progress {
	return {
		mode: "probe",
		match: 0 as LogIndex,
		next: indexAfter(lastIndex, 1),
		probeSent: false,
		inflight: [],
		inflightBytes: [],
		transfer: null,
		recentlyActive: false,
		activeBefore: true,
		isUnreachable: false,
		sentRound: 0,
		ackedRound: 0,
	};
}

/** Sends one append at a time from `next` on, until an answer shows where the logs agree. */
export function becomeProbe(progress: Progress, next: LogIndex): void {
	progress.mode = "probe";
	progress.next = next > progress.match ? next : indexAfter(progress.match, 1);
	progress.probeSent = false;
	progress.inflight = [];
	progress.inflightBytes = [];
	progress.transfer = null;
}

/** Takes an acknowledgement of everything through `index`. Returns whether `match` moved. */
export function acknowledge(progress: Progress, index: LogIndex): boolean {
	let answered = 0;
	while (answered < progress.inflight.length && (progress.inflight[answered] as LogIndex) <= index) answered++;
	if (answered > 0) {
		progress.inflight.splice(0, answered);
		progress.inflightBytes.splice(0, answered);
	}
	if (index >= progress.next) progress.next = indexAfter(index, 1);
	if (index <= progress.match) return false;
	progress.match = index;
	return true;
}

/** Goes over to sending ahead, from what is acknowledged (or was already sent beyond it in one probe). */
export function becomeReplicate(progress: Progress): void {
	progress.mode = "replicate";
	progress.next = indexAfter(progress.match, 1);
	progress.probeSent = false;
	progress.inflight = [];
	progress.inflightBytes = [];
	progress.transfer = null;
}

/** Whether an append with entries may be sent now. */
export function mayAppend(progress: Progress, { maxInflightAppends, maxInflightBytes }: InflightLimits): boolean {
	if (progress.mode === "probe") return !progress.probeSent;
	if (progress.mode !== "replicate" || bytesUnderWay(progress) >= maxInflightBytes) return false;
	return progress.inflight.length < maxInflightAppends;
}

/** The bytes of entries that the peer was sent ahead and has not answered. */
export function bytesUnderWay({ inflightBytes }: Progress): number {
	let sum = 0;
	for (const bytes of inflightBytes) sum += bytes;
	return sum;
}

/**
 * Whether a refusal of `refusedIndex` tells something new. Answers may come late or twice: while replicating, only
 * a refusal beyond `match` can be true; while probing, only that of the one append under way.
 */
export function isFreshRefusal(progress: Progress, refusedIndex: LogIndex): boolean {
	if (progress.mode === "replicate") return refusedIndex > progress.match;
	return progress.mode === "probe" && refusedIndex === progress.next - 1 && refusedIndex > progress.match;
}

/** Heard of within the last two minimum election timeouts. */
export function isAlive(progress: Progress): boolean {
	return progress.recentlyActive || progress.activeBefore;
}

/** How many entries a peer lacks, as far as it has acknowledged. */
export function lagOf(progress: Progress, lastIndex: LogIndex): number {
	return lastIndex - progress.match;
}

/** Whether a peer follows the log, lacking no more than `lagEntries` of it. */
export function isCaughtUp(progress: Progress, lastIndex: LogIndex, lagEntries: number): boolean {
	return progress.mode === "replicate" && isAlive(progress) && lagOf(progress, lastIndex) <= lagEntries;
}

export function copyProgress(progress: Progress): Progress {
	return {
		...progress,
		inflight: progress.inflight.slice(),
		inflightBytes: progress.inflightBytes.slice(),
		transfer: progress.transfer === null ? null : { ...progress.transfer },
	};
}
