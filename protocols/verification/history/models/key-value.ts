/** A key-value store with lists, compare-and-set and transactions; and the registers, which are parts of it. */
import type { Json } from "../json-value.ts";
import {
	anyValue,
	type Model,
	type OperationRule,
	optionalNumber,
	optionalValue,
	refuseByRules,
	yesOrNo,
} from "../model.ts";
import type { Operation, TransactionStep } from "../operation.ts";
import { foreseeStore } from "./store-foresight.ts";
import {
	appendedTo,
	cellFrom,
	cellOf,
	describeStore,
	emptyStore,
	reads,
	type StoreState,
	sameStore,
	withCell,
} from "./store-state.ts";

type Rules = Readonly<Record<string, OperationRule>>;
const registerRules: Rules = { put: { value: anyValue, answer: optionalValue }, get: { answer: anyValue } };
const casRegisterRules: Rules = {
	...registerRules,
	cas: { value: anyValue, from: anyValue, accepted: yesOrNo, answer: optionalValue },
};
const rules: Rules = {
	...casRegisterRules,
	append: { value: anyValue, answer: optionalNumber },
	delete: { answer: optionalValue },
	txn: { value: anyValue, answer: anyValue },
};

/**
 * - `put` writes `value`, `delete` removes; a `value` in their answer is the former one, null for none.
 * - `get` answers the value; null for none. A key without a value also reads as the empty list.
 * - `append` adds `value` to the end of the list under the key, where nothing is an empty list; a `value` in its answer is
 *   the list's new length. To anything but a list nothing can be appended: such a call can only have failed.
 * - `cas` writes `value` if the present value is `from` (null: there is none), and answers `ok` true; else false.
 * - `txn` performs its steps (get, put, append, delete) all at once.
 *
 * A value of null is no value.
 */
export const keyValueModel: Model<StoreState> = {
	name: "kv",
	initial: emptyStore,
	step: (state: StoreState, operation: Operation) =>
		operation.steps === null ? stepOne(state, operation) : stepAll(state, operation.steps),
	isPure: ({ op, accepted, steps }) =>
		op === "get" || (op === "cas" && accepted === false) || (steps?.every((step) => step.op === "get") ?? false),
	hash: ({ hash }) => hash,
	equal: sameStore,
	describe: describeStore,
	refuse: (operation) => refuseByRules(rules, operation),
	foresee: foreseeStore,
};

/** `put` writes, `get` answers the value that was written last; null before the first. */
export const registerModel: Model<StoreState> = {
	...keyValueModel,
	name: "register",
	refuse: (operation) => refuseByRules(registerRules, operation),
};

/** A register with `cas`, as in {@link keyValueModel}. */
export const casRegisterModel: Model<StoreState> = {
	...keyValueModel,
	name: "cas-register",
	refuse: (operation) => refuseByRules(casRegisterRules, operation),
};

function stepOne(state: StoreState, operation: Operation): StoreState | undefined {
	const { op, key, value, from, outcome, answer, accepted } = operation;
	const cell = cellOf(state, key);
	switch (op) {
		case "get":
			return outcome !== "ok" || reads(cell, answer as Json) ? state : undefined;
		case "append": {
			const next = appendedTo(cell, value as Json);
			if (next === null) return outcome === "ok" ? undefined : state;
			return answer === undefined || answer === next.list.length ? withCell(state, key, next) : undefined;
		}
		case "cas": {
			if (answer !== undefined && !reads(cell, answer)) return undefined;
			const isSwapped = reads(cell, from as Json);
			if (outcome === "ok" && accepted !== isSwapped) return undefined;
			return isSwapped ? withCell(state, key, cellFrom(value as Json)) : state;
		}
		default:
			if (answer !== undefined && !reads(cell, answer)) return undefined;
			return withCell(state, key, op === "put" ? cellFrom(value as Json) : undefined);
	}
}

function stepAll(state: StoreState, steps: readonly TransactionStep[]): StoreState | undefined {
	let next = state;
	for (const { op, key, value } of steps) {
		const cell = cellOf(next, key);
		if (op === "get") {
			if (value !== undefined && !reads(cell, value)) return undefined;
		} else if (op === "append") {
			const longer = appendedTo(cell, value as Json);
			if (longer === null) return undefined;
			next = withCell(next, key, longer);
		} else {
			next = withCell(next, key, op === "put" ? cellFrom(value as Json) : undefined);
		}
	}
	return next;
}
