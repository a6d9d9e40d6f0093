/** From what a scenario has counted to what it means. */
import { median } from "../../protocols/security/index.ts";
import type {
	GroupMode,
	PentestReport,
	Scenario,
	ScenarioReport,
	ScenarioVerdict,
	Tally,
	Vulnerability,
} from "./contract.ts";

/** Judges one scenario. Vacuous comes first: who was not attacked has withstood nothing. */
export function judge({ name, kind, mode, description, means, floors }: Scenario, tally: Tally): ScenarioReport {
	const detectionRate = tally.attacks === 0 ? null : tally.detected / tally.attacks;
	const falsePositiveRate = tally.innocents === 0 ? null : tally.accused / tally.innocents;
	const empty = emptiness(tally);
	const damage = tally.isSafe && tally.hasProgress ? [] : damageOf(tally);
	const missed = [
		...((detectionRate ?? 1) < floors.detection
			? [`found out ${tally.detected} of ${tally.attacks}, less than ${percent(floors.detection)}`]
			: []),
		...((falsePositiveRate ?? 0) > floors.falsePositives
			? [`accused ${tally.accused} of ${tally.innocents} innocents, more than ${percent(floors.falsePositives)}`]
			: []),
		...(tally.beyond !== null && tally.beyond.broken > 0 && tally.beyond.alarmed === 0
			? [`with ${tally.beyond.attackers} it broke and nobody noticed`]
			: []),
	];
	const verdict: ScenarioVerdict =
		damage.length > 0 ? "broken" : empty.length > 0 ? "vacuous" : missed.length > 0 ? "missed" : "held";
	return {
		...tally,
		name,
		kind,
		mode,
		description,
		means,
		floors,
		verdict,
		reasons: [...damage, ...empty, ...missed],
		detectionRate,
		falsePositiveRate,
		latencyMs:
			tally.latenciesMs.length === 0
				? null
				: { median: median(tally.latenciesMs), max: Math.max(...tally.latenciesMs) },
		clock: kind === "threads" ? "real" : "virtual",
	};
}

function emptiness({ attacks, innocents, beyond }: Tally): string[] {
	return [
		...(attacks === 0 ? ["the attack never took place"] : []),
		...(innocents === 0 ? ["there was nobody to accuse wrongly"] : []),
		...(beyond !== null && beyond.broken === 0 ? [`with ${beyond.attackers} nothing was seen to break`] : []),
	];
}

function damageOf({ isSafe, hasProgress, damage }: Tally): string[] {
	const lost = [...(isSafe ? [] : ["safety was lost"]), ...(hasProgress ? [] : ["progress was lost"])];
	return [[...lost, ...damage].join(": ")];
}

function percent(rate: number): string {
	return `${Math.round(100 * rate)} %`;
}

/** Whether all of it is held; an empty run is not. */
export function verdictOf(scenarios: readonly ScenarioReport[], isInterrupted: boolean): PentestReport["verdict"] {
	if (isInterrupted) return "interrupted";
	return scenarios.length > 0 && scenarios.every(({ verdict }) => verdict === "held") ? "held" : "failed";
}

/** What a run has shown to be weak. Of a vacuous scenario nothing is known, so it is no weakness. */
export function vulnerabilitiesOf(
	scenarios: readonly ScenarioReport[],
	{ seed, nodes, trials }: Pick<PentestReport, "seed" | "nodes" | "trials">,
): Vulnerability[] {
	return scenarios
		.filter(({ verdict }) => verdict === "broken" || verdict === "missed")
		.map(({ name, mode, verdict, reasons }) => ({
			id: `${name}/${verdict}`,
			scenario: name,
			severity: verdict === "broken" ? "high" : "medium",
			description: reasons.join("; "),
			reproduce: `quorate pentest --scenario ${name}${modeOptions(mode)} --nodes ${nodes} --seed ${seed} --trials ${trials}`,
		}));
}

function modeOptions(mode: GroupMode | null): string {
	if (mode === "authenticated") return " --votes authenticated";
	return mode === "collector" ? " --certificates collector" : "";
}
