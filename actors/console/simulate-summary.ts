/** Many seeds in figures: verdicts, coverage and failures, added up as they come. */
import type { ExperimentVerdict } from "../../supervisors/index.ts";
import type { SeedResult } from "../experiment/index.ts";

/** Failures, and fingerprints of runs, that are kept; all are counted. */
const KEPT_MAX = 1_000;

export const verdictNames: readonly ExperimentVerdict[] = ["pass", "fail", "inconclusive", "vacuous", "aborted"];
export type VerdictCounts = Readonly<Record<ExperimentVerdict, number>>;

/** Seeds are told apart by how many faults they meet. */
const classes: readonly { readonly name: string; readonly faultsMin: number }[] = [
	{ name: "no faults", faultsMin: 0 },
	{ name: "1 to 9 faults", faultsMin: 1 },
	{ name: "10 to 49 faults", faultsMin: 10 },
	{ name: "50 faults or more", faultsMin: 50 },
];

export interface ClassCounts {
	readonly name: string;
	readonly seeds: number;
	readonly verdicts: VerdictCounts;
}

export interface FaultCoverage {
	readonly kind: string;
	/** Seeds in which it was applied, and how often in all. */
	readonly seeds: number;
	readonly applied: number;
}

export interface PropertyCoverage {
	readonly id: string;
	readonly kind: string;
	/** Seeds in which it was evaluated (of a `sometimes`: witnessed), and how often in all. */
	readonly seeds: number;
	readonly evaluations: number;
}

export class SimulationSummary {
	readonly #classes = classes.map(({ name, faultsMin }) => ({ name, faultsMin, seeds: 0, verdicts: noVerdicts() }));
	readonly #faults = new Map<string, { seeds: number; applied: number }>();
	readonly #properties = new Map<string, { kind: string; seeds: number; evaluations: number }>();
	readonly #failures: SeedResult[] = [];
	readonly #traces: { readonly seed: number; readonly traceHash: string }[] = [];
	readonly verdicts: Record<ExperimentVerdict, number> = noVerdicts();
	seeds = 0;
	answered = 0;
	virtualMs = 0;
	steps = 0;

	add(result: SeedResult): void {
		const { verdict, plannedFaults } = result;
		this.seeds += 1;
		this.answered += result.answered;
		this.virtualMs += result.virtualMs;
		this.steps += result.steps;
		this.verdicts[verdict] += 1;
		const ofClass = this.#classes.findLast(({ faultsMin }) => plannedFaults >= faultsMin);
		if (ofClass !== undefined) {
			ofClass.seeds += 1;
			ofClass.verdicts[verdict] += 1;
		}
		for (const [kind, applied] of Object.entries(result.faults)) {
			const known = this.#faults.get(kind) ?? { seeds: 0, applied: 0 };
			this.#faults.set(kind, { seeds: known.seeds + 1, applied: known.applied + applied });
		}
		for (const { id, kind, evaluations } of result.properties) {
			const known = this.#properties.get(id) ?? { kind, seeds: 0, evaluations: 0 };
			known.seeds += evaluations > 0 ? 1 : 0;
			known.evaluations += evaluations;
			this.#properties.set(id, known);
		}
		if (this.#traces.length < KEPT_MAX) this.#traces.push({ seed: result.seed, traceHash: result.traceHash });
		if (verdict !== "pass" && this.#failures.length < KEPT_MAX) this.#failures.push(result);
	}

	/** Seeds that did not pass, by their number. */
	get failures(): readonly SeedResult[] {
		return [...this.#failures].sort((a, b) => a.seed - b.seed);
	}

	/** The fingerprints of runs, by seed: equal runs have equal ones. */
	get traces(): readonly { readonly seed: number; readonly traceHash: string }[] {
		return [...this.#traces].sort((a, b) => a.seed - b.seed);
	}

	/** Classes that have seeds. */
	get classes(): readonly ClassCounts[] {
		return this.#classes.filter(({ seeds }) => seeds > 0);
	}

	get faults(): readonly FaultCoverage[] {
		return [...this.#faults].map(([kind, counts]) => ({ kind, ...counts })).sort((a, b) => (a.kind < b.kind ? -1 : 1));
	}

	/** In the order of the engine's list. */
	get properties(): readonly PropertyCoverage[] {
		return [...this.#properties].map(([id, counts]) => ({ id, ...counts }));
	}

	/** What ought to happen somewhere and did in no seed: the run says nothing about it. */
	get neverWitnessed(): readonly string[] {
		return this.properties.flatMap(({ id, kind, seeds }) => (kind === "sometimes" && seeds === 0 ? [id] : []));
	}
}

function noVerdicts(): Record<ExperimentVerdict, number> {
	return { pass: 0, fail: 0, inconclusive: 0, vacuous: 0, aborted: 0 };
}
