/**
 * Runs one experiment on one engine: hypothesis, method, liveness phase, hypothesis again, rollbacks, verdict.
 *
 * 1. The steady state is waited for, at most {@link SETTLE_MS}. Unmet: `aborted`, the method is not run.
 * 2. Workload and faults, by the experiment's times; guards every {@link GUARD_EVERY_MS}. A violated property ends it.
 * 3. Every fault is removed, and that is verified. Then the group must answer everything and agree within `livenessMs`
 *    (TigerBeetle's second phase: without it a livelock is never seen), and the steady state must be back.
 * 4. Rollback, always, also on an interrupt or an error: all faults removed, the workload ended, the target stopped.
 *
 * Time is the target's, whatever it is. What a draw decides comes from the experiment's seed.
 */
import { type ErrorObject, errorToObject, QuorateError } from "../../protocols/core/index.ts";
import { beyondBudget, methodLengthMs, requireDamageWithin } from "./budget.ts";
import { targetFailed } from "./errors.ts";
import { type Experiment, GUARD_EVERY_MS, type ProbeSpec } from "./experiment.ts";
import { FaultAgenda } from "./fault-agenda.ts";
import { askProbe } from "./hypothesis.ts";
import {
	type GuardRecord,
	JOURNAL_VERSION,
	type Journal,
	type JournalTime,
	type ProbeOutcome,
	type PropertyRecord,
	type WorkloadRecord,
} from "./journal.ts";
import { checkExperiment } from "./parse.ts";
import { Recorder } from "./recorder.ts";
import { requiredProperties, requireNodes, requireSupport } from "./support.ts";
import type { ExperimentEngine, ExperimentTarget, PropertyFinding, Workload, WorkloadJudgement } from "./target.ts";
import { describeUnmet, judgeRun, type RunStop } from "./verdict.ts";

/** The steady state is waited for so long before the method. */
export const SETTLE_MS = 10_000;
/** How often the hypothesis is asked while it is waited for, and whether the members agree in the liveness phase. */
export const SETTLE_EVERY_MS = 100;
/** Samples of the workload's counts that a journal holds: an hour's; a longer run has none from then on. */
const SAMPLES_MAX = 14_400;
/** Latencies that a journal holds; the last ones of more. */
const LATENCIES_MAX = 200_000;
/** Lines of a history that a journal holds. */
export const EXCERPT_LINES_MAX = 40;

export interface RunOptions {
	readonly engine: ExperimentEngine;
	/** Ends the run in order: everything is rolled back, and the verdict is `aborted`. */
	readonly signal?: AbortSignal;
	/** Told at least every {@link GUARD_EVERY_MS} of the target's time. What it throws ends the run. */
	readonly progress?: (progress: RunProgress) => void;
	/** Milliseconds on a clock that never goes back; default: the process's. Only for the journal's `wallMs`. */
	readonly wallClock?: () => number;
	/** For the journal: versions of what was run. Node's and V8's are added. */
	readonly versions?: Readonly<Record<string, string>>;
	/** For the journal: the exact command that runs this again. */
	readonly replay?: string;
}

export interface RunProgress {
	readonly phase: "hypothesis" | "method" | "liveness" | "rollback";
	/** How far the phase is, and how long it may take. */
	readonly elapsedMs: number;
	readonly lengthMs: number;
	readonly faultsApplied: number;
	readonly operationsOk: number;
	readonly steps: number;
}

export interface ExperimentRun {
	readonly journal: Journal;
	/** The whole history of the workload as JSON lines; null if it was not judged. */
	readonly history: string | null;
}

/**
 * Runs an experiment. Whatever happens to a started target is in the journal; it rejects only before that.
 * @throws QuorateError `experiment-invalid` and its family, `experiment-unsupported`, `experiment-beyond-budget`, and what the
 *   engine's start throws
 */
export async function runExperiment(given: Experiment, options: RunOptions): Promise<ExperimentRun> {
	const experiment = checkExperiment(given);
	requireSupport(experiment, options.engine);
	requireDamageWithin(experiment);
	const required = requiredProperties(experiment, options.engine);
	const recorder = new Recorder((id) => required.has(id) && options.engine.properties.get(id) === "always");
	const witnesses = [...options.engine.properties].flatMap(([id, kind]) => (kind === "sometimes" ? [id] : []));
	const wallClock = options.wallClock ?? (() => performance.now());
	const startedAt = wallClock();
	const target = await options.engine.start({
		topology: experiment.topology,
		budget: experiment.budget,
		seed: experiment.seed,
		properties: new Set([...required, ...witnesses]),
		observe: recorder.observe,
	});
	const run = new Run(experiment, options, target, recorder, required);
	return await run.run(() => wallClock() - startedAt);
}

class Run {
	readonly #experiment: Experiment;
	readonly #options: RunOptions;
	readonly #target: ExperimentTarget;
	readonly #recorder: Recorder;
	readonly #required: ReadonlySet<string>;
	#stop: RunStop | null = null;
	#error: ErrorObject | null = null;
	#agenda: FaultAgenda | null = null;
	#workload: Workload | null = null;
	#before: readonly ProbeOutcome[] = [];
	#after: readonly ProbeOutcome[] | null = null;
	#guards: GuardRecord[];
	#converged: { readonly within: boolean; readonly reason: string } | null = null;
	#judgement: WorkloadJudgement | null = null;
	#findings: readonly PropertyFinding[] = [];
	#methodFromMs: number | null = null;
	#methodToMs: number | null = null;
	#convergedAtMs: number | null = null;
	readonly #samples: { readonly atMs: number; readonly ok: number; readonly notOk: number }[] = [];

	constructor(
		experiment: Experiment,
		options: RunOptions,
		target: ExperimentTarget,
		recorder: Recorder,
		required: ReadonlySet<string>,
	) {
		this.#experiment = experiment;
		this.#options = options;
		this.#target = target;
		this.#recorder = recorder;
		this.#required = required;
		this.#guards = experiment.guards.map((spec) => ({ spec, evaluations: 0, tripped: null }));
	}

	async run(wallMs: () => number): Promise<ExperimentRun> {
		try {
			requireNodes(
				this.#experiment.method.map(({ fault }) => fault),
				this.#target.nodes,
				this.#options.engine.name,
			);
			await this.#settle();
			if (this.#stop === null) await this.#act();
			if (this.#stop === null) await this.#recover();
		} catch (thrown) {
			this.#fail("the run", thrown);
		}
		await this.#rollBack();
		return { journal: this.#journal(wallMs()), history: this.#judgement?.history ?? null };
	}

	/** Phase 1. */
	async #settle(): Promise<void> {
		const { probes } = this.#experiment.steadyState;
		this.#before = await this.#await("hypothesis", probes, this.#target.nowMs() + SETTLE_MS);
		const unmet = this.#before.filter(({ met }) => !met);
		if (this.#stop !== null || unmet.length === 0) return;
		const answered = unmet.find(({ failure }) => failure === null);
		this.#stop = {
			type: answered === undefined ? "unasked" : "hypothesis",
			reason: describeUnmet(answered ?? (unmet[0] as ProbeOutcome), "before"),
		};
	}

	/** Phase 2. */
	async #act(): Promise<void> {
		const { workload } = this.#experiment;
		const fromMs = this.#target.nowMs();
		const lengthMs = methodLengthMs(this.#experiment);
		this.#methodFromMs = fromMs;
		this.#agenda = new FaultAgenda(this.#experiment, this.#target, fromMs);
		this.#workload = this.#target.startWorkload(workload);
		const endMs = fromMs + lengthMs;
		let lookAtMs = fromMs;
		while (this.#stop === null) {
			const nowMs = this.#target.nowMs();
			if (nowMs >= endMs) break;
			if (nowMs >= lookAtMs) {
				await this.#look("method", nowMs - fromMs, lengthMs);
				lookAtMs = nowMs + GUARD_EVERY_MS;
			}
			this.#stop ??= await this.#agenda.perform(this.#target.nowMs());
			if (this.#stop !== null) break;
			const untilMs = Math.min(endMs, lookAtMs, this.#agenda.nextAtMs);
			await this.#pass(untilMs - this.#target.nowMs());
		}
		this.#stop ??= this.#agenda.close();
		this.#methodToMs = this.#target.nowMs();
	}

	/** Phase 3. */
	async #recover(): Promise<void> {
		this.#stop = (await this.#agenda?.removeAll()) ?? null;
		this.#workload?.finish();
		if (this.#stop !== null) return;
		const { livenessMs, steadyState } = this.#experiment;
		const fromMs = this.#target.nowMs();
		const deadlineMs = fromMs + livenessMs;
		let agrees = false;
		for (;;) {
			agrees = this.#isIdle && (await this.#target.hasConverged());
			const leftMs = deadlineMs - this.#target.nowMs();
			if (agrees || leftMs <= 0 || this.#stop !== null) break;
			this.#report("liveness", livenessMs - leftMs, livenessMs);
			await this.#pass(Math.min(SETTLE_EVERY_MS, leftMs));
		}
		if (this.#stop !== null) return;
		if (agrees) this.#convergedAtMs = this.#target.nowMs();
		this.#converged = { within: agrees, reason: agrees ? "" : this.#describeLivelock() };
		const after = await this.#await("liveness", steadyState.probes, deadlineMs);
		// What was asked before its time was up says nothing.
		if (this.#stop === null) this.#after = after;
	}

	/** Phase 4: nothing in here may prevent what comes after it. */
	async #rollBack(): Promise<void> {
		await this.#attempt("progress", () => this.#report("rollback", 0, 0));
		await this.#attempt("the removal of faults", async () => {
			const stop = (await this.#agenda?.removeAll()) ?? null;
			if (stop !== null) this.#stop ??= stop;
		});
		await this.#attempt("the end of the workload", () => this.#workload?.finish());
		await this.#attempt("the properties", () => {
			this.#findings = this.#target.findings();
		});
		await this.#attempt("the judgement of the history", () => {
			// A run that was cut short proves nothing by what it happened to answer.
			if (this.#stop === null) this.#judgement = this.#workload?.judge() ?? null;
		});
		await this.#attempt("the stop of the target", () => this.#target.stop());
	}

	/** Asks probes until all are met or the deadline has passed; at least once. */
	async #await(
		phase: "hypothesis" | "liveness",
		probes: readonly ProbeSpec[],
		deadlineMs: number,
	): Promise<ProbeOutcome[]> {
		const fromMs = this.#target.nowMs();
		for (;;) {
			const outcomes: ProbeOutcome[] = [];
			for (const spec of probes) outcomes.push(await askProbe(this.#target, spec));
			const leftMs = deadlineMs - this.#target.nowMs();
			if (leftMs <= 0 || outcomes.every(({ met }) => met)) return outcomes;
			this.#report(phase, this.#target.nowMs() - fromMs, deadlineMs - fromMs);
			await this.#pass(Math.min(SETTLE_EVERY_MS, leftMs));
			if (this.#stop !== null) return outcomes;
		}
	}

	/** Guards, samples and progress. */
	async #look(phase: RunProgress["phase"], elapsedMs: number, lengthMs: number): Promise<void> {
		const counts = this.#workload?.counts;
		if (counts !== undefined && this.#samples.length < SAMPLES_MAX) {
			const atMs = this.#target.nowMs();
			this.#samples.push({ atMs, ok: counts.ok, notOk: counts.failed + counts.unknown });
		}
		this.#report(phase, elapsedMs, lengthMs);
		for (const [index, { spec, evaluations }] of this.#guards.entries()) {
			const outcome = await askProbe(this.#target, spec);
			this.#guards[index] = { spec, evaluations: evaluations + 1, tripped: outcome.met ? null : outcome };
			if (outcome.met) continue;
			const reason = describeUnmet(outcome, "during");
			this.#stop ??= { type: outcome.failure === null ? "guard" : "unasked", reason };
			return;
		}
	}

	/** Lets time pass, and sees whether anything has ended the run. */
	async #pass(durationMs: number): Promise<void> {
		const { signal } = this.#options;
		if (signal?.aborted !== true && durationMs > 0) {
			await this.#target.pass(durationMs, () => signal?.aborted === true || this.#recorder.violated !== null);
		}
		const found = this.#target
			.findings()
			.find(({ id, kind, first }) => kind === "always" && first !== null && this.#required.has(id));
		const violated = found?.id ?? this.#recorder.violated;
		if (violated !== null) this.#stop ??= { type: "violation", reason: `${violated} was violated` };
		else if (signal?.aborted === true) this.#stop ??= { type: "interrupted", reason: "the run was interrupted" };
	}

	get #isIdle(): boolean {
		return this.#workload?.isIdle ?? true;
	}

	#describeLivelock(): string {
		const waited = `${this.#experiment.livenessMs} ms after all faults were removed`;
		return this.#isIdle ? `the members did not agree ${waited}` : `operations were unanswered ${waited}`;
	}

	#report(phase: RunProgress["phase"], elapsedMs: number, lengthMs: number): void {
		this.#options.progress?.({
			phase,
			elapsedMs,
			lengthMs,
			faultsApplied: this.#agenda?.appliedCount ?? 0,
			operationsOk: this.#workload?.counts.ok ?? 0,
			steps: this.#target.steps,
		});
	}

	async #attempt(what: string, action: () => void | Promise<void>): Promise<void> {
		try {
			await action();
		} catch (thrown) {
			this.#fail(what, thrown);
		}
	}

	/** The first failure is the journal's error; it is what ends the run, unless something else has already. */
	#fail(during: string, thrown: unknown): void {
		const reason = thrown instanceof Error ? thrown.message : String(thrown);
		const error = thrown instanceof QuorateError ? thrown : targetFailed({ during, reason }, { cause: thrown });
		this.#error ??= errorToObject(error);
		this.#stop ??= { type: "error", reason: error.message };
	}

	#journal(wallMs: number): Journal {
		const experiment = this.#experiment;
		const properties = this.#properties();
		const faults = this.#agenda?.records ?? [];
		const workload = this.#workloadRecord();
		const beyond = beyondBudget(experiment);
		const outcome = judgeRun({
			experiment,
			beyondBudget: beyond,
			stop: this.#stop,
			after: this.#after,
			faults,
			ok: workload.counts.ok,
			converged: this.#converged,
			judgement: this.#judgement,
			properties,
			notChecked: this.#judgement === null ? ["the history of the workload: it was not judged"] : [],
		});
		return {
			journalVersion: JOURNAL_VERSION,
			experiment,
			engine: this.#options.engine.name,
			...outcome,
			beyondBudget: beyond,
			status: statusOf(this.#stop),
			deviated: this.#after?.some(({ met }) => !met) ?? false,
			error: this.#error,
			versions: { ...this.#options.versions, node: process.versions.node, v8: process.versions.v8 },
			replay: this.#options.replay ?? null,
			nodes: this.#target.nodes,
			time: this.#time(wallMs),
			steps: this.#target.steps,
			traceHash: this.#target.traceHash,
			hypothesis: { title: experiment.steadyState.title, before: this.#before, after: this.#after },
			guards: this.#guards,
			faults,
			workload,
			properties,
			leaders: this.#recorder.leaders(),
			terms: this.#recorder.terms,
			events: { seen: this.#recorder.seen, kept: this.#eventsBefore(properties) },
		};
	}

	#properties(): readonly PropertyRecord[] {
		const found = this.#findings.map((finding) => ({ ...finding, required: this.#required.has(finding.id) }));
		// A property that the engine lost sight of must not look as if nobody had asked for it.
		const missing = [...this.#required].filter((id) => !found.some((finding) => finding.id === id));
		const kinds = this.#options.engine.properties;
		return [
			...found,
			...missing.map((id) => ({ id, kind: kinds.get(id) ?? "always", evaluations: 0, first: null, required: true })),
		];
	}

	#eventsBefore(properties: readonly PropertyRecord[]): Journal["events"]["kept"] {
		const violatedAt = properties.flatMap(({ kind, first }) =>
			kind === "always" && first !== null ? [first.atMs] : [],
		);
		const untilMs = Math.min(...violatedAt);
		return this.#recorder.events().filter(({ atMs }) => atMs <= untilMs);
	}

	#workloadRecord(): WorkloadRecord {
		const counts = this.#workload?.counts ?? { begun: 0, ok: 0, failed: 0, unknown: 0 };
		return {
			counts: { ...counts },
			latencies: (this.#workload?.latencies ?? []).slice(-LATENCIES_MAX),
			samples: this.#samples,
			judgement: this.#judgement === null ? null : excerptOf(this.#judgement),
		};
	}

	#time(wallMs: number): JournalTime {
		return {
			targetMs: this.#target.nowMs(),
			wallMs,
			methodFromMs: this.#methodFromMs,
			methodToMs: this.#methodToMs,
			convergedAtMs: this.#convergedAtMs,
		};
	}
}

function statusOf(stop: RunStop | null): Journal["status"] {
	if (stop === null) return "completed";
	if (stop.type === "interrupted") return "interrupted";
	return stop.type === "hypothesis" || stop.type === "unasked" ? "failed" : "aborted";
}

function excerptOf({
	verdict,
	check,
	explanation,
	history,
	around,
	chart,
}: WorkloadJudgement): WorkloadRecord["judgement"] {
	const lines = around ?? history.split("\n").filter((line) => line !== "");
	const excerpt = lines.slice(-EXCERPT_LINES_MAX);
	return { verdict, check, explanation, excerpt, ...(chart === undefined ? {} : { chart }) };
}
