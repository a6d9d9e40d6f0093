/**
 * Proposals that a follower passes on to its leader, if the config has it so; what the leader does with them is in
 * `forwarding-ledger.ts`. The client hears of the outcome here, from this member's own application:
 *
 * 1. The leader says at which index a proposal stands. An index and a term name one entry (§5.3, log matching), so the
 *    client is answered when this member applies that index. A command of a session is known by its session and serial
 *    and needs no index, and whatever copy of it comes first has the result of all (thesis §6.3).
 * 2. Proposals are numbered within a life, and lives by a number that is durable before the first of a life leaves. The
 *    leader takes each number once, so what the network doubles, or this member repeats, is appended once in a term.
 * 3. A proposal goes to the leader of one term only. When this member has another leader, or none, or another term, what
 *    has not left is refused, and of the rest the outcome is unknown: asked again by its client it is exactly once within
 *    a session, as ever.
 *
 * What is not answered is sent again with each heartbeat interval, for a maximum election timeout.
 */
import type { NodeId, RequestId } from "../core/index.ts";
import { type ForwardedProposal, type RaftCore, reply, sendImmediate, setTimer } from "./core.ts";
import { isHardStateDurable, sendDurable } from "./durability.ts";
import type { Entry, LogIndex } from "./entry.ts";
import { sizeOf } from "./entry-size.ts";
import { indexAfter } from "./log.ts";
import type { ForwardRefusal, ForwardResponse } from "./messages.ts";
import type { RaftRefusal } from "./vocabulary.ts";

/** Why this follower does not pass one more proposal on, or null. */
export function refusalToForward(core: RaftCore, dataBytes: number): RaftRefusal | null {
	const { maxForwardedProposals, maxForwardedBytes } = core.config;
	if (core.forwards.length >= maxForwardedProposals) {
		return { reason: "too-many-forwarded", limit: maxForwardedProposals };
	}
	const waitingBytes = core.forwards.reduce((sum, { entry }) => sum + entry.data.length, 0);
	// One that is larger than the bound alone would never be taken if it had to fit in.
	if (waitingBytes === 0 || waitingBytes + dataBytes <= maxForwardedBytes) return null;
	return { reason: "too-many-forwarded-bytes", limitBytes: maxForwardedBytes };
}

/** Takes a proposal in; it leaves when the batch ends. */
export function forward(core: RaftCore, requestId: RequestId, entry: Entry): void {
	if (!core.hasAsked) beginAsking(core);
	const number = ++core.lastForward;
	core.forwards.push({ number, requestId, entry, index: null, isSent: false, wasSent: false, waits: 0 });
}

/** The number of this life goes to the disk before anything that names it goes to the leader. */
export function beginAsking(core: RaftCore): void {
	core.hasAsked = true;
	core.askingLives++;
	core.hardStateUnsaved = true;
}

/** At the end of a follower's batch: sends the leader what it was not sent, in as few messages as the bounds allow. */
export function sendForwards(core: RaftCore): void {
	if (core.leader === null || core.forwards.length === 0) return;
	let run: ForwardedProposal[] = [];
	for (const each of core.forwards) {
		if (each.isSent || each.index !== null) continue;
		if (run.length > 0 && !continues(core, run, each)) {
			sendRun(core, core.leader, run);
			run = [];
		}
		run.push(each);
	}
	if (run.length > 0) sendRun(core, core.leader, run);
	if (core.isForwardTimerSet || core.forwards.every(({ index }) => index !== null)) return;
	core.isForwardTimerSet = true;
	setTimer(core, "forward", core.config.heartbeatMs);
}

/** Whether one more finds a place in a message: its number is the next, and the bounds of an append allow it. */
function continues({ config }: RaftCore, run: readonly ForwardedProposal[], next: ForwardedProposal): boolean {
	if (next.number !== (run[0] as ForwardedProposal).number + run.length) return false;
	if (run.length >= config.maxEntriesPerAppend) return false;
	return run.reduce((sum, { entry }) => sum + sizeOf(entry), sizeOf(next.entry)) <= config.maxBytesPerAppend;
}

function sendRun(core: RaftCore, leader: NodeId, run: readonly ForwardedProposal[]): void {
	const { term, askingLives: life } = core;
	for (const each of run) {
		each.isSent = true;
		each.wasSent = true;
	}
	// It rests on nothing but the term and the number of the life.
	const send = isHardStateDurable(core) ? sendImmediate : sendDurable;
	send(core, leader, {
		type: "forwarded-proposals",
		term,
		life,
		settledBelow: (core.forwards[0] as ForwardedProposal).number,
		first: (run[0] as ForwardedProposal).number,
		entries: run.map(({ entry }) => entry),
	});
}

/** The leader has taken `count` proposals from `number` on; they stand at `index` and behind it. */
export function handleForwardResponse(core: RaftCore, { life, number, count, index }: ForwardResponse): void {
	if (life !== core.askingLives) return;
	for (const each of core.forwards) {
		if (each.number < number || each.number >= number + count) continue;
		each.index = indexAfter(index, each.number - number);
		// What the leader has need not be sent again.
		each.entry = withoutData(each.entry);
	}
	settlePassed(core);
}

/** The leader has refused a proposal: it certainly has no effect. */
export function handleForwardRefusal(core: RaftCore, { life, number, refusal }: ForwardRefusal): void {
	if (life !== core.askingLives) return;
	settle(core, (each) => (each.number === number ? { type: "refused", ...refusal } : null));
}

/** The local requests that wait for these entries; null if none does. */
export function takeForwarded(
	core: RaftCore,
	firstIndex: LogIndex,
	entries: readonly Entry[],
): (RequestId | null)[] | null {
	if (core.forwards.length === 0) return null;
	let isAny = false;
	const requestIds = entries.map((entry, i) => {
		const at = core.forwards.findIndex((each) => isAnsweredBy(core, each, entry, indexAfter(firstIndex, i)));
		if (at < 0) return null;
		isAny = true;
		return (core.forwards.splice(at, 1)[0] as ForwardedProposal).requestId;
	});
	return isAny ? requestIds : null;
}

function isAnsweredBy({ term }: RaftCore, { entry, index }: ForwardedProposal, decided: Entry, at: LogIndex): boolean {
	if (entry.session === 0) return index === at && decided.term === term;
	return decided.kind === "command" && decided.session === entry.session && decided.serial === entry.serial;
}

/** What stands before what was handed to the application, and was not answered then, is behind an installed snapshot. */
export function settlePassed(core: RaftCore): void {
	const { leader, deliveredIndex } = core;
	settle(core, ({ index }) => (index !== null && index <= deliveredIndex ? { type: "outcome-unknown", leader } : null));
}

/** Another leader, or none, or another term: see 3 above. Called before `leader` is taken up. */
export function settleForwards(core: RaftCore, leader: NodeId | null): void {
	const isSame = leader === core.leader;
	settle(core, (each) => (isSame && each.entry.term === core.term ? null : givenUp(each, leader)));
}

/** This member will not apply what it waits for: it has become a witness. */
export function giveUpForwards(core: RaftCore): void {
	settle(core, (each) => givenUp(each, core.leader));
}

function givenUp({ wasSent }: ForwardedProposal, leader: NodeId | null): Settlement {
	return wasSent ? { type: "outcome-unknown", leader } : { type: "refused", reason: "not-leader", leader };
}

/** The forward timer fired: what waits is sent again, or has waited too long. */
export function handleForwardTimer(core: RaftCore): void {
	core.isForwardTimerSet = false;
	const { heartbeatMs, electionTimeoutMs } = core.config;
	const { leader } = core;
	settle(core, (each) => {
		if (each.index !== null) return null;
		each.waits++;
		each.isSent = false;
		return each.waits * heartbeatMs < electionTimeoutMs.max ? null : { type: "outcome-unknown", leader };
	});
}

type Settlement = Parameters<typeof reply>[2];

/** Answers those of whom `outcomeOf` knows, and forgets them. */
function settle(core: RaftCore, outcomeOf: (each: ForwardedProposal) => Settlement | null): void {
	if (core.forwards.length === 0) return;
	core.forwards = core.forwards.filter((each) => {
		const outcome = outcomeOf(each);
		if (outcome !== null) reply(core, each.requestId, outcome);
		return outcome === null;
	});
}

function withoutData(entry: Entry): Entry {
	return entry.data.length === 0 ? entry : { ...entry, data: entry.data.subarray(0, 0) };
}
