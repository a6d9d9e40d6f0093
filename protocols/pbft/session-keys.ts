/**
 * Refresh of session keys, where votes are authenticated (TOCS §5.2.1). Each member numbers the keys by which others speak to it. Now and
 * then, and whenever it recovers, it takes the next number and says so in a signed message (NEW-KEY); from then on it refuses what was
 * authenticated under an earlier one, so authenticators that were stolen or kept are worth nothing. What was heard before is checked first.
 * What is under way then counts for nothing, which is nobody's fault (`refusal.ts`), and whoever hears of the new number says at once
 * again under it what it has to say of what is open.
 *
 * Numbers only grow, over restarts too: the own one is durable before it is told. Those of others may be learnt anew, since an old one
 * makes this member's words be refused, no more, until the next NEW-KEY, which comes with each status.
 *
 * The number is part of what is authenticated. The secret of each pair is the port's, and a thief of that is not kept out by this.
 */
import type { NodeId } from "../core/index.ts";
import { emit, type PbftCore, peersOf, setTimer, suspect, takesPart } from "./core.ts";
import type { ViewNumber } from "./entities.ts";
import type { NewKey } from "./messages.ts";
import { tellKey } from "./own-key.ts";
import { isGood } from "./slots.ts";
import { isSigned, newKeyStatement, type Statement } from "./statements.ts";
import { isAuthenticated } from "./vote-authentication.ts";

/** Members are spread over a second period, so that not all words are lost at once. */
export function timeKeys(core: PbftCore): void {
	const { keyPeriodMs } = core.config;
	if (keyPeriodMs > 0 && isAuthenticated(core)) setTimer(core, "keys", keyPeriodMs, keyPeriodMs);
}

export function handleKeysTimer(core: PbftCore): void {
	timeKeys(core);
	renewKeys(core);
}

/** What others say to this member counts under the next number alone. */
export function renewKeys(core: PbftCore): void {
	if (!isAuthenticated(core) || !takesPart(core)) return;
	checkHeld(core);
	core.keyGeneration++;
	core.unsaved.isView = true;
	emit(core, { type: "keys-renewed", generation: core.keyGeneration });
	for (const peer of peersOf(core)) tellKey(core, peer);
}

/**
 * A member refuses older numbers from now on. It is signed, since what it is to replace may be stolen.
 * @returns whether it is news, so that what this member has said of late may not have counted there
 */
export function handleNewKey(core: PbftCore, from: NodeId, { generation, signature }: NewKey): boolean {
	if (!isAuthenticated(core) || generation <= (core.peerGenerations.get(from) ?? 0)) return false;
	const vote = { sender: from, signature };
	if (!isSigned(core.config.cluster, core.crypto, vote, newKeyStatement(generation))) {
		suspect(core, from, "bad-signature");
		return false;
	}
	core.peerGenerations.set(from, generation);
	return true;
}

/** Votes that came under the old number and were not looked at yet. */
function checkHeld(core: PbftCore): void {
	const { epoch } = core.configuration;
	// Those of a view that was left count no more, and are not of the view that this member is in.
	for (const { sequence, prepares, commits } of core.isActive ? core.slots.values() : []) {
		for (const [type, votes] of [
			["prepare", prepares],
			["commit", commits],
		] as const) {
			for (const [sender, vote] of [...votes]) {
				const statement: Statement = { type, epoch, view: core.view, sequence, digest: vote.digest };
				if (!isGood(core, sender, vote, statement)) votes.delete(sender);
			}
		}
	}
	for (const [sequence, votes] of core.checkpoints) {
		for (const [sender, vote] of [...votes]) {
			const statement: Statement = {
				type: "checkpoint",
				epoch,
				view: 0 as ViewNumber,
				sequence,
				digest: vote.digest,
			};
			if (!isGood(core, sender, vote, statement)) votes.delete(sender);
		}
	}
}
