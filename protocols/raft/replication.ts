/** The leader's side of log replication (§5.3) and the commit rule (§5.4.2). */
import { assert, type NodeId, type RequestId } from "../core/index.ts";
import { appendToLog } from "./active-configuration.ts";
import { largestInTwoZones } from "./commit-zones.ts";
import { isWitness } from "./configuration.ts";
import { type RaftCore, sendImmediate, setTimer } from "./core.ts";
import { commitThrough } from "./delivery.ts";
import type { Entry, LogIndex, Term } from "./entry.ts";
import { bytesOf, sizeOf } from "./entry-size.ts";
import { indexAfter } from "./log.ts";
import type { AppendEntries, AppendResponse } from "./messages.ts";
import { acknowledge, becomeProbe, becomeReplicate, isFreshRefusal, mayAppend, type Progress } from "./progress.ts";
import { largestAgreed } from "./quorum.ts";
import { beginRound } from "./round.ts";
import { resendStalledChunk, startTransfer } from "./snapshot-transfer.ts";
import { endTransfer } from "./transfer-end.ts";
import { withhold } from "./witness.ts";

/** Appends to the leader's own log; disk and peers get it when the batch ends. */
export function appendOwn(core: RaftCore, entry: Entry, requestId: RequestId | null): void {
	appendToLog(core, entry);
	core.uncommittedBytes += sizeOf(entry);
	core.requestIds.push(requestId);
	if (requestId !== null) core.pendingProposals++;
}

/**
 * Sends every peer what it may have now. Append-entries leave at once, beside the leader's own write: they claim
 * nothing about its disk, only that it leads `term`, which was durable before it asked for votes (thesis §10.2.1).
 */
export function replicate(core: RaftCore): void {
	/** The append that was made last, for full members and for witnesses. */
	const made: { full: AppendEntries | null; withheld: AppendEntries | null } = { full: null, withheld: null };
	for (const [peer, progress] of core.progress) {
		const kind = isWitness(core.configuration, peer) ? "withheld" : "full";
		const bound = lastToSend(core, peer);
		while (progress.next <= bound && mayAppend(progress, core.config)) {
			const prevIndex = indexAfter(progress.next, -1);
			if (prevIndex < core.log.baseIndex) {
				startTransfer(core, peer, progress);
				break;
			}
			let append = made[kind];
			if (append === null || append.prevIndex !== prevIndex) {
				const whole = appendAfter(core, prevIndex, lastOfAppend(core, progress.next, bound));
				append = kind === "full" ? whole : { ...whole, entries: withhold(whole.entries) };
				made[kind] = append;
			}
			sendImmediate(core, peer, append);
			noteSent(core, progress, append);
		}
		if (progress.sentRound < core.round) sendHeartbeat(core, peer, progress);
	}
}

/** How far a peer is sent the log at present. */
export function lastToSend(core: RaftCore, peer: NodeId): LogIndex {
	return isWitness(core.configuration, peer) ? lastForWitnesses(core) : core.log.lastIndex;
}

/**
 * How far witnesses are sent the log: only what is on the disk of a full voter, in both halves of a joint configuration. Else
 * what a crash takes from all who had the command could stay with a witness, which would vote for none of them any more.
 */
function lastForWitnesses(core: RaftCore): LogIndex {
	const { configuration } = core;
	const { voters, outgoing } = configuration;
	const reached = (voter: NodeId): number => (isWitness(configuration, voter) ? 0 : durableAt(core, voter));
	const furthest = (half: readonly NodeId[]): number => Math.max(...half.map(reached));
	return (outgoing.length === 0 ? furthest(voters) : Math.min(furthest(voters), furthest(outgoing))) as LogIndex;
}

/** How far a voter is known to have the log on its disk. */
function durableAt({ config, log, progress }: RaftCore, voter: NodeId): number {
	return voter === config.nodeId ? log.durableThrough : (progress.get(voter)?.match ?? 0);
}

/** The last index up to `end` that fits into one append from `first` on; at least one entry. */
function lastOfAppend(core: RaftCore, first: LogIndex, end: LogIndex): LogIndex {
	const { maxEntriesPerAppend, maxBytesPerAppend } = core.config;
	const bound = Math.min(end, first + maxEntriesPerAppend - 1);
	let bytes = sizeOf(core.log.entryAt(first));
	let last = first;
	while (last < bound) {
		const next = indexAfter(last, 1);
		bytes += sizeOf(core.log.entryAt(next));
		if (bytes > maxBytesPerAppend) break;
		last = next;
	}
	return last;
}

function appendAfter(core: RaftCore, prevIndex: LogIndex, through: LogIndex): AppendEntries {
	const prevTerm = core.log.termAt(prevIndex);
	assert(prevTerm !== undefined, "the entry before an append is known", { prevIndex });
	return {
		type: "append-entries",
		term: core.term,
		prevIndex,
		prevTerm,
		commit: core.commitIndex,
		round: core.round,
		entries: through === prevIndex ? [] : core.log.copyOf(indexAfter(prevIndex, 1), through),
	};
}

function noteSent(core: RaftCore, progress: Progress, message: AppendEntries): void {
	progress.sentRound = core.round;
	const last = indexAfter(message.prevIndex, message.entries.length);
	if (progress.mode === "probe") {
		progress.probeSent = true;
		return;
	}
	progress.inflight.push(last);
	progress.inflightBytes.push(bytesOf(message.entries));
	progress.next = indexAfter(last, 1);
}

/**
 * An append-entries without entries. It asks for the entry before `next`, so a peer that missed an append refuses it
 * and says where it stands, and one whose answers were lost opens the window again.
 */
export function sendHeartbeat(core: RaftCore, peer: NodeId, progress: Progress): void {
	const before = indexAfter(progress.next, -1);
	const isKnown = progress.mode !== "snapshot" && before >= core.log.baseIndex;
	progress.sentRound = core.round;
	if (isKnown) {
		sendImmediate(core, peer, appendAfter(core, before, before));
		return;
	}
	// Index 0 is before every log: the peer accepts, and tells what it has committed.
	const zero = 0 as LogIndex;
	const { term, commitIndex: commit, round } = core;
	sendImmediate(core, peer, {
		type: "append-entries",
		term,
		prevIndex: zero,
		prevTerm: 0 as Term,
		commit,
		round,
		entries: [],
	});
}

/** The heartbeat timer fired. */
export function handleHeartbeatTimer(core: RaftCore): void {
	if (core.role !== "leader") return;
	if (core.config.lease !== null) beginRound(core);
	for (const [peer, progress] of core.progress) {
		sendHeartbeat(core, peer, progress);
		// Chunks are large: none for a peer that does not even answer heartbeats.
		if (!progress.recentlyActive) continue;
		if (progress.mode === "snapshot") resendStalledChunk(core, peer, progress);
		// What is under way may be lost, and the log has moved on: only the snapshot is sure to help.
		else if (progress.next <= core.log.baseIndex) startTransfer(core, peer, progress);
	}
	setTimer(core, "heartbeat", core.config.heartbeatMs);
}

/** A peer has answered an append of this term. */
export function handleAppendResponse(core: RaftCore, from: NodeId, message: AppendResponse): void {
	const progress = core.progress.get(from);
	if (core.role !== "leader" || progress === undefined) return;
	noteAlive(core, progress, message.round);
	if (!message.accepted) {
		if (isFreshRefusal(progress, message.index)) becomeProbe(progress, nextAfterRefusal(core, message));
		return;
	}
	assert(message.index <= core.log.lastIndex, "a follower acknowledges only what this leader has", { from });
	if (message.index < progress.match) return;
	// A peer in need of a snapshot that turns out to have what was compacted can go on without, unless it has asked for it.
	if (progress.mode === "snapshot" && message.index < core.log.baseIndex) return;
	const moved = acknowledge(progress, message.index);
	if (progress.mode !== "replicate" && progress.transfer?.isWanted !== true) becomeReplicate(progress);
	if (moved) advanceCommit(core);
}

/** An answer of this term, even a refusal, shows that the peer follows this leader. */
export function noteAlive(core: RaftCore, progress: Progress, round: number): void {
	assert(round <= core.round, "a peer echoes only rounds of this leader", { round });
	progress.recentlyActive = true;
	progress.isUnreachable = false;
	if (round > progress.ackedRound) progress.ackedRound = round;
}

/**
 * Where to probe next. The follower has skipped the terms above the refused entry's (§5.3); what is left above its
 * hint's term in this log can not agree either.
 */
function nextAfterRefusal(core: RaftCore, { index, hintIndex, hintTerm }: AppendResponse): LogIndex {
	const agree = core.log.lastIndexWithTermAtMost(hintIndex, hintTerm);
	return agree + 1 < index ? indexAfter(agree, 1) : index;
}

/**
 * Commits what a quorum has, if it is of this term (§5.4.2: by counting, never an entry of an earlier term; those
 * follow by log matching). The leader counts itself only as far as its own disk has answered.
 */
export function advanceCommit(core: RaftCore): void {
	if (core.role !== "leader") return;
	const { config, configuration, log } = core;
	const inZones = largestInTwoZones(config, configuration, (voter) => durableAt(core, voter));
	const index = Math.min(agreedByQuorum(core, "match", log.durableThrough), inZones) as LogIndex;
	if (index > core.commitIndex && log.termAt(index) === core.term) commitThrough(core, index);
}

/** The largest value that a quorum has reached; `own` is this leader's, which counts if it votes. */
export function agreedByQuorum(core: RaftCore, field: "match" | "ackedRound", own: number): number {
	const { configuration, progress, config } = core;
	return largestAgreed(configuration, (voter) => (voter === config.nodeId ? own : (progress.get(voter)?.[field] ?? 0)));
}

/** The host believes that a peer can or can not be reached: sending ahead is worth it, or not. */
export function handleReachability(core: RaftCore, peer: NodeId, isReachable: boolean): void {
	const progress = core.progress.get(peer);
	if (core.role !== "leader" || progress === undefined) return;
	progress.isUnreachable = !isReachable;
	if (!isReachable && core.transfer?.to === peer) endTransfer(core, "unreachable");
	if (isReachable) progress.probeSent = false;
	else if (progress.mode === "replicate") becomeProbe(progress, indexAfter(progress.match, 1));
}
