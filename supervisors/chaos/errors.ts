/** The errors of experiments. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

/** Where in a file something stands, counted from 1; null when the experiment was not read from a text. */
export interface FilePlace {
	readonly file: string | null;
	readonly line: number | null;
	readonly column: number | null;
}

interface Details {
	readonly malformed: FilePlace & { reason: string };
	readonly unknownKey: FilePlace & { key: string; nearest: string | null };
	readonly invalid: FilePlace & { key: string; expected: string; actual: string; nearest: string | null };
	readonly unsupported: { engine: string; what: string; name: string; nearest: string | null; reason?: string };
	readonly beyondBudget: { excess: string };
	readonly notApplicable: { fault: string; reason: string };
	readonly probeFailed: { probe: string; reason: string };
	readonly probeThrew: { probe: string; reason: string };
	readonly targetFailed: { during: string; reason: string };
	readonly notReproduced: { property: string; found: readonly string[] };
}

const made = defineErrors({
	malformed: ["experiment-malformed", (d: Details["malformed"]) => `${place(d)}${d.reason}`],
	unknownKey: [
		"experiment-unknown-key",
		(d: Details["unknownKey"]) => `${place(d)}there is no key ${d.key}${didYouMean(d.nearest)}`,
	],
	invalid: [
		"experiment-invalid",
		(d: Details["invalid"]) => `${place(d)}${d.key}: expected ${d.expected}, got ${d.actual}${didYouMean(d.nearest)}`,
	],
	unsupported: [
		"experiment-unsupported",
		(d: Details["unsupported"]) =>
			`the engine ${d.engine} has no ${d.what} ${d.name}${d.reason === undefined ? didYouMean(d.nearest) : `: ${d.reason}`}`,
	],
	beyondBudget: [
		"experiment-beyond-budget",
		(d: Details["beyondBudget"]) => `${d.excess}; raise the damage of its budget if that is meant`,
	],
	notApplicable: [
		"fault-not-applicable",
		(d: Details["notApplicable"]) => `${d.fault} can not be applied now: ${d.reason}`,
	],
	probeFailed: ["probe-failed", (d: Details["probeFailed"]) => `the probe ${d.probe} could not be asked: ${d.reason}`],
	probeThrew: ["experiment-probe-threw", (d: Details["probeThrew"]) => `the probe ${d.probe} threw: ${d.reason}`],
	targetFailed: [
		"experiment-target-failed",
		(d: Details["targetFailed"]) => `the target failed during ${d.during}: ${d.reason}`,
	],
	notReproduced: [
		"experiment-not-reproduced",
		(d: Details["notReproduced"]) =>
			`nothing to shrink: ${d.property} was not violated again (${d.found.length === 0 ? "nothing was" : `found: ${d.found.join(", ")}`})`,
	],
});

/** The text is no YAML (or JSON) document of the kind that experiments are written in. */
export const experimentMalformed: ErrorMaker<Details["malformed"]> = made.malformed;
/** A key that the format does not have, with the nearest that it has. */
export const experimentUnknownKey: ErrorMaker<Details["unknownKey"]> = made.unknownKey;
/** A value of the wrong type or out of its range, or a key that is missing. */
export const experimentInvalid: ErrorMaker<Details["invalid"]> = made.invalid;
/** The engine can not do what the experiment asks for; found before anything is started. */
export const experimentUnsupported: ErrorMaker<Details["unsupported"]> = made.unsupported;
/** More disks are to be damaged at one time than the experiment's own budget has; found before anything is started. */
export const experimentBeyondBudget: ErrorMaker<Details["beyondBudget"]> = made.beyondBudget;
/** For engines: the fault makes no sense now, such as a kill of the leader when there is none. */
export const faultNotApplicable: ErrorMaker<Details["notApplicable"]> = made.notApplicable;
/** For engines: a probe has no answer now. */
export const probeFailed: ErrorMaker<Details["probeFailed"]> = made.probeFailed;
/** A probe threw something else than `probe-failed`: a defect of the probe. */
export const probeThrew: ErrorMaker<Details["probeThrew"]> = made.probeThrew;
/** The target threw something that is no typed error: a defect of the engine or of what it runs. */
export const targetFailed: ErrorMaker<Details["targetFailed"]> = made.targetFailed;
/** An experiment that is to be shrunk does not fail as it should. */
export const notReproduced: ErrorMaker<Details["notReproduced"]> = made.notReproduced;

function place({ file, line, column }: FilePlace): string {
	const position = line === null ? "" : `line ${line}, column ${column}`;
	const parts = [file, position].filter((part) => part !== null && part !== "");
	return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}

function didYouMean(nearest: string | null): string {
	return nearest === null ? "" : ` (did you mean ${nearest}?)`;
}
