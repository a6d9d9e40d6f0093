/** How members of a Byzantine group vote and certify, as options of several commands. */
import { missingMode, type VotingModes } from "../byzantine-coordinator/index.ts";
import { usageErrors } from "./errors.ts";
import type { OptionSpec } from "./option-table.ts";
import { oneOf } from "./option-values.ts";

export const votesOption: OptionSpec<"signed" | "authenticated" | null> = {
	value: "MODE",
	help: "pbft: what votes carry: signed, or authenticated, which is cheaper and convinces nobody\nelse, so that nobody can be convicted (default signed)",
	fallback: null,
	parse: (text) => oneOf<"signed" | "authenticated">(text, ["signed", "authenticated"]),
};

export const certificatesOption: OptionSpec<"all-to-all" | "collector" | null> = {
	value: "MODE",
	help: "pbft: who gathers votes: all-to-all, everybody, or collector, one member for all\n(default all-to-all)",
	fallback: null,
	parse: (text) => oneOf<"all-to-all" | "collector">(text, ["all-to-all", "collector"]),
};

interface VotingValues {
	readonly votes: "signed" | "authenticated" | null;
	readonly certificates: "all-to-all" | "collector" | null;
}

/** What was asked for; the rest keeps PBFT's default. */
export function modesOf({ votes, certificates }: VotingValues): VotingModes {
	return { ...(votes === null ? {} : { votes }), ...(certificates === null ? {} : { certificates }) };
}

/** Refuses modes that do not go together. @throws QuorateError `conflicting-options` */
export function requireModes({ votes, certificates }: VotingValues): void {
	if (votes !== "authenticated" || certificates !== "collector") return;
	throw usageErrors.conflictingOptions({
		option: "--certificates collector",
		other: "--votes authenticated",
		reason: "who collects votes passes signatures on",
	});
}

/** Refuses attacks that do nothing in a group with these modes. @throws QuorateError `conflicting-options` */
export function requireAttackable(attacks: readonly string[], modes: VotingModes): void {
	for (const name of attacks) {
		const needs = missingMode(name, modes);
		if (needs === null) continue;
		const option = needs === "collector" ? "--certificates collector" : "--votes authenticated";
		throw usageErrors.conflictingOptions({
			option: `--attack ${name}`,
			other: "--protocol pbft",
			reason: `it does nothing without ${option}`,
		});
	}
}
