/** What the penetration tester tries and what it reports. Types only. */

/**
 * How the members of an attacked group vote and certify: votes signed and gathered by everybody, authenticated in the place of signed, or
 * signed and gathered by a collector.
 */
export type GroupMode = "signed" | "authenticated" | "collector";

/** How well a scenario must end, to be called held. Rates are in 0 to 1. */
export interface Floors {
	/** Of the attacks that really took place, at least so many must be found out. */
	readonly detection: number;
	/** Of those who did nothing, at most so many may be accused. */
	readonly falsePositives: number;
}

/** By what an attack is found out. */
export type Means =
	/** A proof that anybody can check. */
	| "proof"
	/** f + 1 correct members have received what no correct member sends; or, of what is only measured, a stated test of a detector. */
	| "suspicion"
	/** f + 1 correct members have left the attacker's view, because it leads too slowly, or do without it as collector. */
	| "slowness"
	/** What the attack offers is refused. */
	| "refusal"
	/** Nothing: it can not be told from a slow network, or does nobody any harm. It has to be borne. */
	| "none";

/** What a scenario has counted. Every figure is of the run; ground truth is known to the tester alone. */
export interface Tally {
	readonly trials: number;
	/** Attackers, or attempts of theirs, that really did something that an honest one does not. */
	readonly attacks: number;
	readonly detected: number;
	/** Honest ones, in runs with attackers and in control runs without. */
	readonly innocents: number;
	readonly accused: number;
	/** From the first deviation to its detection; milliseconds, one for each detection. */
	readonly latenciesMs: readonly number[];
	/** Nothing that must not happen has happened. */
	readonly isSafe: boolean;
	/** What must happen has happened in spite of the attack. */
	readonly hasProgress: boolean;
	/** What was violated, or did not come to be. */
	readonly damage: readonly string[];
	/** What the attack could do, and what it could not, in figures. */
	readonly mitigation: string;
	/** What is seen with more attackers than can be borne; null where the scenario has no such limit. */
	readonly beyond: Beyond | null;
}

/** Beyond the limit nothing is promised; what counts is that it is seen to break, and that somebody notices. */
export interface Beyond {
	/** What was beyond it, such as `2 of 4 members`. */
	readonly attackers: string;
	readonly trials: number;
	/** Trials in which something broke. */
	readonly broken: number;
	/** Of these, trials in which an alarm named who is to blame. */
	readonly alarmed: number;
	/** What broke. */
	readonly damage: readonly string[];
}

export interface ScenarioContext {
	readonly seed: number;
	/** n of the groups under test. */
	readonly nodes: number;
	readonly trials: number;
	/** Aborted when the user wants to end. */
	readonly interrupt: AbortSignal;
}

export interface Scenario {
	/** Kebab-case. */
	readonly name: string;
	readonly kind: "consensus" | "security" | "threads";
	/** In which the group is attacked; null where there is none that agrees. */
	readonly mode: GroupMode | null;
	/** One sentence: what the attackers do. */
	readonly description: string;
	readonly means: Means;
	readonly floors: Floors;
	run(context: ScenarioContext): Tally | Promise<Tally>;
}

export type ScenarioVerdict =
	/** Safety and progress held, floors are met, and what is beyond the limit was seen to break with an alarm. */
	| "held"
	/** A floor is missed, or there was no alarm. */
	| "missed"
	/** Safety or progress is lost with no more attackers than can be borne. */
	| "broken"
	/** The attack never took place, or never broke what it must be seen to break: nothing is shown. */
	| "vacuous";

export interface ScenarioReport extends Tally {
	readonly name: string;
	readonly kind: Scenario["kind"];
	readonly mode: GroupMode | null;
	readonly description: string;
	readonly means: Means;
	readonly floors: Floors;
	readonly verdict: ScenarioVerdict;
	/** Why it is not held; empty if it is. */
	readonly reasons: readonly string[];
	/** `detected / attacks`; null without attacks. */
	readonly detectionRate: number | null;
	/** `accused / innocents`; null without innocents. */
	readonly falsePositiveRate: number | null;
	readonly latencyMs: { readonly median: number; readonly max: number } | null;
	/** Virtual for what is simulated. */
	readonly clock: "virtual" | "real";
}

/** A weakness that a run has shown. */
export interface Vulnerability {
	/** Of the scenario and what went wrong: the same weakness has the same id in every run. */
	readonly id: string;
	readonly scenario: string;
	readonly severity: "high" | "medium";
	readonly description: string;
	/** The command that shows it again. */
	readonly reproduce: string;
}

export interface PentestReport {
	readonly seed: number;
	readonly nodes: number;
	readonly faults: number;
	readonly trials: number;
	/** In which agreement was attacked, and nothing else was; null: all of it, each attack in the mode without which it does nothing. */
	readonly mode: GroupMode | null;
	readonly verdict: "held" | "failed" | "interrupted";
	readonly scenarios: readonly ScenarioReport[];
	readonly vulnerabilities: readonly Vulnerability[];
}
