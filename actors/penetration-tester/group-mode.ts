/** In which of PBFT's modes a group is attacked: in the one that is asked for, or in the one without which an attack does nothing. */
import type { Attack } from "../../protocols/pbft/attacks/index.ts";
import type { VotingModes } from "../byzantine-coordinator/index.ts";
import type { GroupMode } from "./contract.ts";

const modesOfMode: Readonly<Record<GroupMode, VotingModes>> = {
	signed: { votes: "signed", certificates: "all-to-all" },
	authenticated: { votes: "authenticated", certificates: "all-to-all" },
	collector: { votes: "signed", certificates: "collector" },
};

/** What a group of this mode is configured with. */
export function modesOf(mode: GroupMode): VotingModes {
	return modesOfMode[mode];
}

/** The mode in which an attack is tried; null if it does nothing in the one that is asked for (null: in any). */
export function modeOf({ needs }: Pick<Attack, "needs">, asked: GroupMode | null): GroupMode | null {
	if (asked === null) return needs ?? "signed";
	return needs === undefined || needs === asked ? asked : null;
}
