/** What a correct object does, one operation at a time: what histories are held against. */
import type { QuorateError } from "../../core/index.ts";
import { historyErrors } from "./errors.ts";
import { type Json, jsonText } from "./json-value.ts";
import type { Operation } from "./operation.ts";

/**
 * A sequential object as a value. States are never changed in place. Everything here is a pure function of its arguments.
 *
 * @typeParam State any value; a persistent structure where states are large, since the search keeps many
 */
export interface Model<State> {
	/** How experiments and the command line name it. */
	readonly name: string;
	readonly initial: State;
	/**
	 * The state after `operation`, or undefined if the object could not have answered so in `state`. Of an operation of
	 * unknown outcome nothing was answered, so any answer will do.
	 */
	step(state: State, operation: Operation): State | undefined;
	/**
	 * Whether an operation with this outcome changes no state, whatever the state is: a read, a compare-and-set that was
	 * refused. The search then never has to try it later than at once, and drops it when its outcome is unknown.
	 */
	isPure(operation: Operation): boolean;
	/** 32 bits; equal states have the same. */
	hash(state: State): number;
	equal(a: State, b: State): boolean;
	/** The state for a reader, on one line. */
	describe(state: State): string;
	/** Why the model can not judge an operation, its answer included; null if it can. */
	refuse(operation: Operation): Refusal | null;
	/**
	 * What a whole history says about the order of its operations. It changes no verdict; without it the search learns an
	 * order of concurrent updates only when a later read contradicts it, after exponentially many others.
	 */
	foresee?(operations: readonly Operation[]): Foresight<State>;
}

/**
 * Whether to try `operation` in `state`. If the operations that were foreseen have any linearization, they must have one
 * of which this says true at each step.
 *
 * @param now a place in the history: no operation that begins behind it is linearized yet
 */
export type Foresight<State> = (state: State, operation: Operation, now: number) => boolean;

/** One field of an operation that is not as a model needs it. */
export interface Refusal {
	/** `op`, `value`, `from`, `answer value` or `answer ok`. */
	readonly key: string;
	readonly expected: string;
	readonly found: string;
}

/** The error that says so, with the line of the invocation or of the end, whichever the field stands in. */
export function refusedOperation(model: string, { line, endLine }: Operation, refusal: Refusal): QuorateError {
	const place = refusal.key.startsWith("answer") ? (endLine ?? line) : line;
	return historyErrors.operationInvalid({ line: place, model, ...refusal });
}

/** What a field of an operation has to be. */
export type FieldRule = readonly [expected: string, fits: (value: Json | undefined) => boolean];

/** The fields of one kind of operation; a field that is not named must be absent. */
export interface OperationRule {
	readonly value?: FieldRule;
	readonly from?: FieldRule;
	/** The `value` of its `ok`. */
	readonly answer?: FieldRule;
	/** The `ok` of its `ok`. */
	readonly accepted?: FieldRule;
}

export const anyValue: FieldRule = ["a value", (value) => value !== undefined];
export const someValue: FieldRule = ["a value other than null", (value) => value !== undefined && value !== null];
export const optionalValue: FieldRule = ["a value or nothing", () => true];
export const wholeNumber: FieldRule = ["a whole number", (value) => Number.isSafeInteger(value)];
export const optionalNumber: FieldRule = [
	"a whole number or nothing",
	(value) => value === undefined || Number.isSafeInteger(value),
];
export const yesOrNo: FieldRule = ["true or false", (value) => typeof value === "boolean"];
export const optionalYes: FieldRule = ["true, false or nothing", () => true];
const nothing: FieldRule = ["nothing", (value) => value === undefined];

/** Holds an operation against the rules of its kind. */
export function refuseByRules(
	rules: Readonly<Record<string, OperationRule>>,
	{ op, value, from, answer, accepted, outcome }: Operation,
): Refusal | null {
	const rule = Object.hasOwn(rules, op) ? rules[op] : undefined;
	if (rule === undefined) return { key: "op", expected: Object.keys(rules).join(" or "), found: jsonText(op) };
	const isAnswered = outcome === "ok";
	const fields: readonly (readonly [key: string, FieldRule, Json | undefined])[] = [
		["value", rule.value ?? nothing, value],
		["from", rule.from ?? nothing, from],
		["answer value", isAnswered ? (rule.answer ?? nothing) : nothing, answer],
		["answer ok", isAnswered ? (rule.accepted ?? optionalYes) : nothing, accepted],
	];
	for (const [key, [expected, fits], found] of fields) {
		if (!fits(found)) return { key, expected, found: jsonText(found) };
	}
	return null;
}
