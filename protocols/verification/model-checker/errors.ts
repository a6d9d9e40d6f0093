/** What can be wrong about a model, as typed errors. */
import { defineErrors, type ErrorMaker } from "../../core/index.ts";

const modelErrors = defineErrors({
	modelUnbounded: [
		"model-unbounded",
		(d: { model: string; bound: string; expected: string; actual: string }) =>
			`model ${d.model} has no bound ${d.bound}: expected ${d.expected}, got ${d.actual}`,
	],
	modelMalformed: [
		"model-malformed",
		(d: { model: string; problem: string }) => `model ${d.model} can not be explored: ${d.problem}`,
	],
});

/** A bound is missing or no bound at all: `{model, bound, expected, actual}`. */
export const modelUnbounded: ErrorMaker<{ model: string; bound: string; expected: string; actual: string }> =
	modelErrors.modelUnbounded;

/** The parts of a model contradict each other or the checker's limits: `{model, problem}`. */
export const modelMalformed: ErrorMaker<{ model: string; problem: string }> = modelErrors.modelMalformed;

/** The text of anything thrown. */
export function reasonOf(thrown: unknown): string {
	return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The bound, if it is an integer from `min` to `max`. @throws QuorateError `model-unbounded` */
export function requireBound(model: string, bound: string, value: unknown, min: number, max: number): number {
	if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return value;
	throw modelUnbounded({ model, bound, expected: `an integer from ${min} to ${max}`, actual: String(value) });
}
