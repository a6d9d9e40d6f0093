/**
 * What f + 1 members say, one of them correct: how a member is convinced of what others know where nothing can be shown (TOCS §4, "weak
 * certificates"). Each speaks for itself, over a link that says who it is.
 */
import type { NodeId } from "../core/index.ts";
import type { PbftCore } from "./core.ts";
import { weakQuorumOf } from "./quorum.ts";

/** Testimonies of one member that are remembered: who says more crowds out its own words alone. */
const TESTIMONIES_MAX = 1024;

/** Takes note of what a member says. @returns whether f + 1 members have said it */
export function isAttested(core: PbftCore, from: NodeId, said: string): boolean {
	const known = core.testimonies.get(from) ?? [];
	if (!known.includes(said)) core.testimonies.set(from, [...known, said].slice(-TESTIMONIES_MAX));
	let members = 0;
	for (const member of core.configuration.members) {
		if (core.testimonies.get(member)?.includes(said) === true) members++;
	}
	return members >= weakQuorumOf(core.configuration);
}
