/** Histories of an object that is linearizable by construction, and what becomes of them when an answer is changed. */
import type { Generator } from "../../../../protocols/core/index.ts";
import {
	type History,
	HistoryRecorder,
	type Invocation,
	type Json,
	type Operation,
} from "../../../../protocols/verification/index.ts";
import { initial, type Objects, objects } from "./oracle.ts";

export interface Shape {
	/** Whose operations: a name of the oracle. */
	readonly object: string;
	readonly operations: number;
	readonly clients: number;
	/** The next call; `serial` is a number that no other call gets. */
	readonly call: (
		generator: Generator,
		serial: number,
		operations: readonly Operation[],
	) => Omit<Invocation, "id" | "client">;
	/** Of 100 operations so many end with `info` or `fail`. */
	readonly uncertain: number;
}

interface Open {
	readonly id: number;
	readonly operation: Operation;
	/** Undefined until it has taken effect. */
	answer: { readonly value?: Json | undefined; readonly ok?: boolean } | undefined;
	readonly isLost: boolean;
}

/**
 * Lets clients call at random; each call takes effect at a random moment before its end. An operation of unknown outcome
 * may take effect long after its `info`, or never.
 */
export function generateHistory(
	generator: Generator,
	{ object, operations, clients, call, uncertain }: Shape,
): History {
	const step = objects[object] as Objects;
	const recorder = new HistoryRecorder();
	let state = initial[object] as Json;
	let [begun, nextClient] = [0, clients];
	const open = new Map<number, Open>();
	const adrift: Open[] = [];
	const numbers = Array.from({ length: clients }, (_, i) => i);
	const takeEffect = (own: Open): void => {
		const choices = step(state, own.operation);
		const chosen = choices[generator.below(Math.min(choices.length, 2))]!;
		state = chosen.state;
		own.answer = chosen.answer;
	};
	while (begun < operations || open.size > 0) {
		if (adrift.length > 0 && generator.chance(0.1)) takeEffect(adrift.splice(generator.below(adrift.length), 1)[0]!);
		const slot = generator.below(numbers.length);
		const client = numbers[slot]!;
		const own = open.get(client);
		if (own === undefined) {
			if (begun === operations) continue;
			const id = begun++;
			recorder.invoke({ id, client, ...call(generator, id, recorder.history.operations) });
			const operation = recorder.history.operations.at(-1)!;
			open.set(client, { id, operation, answer: undefined, isLost: generator.below(100) < uncertain });
		} else if (own.isLost) {
			open.delete(client);
			if (generator.chance(0.3)) {
				recorder.fail(own.id);
				continue;
			}
			recorder.info(own.id);
			numbers[slot] = nextClient++;
			adrift.push(own);
		} else if (own.answer === undefined) {
			takeEffect(own);
		} else {
			open.delete(client);
			recorder.ok(own.id, answerOf(own));
		}
	}
	return recorder.history;
}

function answerOf({ answer, operation }: Open): { value?: Json; ok?: boolean } {
	const { value, ok } = answer ?? {};
	if (operation.steps !== null) {
		const shown = value as readonly Json[];
		return {
			value: operation.steps.map(({ op, key, value: written }, at) =>
				op === "get" ? [op, key, shown[at] ?? null] : op === "delete" ? [op, key] : [op, key, written ?? null],
			),
		};
	}
	return { ...(value === undefined ? {} : { value }), ...(ok === undefined ? {} : { ok }) };
}

/** The history with the answer of one operation replaced by that of another one of its kind, or turned round. */
export function changeAnswer(generator: Generator, history: History): History {
	const candidates = history.operations.filter(
		({ outcome, answer, accepted }) => outcome === "ok" && (answer !== undefined || accepted !== undefined),
	);
	if (candidates.length === 0) return history;
	const victim = generator.pick(candidates);
	const other = generator.pick(candidates.filter(({ op }) => op === victim.op));
	const operations = history.operations.map((operation): Operation => {
		if (operation !== victim) return operation;
		if (operation.steps !== null) return { ...operation, steps: changedSteps(generator, operation, history) };
		if (victim.op === "acquire") return { ...operation, accepted: true, answer: 1 + generator.below(3) };
		if (victim.accepted !== undefined) return { ...operation, accepted: !victim.accepted };
		return { ...operation, answer: changedValue(generator, other.answer) };
	});
	return { ...history, operations };
}

function changedSteps(generator: Generator, { steps }: Operation, { operations }: History): Operation["steps"] {
	const gets = operations.flatMap(
		(operation) => operation.steps?.filter(({ op, value }) => op === "get" && value !== undefined) ?? [],
	);
	return (
		steps?.map((step) => {
			if (step.op !== "get" || generator.chance(0.4)) return step;
			const others = gets.filter(({ key }) => key === step.key);
			return others.length === 0 ? step : { ...step, value: changedValue(generator, generator.pick(others).value) };
		}) ?? null
	);
}

function changedValue(generator: Generator, value: Json | undefined): Json {
	if (Array.isArray(value)) {
		const list = [...(value as readonly Json[])];
		if (generator.chance(0.5)) list.pop();
		else if (list.length > 1) [list[0], list[1]] = [list[1]!, list[0]!];
		return list;
	}
	return typeof value === "number" && generator.chance(0.5) ? value + 1 : (value ?? null);
}
