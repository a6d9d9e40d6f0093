/**
 * Makes a failing experiment small: delta debugging (Zeller and Hildebrandt, TSE 2002) over its faults, then less of
 * everything else. A step is kept only if the same property is violated again, so what comes out fails for the same
 * reason as what went in. Deterministic, given a deterministic engine and no end of time.
 */
import { QuorateError } from "../../protocols/core/index.ts";
import { notReproduced } from "./errors.ts";
import type { Experiment } from "./experiment.ts";
import { checkExperiment } from "./parse.ts";
import { fewerFaults, plainerRun, type Step, smallerFaults, smallerRun } from "./shrink-steps.ts";

export interface ShrinkOptions {
	/** The id that must stay violated: a property's, or one of `VIOLATION_IDS`. */
	readonly property: string;
	/** Runs an experiment and says what it violates: the `violations` of its journal. */
	violations(experiment: Experiment): Promise<readonly string[]>;
	/** Milliseconds since the start, on any clock: the time box. */
	elapsedMs(): number;
	/** Default one minute. A run that has begun is not cut short. */
	readonly budgetMs?: number;
	/** Default 2,000. */
	readonly runsMax?: number;
	/**
	 * So many seeds are tried for each smaller experiment, default 3: a bug that needs luck would else be lost with the
	 * first change, since any change reshuffles what happens. The one that works is the result's.
	 */
	readonly seedsEach?: number;
	readonly signal?: AbortSignal;
	readonly progress?: (statistics: ShrinkStatistics) => void;
}

export interface ShrinkStatistics {
	readonly runs: number;
	readonly kept: number;
	readonly elapsedMs: number;
	readonly before: ExperimentSize;
	readonly after: ExperimentSize;
	/** Every single step from the result was tried, and none is smaller; else time, runs or patience ended. */
	readonly minimal: boolean;
}

export interface ExperimentSize {
	readonly faults: number;
	/** Operations that the clients begin. */
	readonly operations: number;
	readonly nodes: number;
	readonly methodMs: number;
}

export interface ShrinkResult {
	/** Expects the violation, so that it can stand among the regressions. */
	readonly experiment: Experiment;
	readonly statistics: ShrinkStatistics;
}

/** How an experiment, or its group, is refused. */
const senseless = /^experiment-|-config-(invalid|contradiction)$/;

/** @throws QuorateError `experiment-not-reproduced` if the experiment itself does not violate the property */
export async function shrinkExperiment(experiment: Experiment, options: ShrinkOptions): Promise<ShrinkResult> {
	const shrinker = new Shrinker(experiment, options);
	await shrinker.shrink();
	return shrinker.result();
}

/** Faults and operations: what a reader has to go through. */
export function sizeOf({ method, workload, topology }: Experiment): ExperimentSize {
	return {
		faults: method.length,
		operations: Math.ceil((workload.ratePerSecond * workload.forMs) / 1_000),
		nodes: topology.nodes,
		methodMs: Math.max(workload.forMs, ...method.map(({ atMs, forMs }) => atMs + (forMs ?? 0))),
	};
}

class Shrinker {
	readonly #options: ShrinkOptions;
	readonly #original: Experiment;
	#best: Experiment;
	#runs = 0;
	#kept = 0;
	#minimal = false;
	/** What was tried and failed: rounds meet the same candidates again. As many as there are runs. */
	readonly #failed = new Set<string>();

	constructor(experiment: Experiment, options: ShrinkOptions) {
		this.#options = options;
		this.#original = checkExperiment(experiment);
		this.#best = { ...this.#original, expect: { violated: options.property } };
	}

	async shrink(): Promise<void> {
		const { property } = this.#options;
		const found = await this.#options.violations(this.#best);
		this.#runs++;
		if (!found.includes(property)) throw notReproduced({ property, found: [...found] });
		for (let changed = true; changed && !this.#isOver; ) {
			changed = false;
			for (const step of [smallerRun, fewerFaults, smallerFaults, plainerRun])
				changed = (await this.#walk(step)) || changed;
			this.#minimal = !changed && !this.#isOver;
		}
	}

	result(): ShrinkResult {
		const statistics = this.#statistics;
		const { before, after } = statistics;
		const description =
			`Violates ${this.#options.property}. Shrunk from seed ${this.#original.seed} of "${this.#original.title}": ` +
			`${before.faults} faults and ${before.operations} operations became ${after.faults} and ${after.operations}.`;
		return { experiment: { ...this.#best, description }, statistics };
	}

	get #statistics(): ShrinkStatistics {
		return {
			runs: this.#runs,
			kept: this.#kept,
			elapsedMs: this.#options.elapsedMs(),
			before: sizeOf(this.#original),
			after: sizeOf(this.#best),
			minimal: this.#minimal,
		};
	}

	get #isOver(): boolean {
		const { budgetMs = 60_000, runsMax = 2_000, signal, elapsedMs } = this.#options;
		return signal?.aborted === true || this.#runs >= runsMax || elapsedMs() >= budgetMs;
	}

	/** Goes through a step's candidates; each answer decides the next. Returns whether anything was kept. */
	async #walk(step: Step): Promise<boolean> {
		const candidates = step(this.#best);
		let any = false;
		let next = candidates.next();
		while (next.done !== true && !this.#isOver) {
			const better = await this.#try(next.value);
			any = better !== null || any;
			next = candidates.next(better);
		}
		return any;
	}

	/** The candidate with a seed with which it still fails, if there is one. */
	async #try(candidate: Experiment): Promise<Experiment | null> {
		const { seedsEach = 3, property } = this.#options;
		for (let more = 0; more < seedsEach && !this.#isOver; more++) {
			const seeded = { ...candidate, seed: candidate.seed + more };
			const key = JSON.stringify(seeded);
			if (this.#failed.has(key)) continue;
			if (!(await this.#violates(seeded, property))) {
				this.#failed.add(key);
				continue;
			}
			this.#best = seeded;
			this.#kept++;
			this.#options.progress?.(this.#statistics);
			return seeded;
		}
		return null;
	}

	async #violates(candidate: Experiment, property: string): Promise<boolean> {
		this.#runs++;
		try {
			return (await this.#options.violations(candidate)).includes(property);
		} catch (thrown) {
			// A smaller experiment may make no sense, such as one that names a node which it no longer has, or settings that need each other.
			if (thrown instanceof QuorateError && senseless.test(thrown.code)) return false;
			throw thrown;
		}
	}
}
