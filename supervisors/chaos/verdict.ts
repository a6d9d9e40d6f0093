/** The verdict on a run: a pure function of what was seen. */
import type { Experiment, ExperimentVerdict } from "./experiment.ts";
import { describeProbe, describeTolerance } from "./hypothesis.ts";
import { type FaultRecord, type Journal, type ProbeOutcome, type PropertyRecord, VIOLATION_IDS } from "./journal.ts";
import type { WorkloadJudgement } from "./target.ts";

/** What ended a run before its end. */
export interface RunStop {
	/** `unasked`: a probe of the hypothesis or a guard has no answer. */
	readonly type: "hypothesis" | "violation" | "guard" | "unasked" | "fault" | "left-over" | "interrupted" | "error";
	readonly reason: string;
}

export interface RunFacts {
	readonly experiment: Experiment;
	readonly beyondBudget: string | null;
	readonly stop: RunStop | null;
	readonly after: readonly ProbeOutcome[] | null;
	readonly faults: readonly FaultRecord[];
	readonly ok: number;
	/** Operations were left when the liveness phase ended, or members differed; null: it was not reached. */
	readonly converged: { readonly within: boolean; readonly reason: string } | null;
	readonly judgement: Pick<WorkloadJudgement, "verdict" | "check" | "explanation"> | null;
	readonly properties: readonly PropertyRecord[];
	/** What else was not checked, one sentence each. */
	readonly notChecked: readonly string[];
}

type Outcome = Pick<Journal, "verdict" | "reasons" | "violations" | "notChecked">;

export function judgeRun(facts: RunFacts): Outcome {
	const violations = violationsOf(facts);
	const notChecked = [...facts.notChecked, ...omissions(facts)];
	const plain = plainVerdict(facts, violations);
	const { verdict, reasons } = againstExpectation(facts, violations, plain);
	return { verdict, reasons, violations: [...new Set(violations.map(({ id }) => id))], notChecked };
}

interface Judged {
	readonly verdict: ExperimentVerdict;
	readonly reasons: readonly string[];
}

interface Violation {
	readonly id: string;
	readonly reason: string;
}

/** The first rule that applies decides: what was seen to be wrong weighs more than why the run ended. */
function plainVerdict(facts: RunFacts, violations: readonly Violation[]): Judged {
	if (violations.length > 0) return { verdict: "fail", reasons: violations.map(({ reason }) => reason) };
	if (facts.stop !== null) {
		return { verdict: facts.stop.type === "unasked" ? "inconclusive" : "aborted", reasons: [facts.stop.reason] };
	}
	const doubts = doubtsOf(facts);
	if (doubts.length > 0) return { verdict: "inconclusive", reasons: doubts };
	const gaps = gapsOf(facts);
	if (gaps.length > 0) return { verdict: "vacuous", reasons: gaps };
	return { verdict: "pass", reasons: meritsOf(facts) };
}

function againstExpectation({ experiment }: RunFacts, violations: readonly Violation[], plain: Judged): Judged {
	if (experiment.expect === "pass") return plain;
	const expected = experiment.expect.violated;
	const seen = violations.find(({ id }) => id === expected);
	if (seen !== undefined) return { verdict: "pass", reasons: [`as expected: ${seen.reason}`] };
	if (plain.verdict !== "pass") return plain;
	return { verdict: "fail", reasons: [`${expected} was expected to be violated and held`, ...plain.reasons] };
}

function violationsOf({ properties, judgement, converged, after, beyondBudget, stop }: RunFacts): readonly Violation[] {
	const found: Violation[] = [];
	for (const { id, kind, first, required } of properties) {
		if (kind === "sometimes" || first === null || !required) continue;
		// What must hold in the end is only judged where the end was reached, and was to be reached.
		if (kind === "eventually" && (stop !== null || beyondBudget !== null)) continue;
		found.push({ id, reason: `${id} was violated at ${Number(first.atMs.toFixed(1))} ms: ${first.text}` });
	}
	if (judgement?.verdict === "violated") {
		const reason = `the history is not ${judgement.check}: ${judgement.explanation ?? "no explanation"}`;
		found.push({ id: VIOLATION_IDS.history, reason });
	}
	if (beyondBudget !== null) return found;
	if (converged?.within === false) found.push({ id: VIOLATION_IDS.liveness, reason: converged.reason });
	const unmet = (after ?? []).filter(({ met, failure }) => !met && failure === null);
	for (const outcome of unmet) found.push({ id: VIOLATION_IDS.steadyState, reason: describeUnmet(outcome, "after") });
	return found;
}

function doubtsOf({ after, judgement, beyondBudget }: RunFacts): readonly string[] {
	const silent = beyondBudget === null ? (after ?? []) : [];
	const doubts = silent.flatMap(({ failure }) => (failure === null ? [] : [failure]));
	if (judgement === null) doubts.push("the history was not judged");
	else if (judgement.verdict === "unknown") {
		doubts.push(`not known whether the history is ${judgement.check}: ${judgement.explanation ?? "no explanation"}`);
	}
	return [...new Set(doubts)];
}

function gapsOf({ experiment, faults, ok, properties }: RunFacts): readonly string[] {
	const gaps: string[] = [];
	if (faults.length > 0 && faults.every(({ outcome }) => outcome !== "applied")) gaps.push("no fault was applied");
	if (ok === 0) gaps.push("no operation was answered");
	for (const { id, kind, first, required } of properties) {
		if (kind === "sometimes" && required && first === null) gaps.push(`${id} never happened`);
	}
	const judged = properties.filter(({ kind, required }) => kind !== "sometimes" && required);
	const idle = judged.filter(({ evaluations }) => evaluations === 0);
	if (judged.length > 0 && idle.length === judged.length) gaps.push("no property was ever evaluated");
	else {
		const named = idle.filter(({ id }) => experiment.properties.always.includes(id));
		for (const { id } of named) gaps.push(`${id} was never evaluated`);
	}
	return gaps;
}

function meritsOf({ faults, ok, properties, judgement, beyondBudget }: RunFacts): readonly string[] {
	const applied = faults.filter(({ outcome }) => outcome === "applied").length;
	const held = properties.filter(
		({ kind, evaluations, required }) => required && kind !== "sometimes" && evaluations > 0,
	);
	return [
		`${held.length} properties held under ${applied} ${applied === 1 ? "fault" : "faults"} with ${ok} operations answered`,
		...(judgement === null ? [] : [`the history is ${judgement.check}`]),
		...(beyondBudget === null ? ["the group recovered"] : [`containment only: ${beyondBudget}`]),
	];
}

function omissions({ properties, beyondBudget, faults, stop, experiment, converged }: RunFacts): readonly string[] {
	const missing: string[] = [];
	if (stop !== null) missing.push(`whatever comes after the end of the run (${stop.type})`);
	if (beyondBudget !== null) {
		missing.push(`availability and recovery, since the method is beyond the fault budget: ${beyondBudget}`);
		if (converged?.within === false) missing.push(`recovery is not judged, and it failed: ${converged.reason}`);
	}
	for (const { kind, id, evaluations, required } of properties) {
		if (kind !== "sometimes" && required && evaluations === 0) missing.push(`${id}: it was never evaluated`);
	}
	for (const { fault, outcome, reason } of faults) {
		if (outcome === "skipped") missing.push(`${fault.kind}: left out, ${reason ?? "not applicable"}`);
		if (outcome === "not-reached") missing.push(`${fault.kind}: not reached`);
	}
	if (experiment.steadyState.probes.length === 0) missing.push("a steady state: the hypothesis has no probes");
	if (experiment.properties.always.length === 0) missing.push("properties: none was asked for");
	return [...new Set(missing)];
}

/** What a probe shows and should show. */
export function describeUnmet({ spec, value, failure }: ProbeOutcome, when: "before" | "after" | "during"): string {
	const shown = failure ?? `is ${JSON.stringify(value)}, expected ${describeTolerance(spec.tolerance)}`;
	return failure === null ? `${describeProbe(spec)} ${when} the method ${shown}` : shown;
}
