/**
 * The journal of one run: everything that reports are made of, as plain data. Versioned; written as JSON.
 * After Chaos Toolkit's journal, whose `status` and `deviated` are kept for readers who know them.
 */
import type { ErrorObject } from "../../protocols/core/index.ts";
import type { Experiment, ExperimentVerdict, FaultSpec, ProbeSpec, ProbeValue } from "./experiment.ts";
import type { PropertyFinding, TargetEvent, WorkloadJudgement } from "./target.ts";

export const JOURNAL_VERSION = "quorate/journal/v1";

/** All times are milliseconds on the target's clock, from its start, unless a name says otherwise. */
export interface Journal {
	readonly journalVersion: typeof JOURNAL_VERSION;
	readonly experiment: Experiment;
	readonly engine: string;
	readonly verdict: ExperimentVerdict;
	/** Why, one sentence each, the decisive one first; of a `pass` what it rests on. */
	readonly reasons: readonly string[];
	/** Ids of what was violated: properties, and {@link VIOLATION_IDS}. */
	readonly violations: readonly string[];
	/** Why the method is beyond the fault budget; null if it is within it. Availability is then not judged. */
	readonly beyondBudget: string | null;
	/** What this run says nothing about, one sentence each. */
	readonly notChecked: readonly string[];
	/** As Chaos Toolkit calls it: how far the run went, and whether the steady state was lost. */
	readonly status: "completed" | "failed" | "aborted" | "interrupted";
	readonly deviated: boolean;
	/** What ended the run, if something threw. */
	readonly error: ErrorObject | null;
	/** Of Quorate, Node, V8 and whatever the caller finds worth recording. */
	readonly versions: Readonly<Record<string, string>>;
	/** The exact command that runs this again; null if the caller gave none. */
	readonly replay: string | null;
	readonly nodes: readonly string[];
	readonly time: JournalTime;
	readonly steps: number;
	readonly traceHash: string | null;
	readonly hypothesis: {
		readonly title: string;
		readonly before: readonly ProbeOutcome[];
		/** Null: the run ended before. */
		readonly after: readonly ProbeOutcome[] | null;
	};
	readonly guards: readonly GuardRecord[];
	/** In the order of the method. */
	readonly faults: readonly FaultRecord[];
	readonly workload: WorkloadRecord;
	readonly properties: readonly PropertyRecord[];
	readonly leaders: readonly LeaderSpan[];
	readonly terms: readonly { readonly atMs: number; readonly term: number }[];
	/** The last events, up to the first violation if there is one; `seen` counts all of the run. */
	readonly events: { readonly seen: number; readonly kept: readonly TargetEvent[] };
}

/** Violations that are no property's: of the workload's history, of the liveness phase, of the hypothesis after it. */
export const VIOLATION_IDS: {
	readonly history: "history";
	readonly liveness: "liveness";
	readonly steadyState: "steady-state";
} = { history: "history", liveness: "liveness", steadyState: "steady-state" };

export interface JournalTime {
	/** Of the whole run, on the target's clock. */
	readonly targetMs: number;
	/** On the caller's clock. */
	readonly wallMs: number;
	readonly methodFromMs: number | null;
	readonly methodToMs: number | null;
	/** When all members agreed again and every operation was over; null: they did not, or it was not waited for. */
	readonly convergedAtMs: number | null;
}

export interface ProbeOutcome {
	readonly spec: ProbeSpec;
	/** Null also when it could not be asked. */
	readonly value: ProbeValue;
	readonly met: boolean;
	readonly atMs: number;
	/** Why it could not be asked; null if it was. */
	readonly failure: string | null;
}

export interface GuardRecord {
	readonly spec: ProbeSpec;
	readonly evaluations: number;
	/** The one that was not met. */
	readonly tripped: ProbeOutcome | null;
}

export interface FaultRecord {
	/** As the experiment has it. */
	readonly fault: FaultSpec;
	/** What the target was asked to do, with all that was drawn. */
	readonly resolved: FaultSpec;
	/** When it was due. */
	readonly plannedAtMs: number;
	readonly appliedAtMs: number | null;
	/** When a lasting one ended. */
	readonly removedAtMs: number | null;
	/** What it hit, in the engine's words. */
	readonly description: string | null;
	/** `skipped`: optional, and not applicable. `not-reached`: the method ended before. */
	readonly outcome: "applied" | "skipped" | "failed" | "not-reached";
	readonly reason: string | null;
}

export interface WorkloadRecord {
	readonly counts: { readonly begun: number; readonly ok: number; readonly failed: number; readonly unknown: number };
	readonly latencies: readonly { readonly atMs: number; readonly latencyMs: number }[];
	/** Counts over time, cumulative. */
	readonly samples: readonly { readonly atMs: number; readonly ok: number; readonly notOk: number }[];
	/** Null: not judged. `excerpt`: the lines around the anomaly, or the last ones. */
	readonly judgement: (Omit<WorkloadJudgement, "history" | "around"> & { readonly excerpt: readonly string[] }) | null;
}

export interface PropertyRecord extends PropertyFinding {
	/** Whether the verdict depends on it. */
	readonly required: boolean;
}

export interface LeaderSpan {
	readonly node: string;
	readonly term: number | null;
	readonly fromMs: number;
	/** Null: until the end. */
	readonly toMs: number | null;
}

/** The journal as JSON text, one field a line: long lists would else take more lines than anybody scrolls. */
export function formatJournal(journal: Journal): string {
	const fields = Object.entries(journal).map(([name, value]) => `\t${JSON.stringify(name)}: ${JSON.stringify(value)}`);
	return `{\n${fields.join(",\n")}\n}\n`;
}

/**
 * The experiment with everything that the runner drew written out: nodes for `any`, sides of partitions. It does the same
 * when faults are moved, which would else be drawn anew: the right start for shrinking.
 */
export function withDrawsWrittenOut({ experiment, faults }: Journal): Experiment {
	if (faults.length !== experiment.method.length) return experiment;
	const method = experiment.method.map((timed, index) => ({ ...timed, fault: faults[index]?.resolved ?? timed.fault }));
	return { ...experiment, method };
}
