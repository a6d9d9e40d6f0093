/** One seed of a simulation from beginning to end: a task for a compute thread, data in and data out. */
import type { ComputeTask } from "../../runtime/index.ts";
import {
	type Experiment,
	type ExperimentEngine,
	type ExperimentVerdict,
	type Journal,
	runExperiment,
} from "../../supervisors/index.ts";
import { byzantineEngine } from "./byzantine/byzantine-engine.ts";
import { type ByzantinePlan, planByzantineSeed } from "./byzantine/byzantine-plan.ts";
import { simulationEngine } from "./simulation-engine.ts";
import { planSeed, type SimulationPlan } from "./simulation-plan.ts";

/** What is run: a plan's seed, or a given experiment with another seed. */
export interface SeedOrder {
	readonly seed: number;
	readonly from: SimulationPlan | ByzantinePlan | { readonly experiment: Experiment };
}

/** What a table of many seeds needs of one. */
export interface SeedResult {
	readonly seed: number;
	readonly verdict: ExperimentVerdict;
	/** Why, one sentence each. */
	readonly reasons: readonly string[];
	/** Ids of what was violated. */
	readonly violations: readonly string[];
	readonly traceHash: string;
	/** Virtual milliseconds, and events in them. */
	readonly virtualMs: number;
	readonly steps: number;
	/** Faults applied, by kind; and kinds that were planned. */
	readonly faults: Readonly<Record<string, number>>;
	readonly plannedFaults: number;
	/** Operations of the clients that were answered. */
	readonly answered: number;
	/** Evaluations of each property; of a `sometimes`, how often it was witnessed. */
	readonly properties: readonly { readonly id: string; readonly kind: string; readonly evaluations: number }[];
}

/** The experiment of an order. */
export function experimentOf({ seed, from }: SeedOrder): Experiment {
	if ("experiment" in from) return { ...from.experiment, seed };
	return from.protocol === "pbft" ? planByzantineSeed(seed, from) : planSeed(seed, from);
}

/** The engine that runs it. */
export function engineOf({ from }: SeedOrder): ExperimentEngine {
	return "protocol" in from && from.protocol === "pbft" ? byzantineEngine(from) : simulationEngine();
}

/** The task that runs a seed; its result is a {@link SeedResult}. */
export function seedTask(order: SeedOrder): ComputeTask {
	return { module: import.meta.url, export: "runSeed", args: order };
}

/** Runs a seed. @throws QuorateError as `runExperiment` */
export async function runSeed(order: SeedOrder): Promise<SeedResult> {
	const { journal } = await runExperiment(experimentOf(order), { engine: engineOf(order) });
	return seedResult(journal);
}

/** A journal in short. */
function seedResult(journal: Journal): SeedResult {
	const faults: Record<string, number> = {};
	for (const { fault, outcome } of journal.faults) {
		if (outcome === "applied") faults[fault.kind] = (faults[fault.kind] ?? 0) + 1;
	}
	return {
		seed: journal.experiment.seed,
		verdict: journal.verdict,
		reasons: journal.reasons,
		violations: journal.violations,
		traceHash: journal.traceHash ?? "",
		virtualMs: journal.time.targetMs,
		steps: journal.steps,
		faults,
		plannedFaults: journal.faults.length,
		answered: journal.workload.counts.ok,
		properties: journal.properties.map(({ id, kind, evaluations }) => ({ id, kind, evaluations })),
	};
}
