/**
 * The leader's side of forwarded proposals (`forwarding.ts`). It takes each number of a follower's life once and keeps what
 * came of it until the follower says that it knows: a message that comes twice, or is repeated because its answer was
 * lost, finds the first outcome. A refusal is kept too, or a late copy of what was refused could still be taken.
 *
 * The ledger ends with the leadership. A copy that comes later bears an earlier term and is dropped.
 */
import { assert, type NodeId } from "../core/index.ts";
import { refusalByLoad, refusalBySize } from "./admission.ts";
import { FORWARDED_PROPOSALS_MAX, RAFT_LEARNERS_MAX, RAFT_VOTERS_MAX } from "./config.ts";
import { type ForwardingLedger, type RaftCore, sendImmediate } from "./core.ts";
import type { Entry, LogIndex } from "./entry.ts";
import type { ForwardedProposals } from "./messages.ts";
import { appendOwn } from "./replication.ts";
import type { RaftRefusal } from "./vocabulary.ts";

/** Servers that one leader takes forwarded proposals of, in all of its term. */
const FORWARDERS_MAX = 2 * (RAFT_VOTERS_MAX + RAFT_LEARNERS_MAX);

/** A follower passes proposals on. One that does not lead leaves them unanswered; so do bounds that the sender breaks. */
export function handleForwardedProposals(core: RaftCore, from: NodeId, message: ForwardedProposals): void {
	if (core.role !== "leader") return;
	const { life, settledBelow, first, entries } = message;
	const ledger = ledgerOf(core, from, life);
	if (ledger === null) return;
	forgetBelow(ledger, settledBelow);
	let taken: { number: number; count: number; index: LogIndex } | null = null;
	for (const [i, entry] of entries.entries()) {
		const number = first + i;
		const outcome = outcomeOf(core, ledger, number, entry);
		if (typeof outcome === "number" && taken !== null && outcome === taken.index + taken.count) {
			taken.count++;
			continue;
		}
		if (taken !== null) tellTaken(core, from, life, taken);
		taken = typeof outcome === "number" ? { number, count: 1, index: outcome } : null;
		if (outcome === null || typeof outcome === "number") continue;
		sendImmediate(core, from, { type: "forward-refusal", term: core.term, life, number, refusal: outcome });
	}
	if (taken !== null) tellTaken(core, from, life, taken);
}

/** It claims nothing about this leader's disk: only where the entry stands in its log, if it ever is decided. */
function tellTaken(
	core: RaftCore,
	to: NodeId,
	life: number,
	taken: { readonly number: number; readonly count: number; readonly index: LogIndex },
): void {
	sendImmediate(core, to, { type: "forward-response", term: core.term, life, ...taken });
}

/** What came of a proposal, now or before: its index, or why not; null: nothing that anybody should hear of. */
function outcomeOf(
	core: RaftCore,
	ledger: ForwardingLedger,
	number: number,
	entry: Entry,
): LogIndex | RaftRefusal | null {
	if (number < ledger.settledBelow) return null;
	const known = ledger.outcomes.get(number);
	if (known !== undefined) return known;
	if (ledger.outcomes.size >= FORWARDED_PROPOSALS_MAX) return null;
	const outcome = take(core, entry);
	ledger.outcomes.set(number, outcome);
	return outcome;
}

function take(core: RaftCore, entry: Entry): LogIndex | RaftRefusal {
	assert(entry.term === core.term, "a proposal is forwarded to the leader of one term", { term: entry.term });
	if (core.transfer !== null) return { reason: "transfer-in-progress", to: core.transfer.to };
	const { length } = entry.data;
	// Nobody here waits for them, so entries are counted and not requests.
	const refusal = refusalBySize(core, length) ?? refusalByLoad(core, length, core.requestIds.length);
	if (refusal !== null) return refusal;
	appendOwn(core, entry, null);
	return core.log.lastIndex;
}

/** The ledger of a follower's present life; null for a former life, and beyond the bound. */
function ledgerOf(core: RaftCore, from: NodeId, life: number): ForwardingLedger | null {
	const known = core.ledgers.get(from);
	if (known !== undefined && known.life >= life) return known.life === life ? known : null;
	if (known === undefined && core.ledgers.size >= FORWARDERS_MAX) return null;
	const ledger = { life, settledBelow: 0, outcomes: new Map() };
	core.ledgers.set(from, ledger);
	return ledger;
}

function forgetBelow(ledger: ForwardingLedger, settledBelow: number): void {
	if (settledBelow <= ledger.settledBelow) return;
	ledger.settledBelow = settledBelow;
	for (const number of ledger.outcomes.keys()) if (number < settledBelow) ledger.outcomes.delete(number);
}
