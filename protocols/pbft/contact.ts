/**
 * Noticing a partition: a member that has heard no word of so many others for so long that those it hears are no quorum with it can decide
 * nothing, and says so (`quorum-lost`), as well as when it hears a quorum again (`quorum-regained`). Time is counted in its own statuses, of
 * which every member sends one in each period, so silence is the network's, or a crash, or a lie; which of them, nobody can tell.
 *
 * Nothing is decided by it. Quorums follow from the configuration alone, and who is on the minority side goes on as it would: it keeps what
 * its clients ask, and has it ordered when the others are back. Nor is hearing a quorum enough to get on: members that lie may talk.
 */
import type { NodeId } from "../core/index.ts";
import { emit, type PbftCore, peersOf, takesPart } from "./core.ts";
import { quorumOf } from "./quorum.ts";

/** A member has said something, whatever it was. */
export function noteHeard(core: PbftCore, from: NodeId): void {
	if (core.silences.get(from) === 0) return;
	core.silences.set(from, 0);
	if (core.isParted) judgeContact(core);
}

/** One more of this member's status periods is over. */
export function checkContact(core: PbftCore): void {
	for (const peer of peersOf(core)) core.silences.set(peer, (core.silences.get(peer) ?? 0) + 1);
	judgeContact(core);
}

/** Members that were not heard for `contactStatuses` of this one's statuses, in the order of the configuration. */
export function outOfContact(core: PbftCore): NodeId[] {
	return peersOf(core).filter((peer) => (core.silences.get(peer) ?? 0) >= core.config.contactStatuses);
}

function judgeContact(core: PbftCore): void {
	const missing = outOfContact(core);
	const inContact = core.configuration.members.length - missing.length;
	const isParted = takesPart(core) && inContact < quorumOf(core.configuration);
	if (isParted === core.isParted) return;
	core.isParted = isParted;
	emit(core, isParted ? { type: "quorum-lost", missing } : { type: "quorum-regained", missing });
}
