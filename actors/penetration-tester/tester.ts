/** Runs scenarios one after the other, judges each, and says what all of it has shown. */
import { requireInteger } from "../../protocols/core/index.ts";
import { nearestName } from "../../supervisors/chaos/index.ts";
import { consensusScenarios } from "./consensus-scenarios.ts";
import type { GroupMode, PentestReport, Scenario, ScenarioReport } from "./contract.ts";
import { scenarioOfOtherMode, scenarioUnknown } from "./errors.ts";
import { maxFaults } from "./group-size.ts";
import { judge, verdictOf, vulnerabilitiesOf } from "./judge.ts";
import { securityScenarios } from "./security-scenarios.ts";
import { threadScenarios } from "./thread-scenarios.ts";

export interface PentestOptions {
	/** Names of scenarios or of kinds (`consensus`, `security`, `threads`); default all. */
	readonly scenarios?: readonly string[];
	/** n of the groups under test; 4 to 13, default 4. They bear `⌊(n − 1) / 3⌋` attackers, and so many attack. */
	readonly nodes?: number;
	/** Decides everything that is simulated; 0 to 2^31 − 1, default 1. */
	readonly seed?: number;
	/**
	 * Attacks on agreement alone, all that do something in a group of this mode; default null: all scenarios, and each attack in the mode
	 * without which it does nothing.
	 */
	readonly mode?: GroupMode | null;
	/** Of each simulated scenario; 1 to 1,000, default 4. */
	readonly trials?: number;
	readonly interrupt?: AbortSignal;
	/** Told of each scenario as it begins. */
	readonly began?: (scenario: Scenario, at: number, of: number) => void;
	/** Told of each scenario as it ends. */
	readonly ended?: (report: ScenarioReport) => void;
}

export const PENTEST_NODES_MIN = 4;
/** Messages grow with the square of the members. */
export const PENTEST_NODES_MAX = 13;
export const PENTEST_TRIALS_MAX = 1_000;
export const PENTEST_SEED_MAX: number = 2 ** 31 - 1;
export const pentestDefaults = { nodes: 4, seed: 1, trials: 4 } as const;

/** Everything that is tried, in the order in which it is; in a mode that is asked for, the attacks on agreement there alone. */
export function pentestScenarios(mode: GroupMode | null = null): readonly Scenario[] {
	const consensus = consensusScenarios(mode);
	return mode === null ? [...consensus, ...securityScenarios, ...threadScenarios] : consensus;
}

/** @throws QuorateError `pentest-scenario-unknown`, `pentest-scenario-other-mode` */
export function chooseScenarios(names: readonly string[], mode: GroupMode | null = null): readonly Scenario[] {
	const all = namesOf(pentestScenarios());
	const scenarios = pentestScenarios(mode);
	const known = namesOf(scenarios);
	for (const name of names) {
		if (!all.includes(name)) throw scenarioUnknown({ scenario: name, suggestion: nearestName(name, all) });
		if (mode !== null && !known.includes(name)) throw scenarioOfOtherMode({ scenario: name, mode });
	}
	return scenarios.filter(({ name, kind }) => names.includes(name) || names.includes(kind));
}

function namesOf(scenarios: readonly Scenario[]): readonly string[] {
	return [...scenarios.map(({ name }) => name), ...new Set(scenarios.map(({ kind }) => kind))];
}

/**
 * Attacks groups that it starts itself, and reports what was found out, who was accused wrongly, and what held. The same options give the
 * same figures, but for what runs on threads.
 * @throws QuorateError `invalid-argument`, `pentest-scenario-unknown`, `pentest-scenario-other-mode`
 */
export async function runPentest(options: PentestOptions = {}): Promise<PentestReport> {
	const nodes = requireInteger("nodes", options.nodes ?? pentestDefaults.nodes, PENTEST_NODES_MIN, PENTEST_NODES_MAX);
	const seed = requireInteger("seed", options.seed ?? pentestDefaults.seed, 0, PENTEST_SEED_MAX);
	const trials = requireInteger("trials", options.trials ?? pentestDefaults.trials, 1, PENTEST_TRIALS_MAX);
	const interrupt = options.interrupt ?? new AbortController().signal;
	const mode = options.mode ?? null;
	const chosen = options.scenarios === undefined ? pentestScenarios(mode) : chooseScenarios(options.scenarios, mode);
	const scenarios: ScenarioReport[] = [];
	for (const [at, scenario] of chosen.entries()) {
		options.began?.(scenario, at, chosen.length);
		// Signals and timers of the caller get their turn between scenarios.
		await new Promise((goOn) => setImmediate(goOn));
		if (interrupt.aborted) break;
		const tally = await scenario.run({ seed, nodes, trials, interrupt });
		if (interrupt.aborted) break;
		const report = judge(scenario, tally);
		scenarios.push(report);
		options.ended?.(report);
	}
	return {
		seed,
		nodes,
		faults: maxFaults(nodes),
		trials,
		mode,
		verdict: verdictOf(scenarios, interrupt.aborted),
		scenarios,
		vulnerabilities: vulnerabilitiesOf(scenarios, { seed, nodes, trials }),
	};
}
