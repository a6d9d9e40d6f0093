/** Transactions in a history: `[["get","x"],["append","y",3]]` is asked, `[["get","x",[1]],["append","y",3]]` answered. */
import { historyErrors } from "./errors.ts";
import { type Json, jsonText, sameJson } from "./json-value.ts";
import type { TransactionStep } from "./operation.ts";

const stepNames: ReadonlySet<string> = new Set(["get", "put", "append", "delete"]);

/**
 * The steps of a transaction as it was invoked.
 * @throws QuorateError `history-line-invalid`
 */
export function stepsAsked(value: Json | undefined, line: number): readonly TransactionStep[] {
	return listOf(value, line).map((step) => {
		if (!Array.isArray(step)) throw invalidStep(step, line);
		const [op, key, written] = step as readonly (Json | undefined)[];
		const isKnown = typeof op === "string" && stepNames.has(op) && typeof key === "string";
		const writes = op === "put" || op === "append";
		if (!isKnown || (writes && written === undefined)) throw invalidStep(step, line);
		return { op: op as TransactionStep["op"], key: key as string, value: writes ? written : undefined };
	});
}

/**
 * The same steps with what their gets have shown.
 * @throws QuorateError `history-line-invalid` if the answer is about other steps
 */
export function stepsAnswered(
	asked: readonly TransactionStep[],
	value: Json | undefined,
	line: number,
): readonly TransactionStep[] {
	const answered = listOf(value, line);
	return asked.map((step, at) => {
		const answer = answered[at];
		const [op, key, shown] = (Array.isArray(answer) ? answer : []) as readonly (Json | undefined)[];
		const isSame = answered.length === asked.length && op === step.op && key === step.key;
		const fits = step.op === "get" ? shown !== undefined : shown === undefined || sameJson(shown, step.value);
		if (!isSame || !fits) {
			throw historyErrors.lineInvalid({
				line,
				key: `value[${at}]`,
				expected: `the step that was invoked, ${step.op} ${JSON.stringify(step.key)}, ${step.op === "get" ? "with what it showed" : "unchanged"}`,
				found: jsonText(answer),
			});
		}
		return step.op === "get" ? { ...step, value: shown } : step;
	});
}

function listOf(value: Json | undefined, line: number): readonly Json[] {
	if (Array.isArray(value)) return value;
	throw historyErrors.lineInvalid({
		line,
		key: "value",
		expected: "the list of a transaction's steps",
		found: jsonText(value),
	});
}

function invalidStep(step: Json, line: number): Error {
	return historyErrors.lineInvalid({
		line,
		key: "value",
		expected: '["get", key], ["put", key, value], ["append", key, value] or ["delete", key]',
		found: jsonText(step),
	});
}
