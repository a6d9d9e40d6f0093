/** A counter. */
import { type Model, type OperationRule, optionalNumber, refuseByRules, wholeNumber } from "../model.ts";
import type { Operation } from "../operation.ts";

const rules: Readonly<Record<string, OperationRule>> = {
	add: { value: wholeNumber, answer: optionalNumber },
	get: { answer: wholeNumber },
};

/** Begins at 0. `add` adds a whole number, negative ones too; a `value` in its answer is the new sum. `get` answers it. */
export const counterModel: Model<number> = {
	name: "counter",
	initial: 0,
	step: (sum: number, { op, value, answer }: Operation) => {
		const next = op === "add" ? sum + (value as number) : sum;
		return answer === undefined || answer === next ? next : undefined;
	},
	isPure: ({ op }) => op === "get",
	hash: (sum) => sum | 0,
	equal: (a, b) => a === b,
	describe: String,
	refuse: (operation) => refuseByRules(rules, operation),
};
