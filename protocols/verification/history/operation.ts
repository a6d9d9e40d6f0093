/** One operation of a client on what is judged: what it asked, when, and what it was answered. */
import { type Json, jsonText } from "./json-value.ts";

/**
 * - `ok`: answered;
 * - `fail`: certainly without effect;
 * - `unknown`: nobody knows. It may take effect at any time after its invocation, or never.
 */
export type Outcome = "ok" | "fail" | "unknown";

/** One step of a transaction (`op` is `txn`): all of its steps take effect together. */
export interface TransactionStep {
	readonly op: "get" | "put" | "append" | "delete";
	readonly key: string;
	/** What is written. Of a get: what it showed; undefined while the outcome is not `ok`. */
	readonly value: Json | undefined;
}

export interface Operation {
	/** Unique in its history. */
	readonly id: number;
	readonly client: number;
	/** What was called, in the words of the model: `get`, `put`, `append`, `txn`. */
	readonly op: string;
	/** The object it was called on; empty where a history is about one object only, and of a transaction. */
	readonly key: string;
	readonly value: Json | undefined;
	/** Of a compare-and-set: the value it expects; null for none. */
	readonly from: Json | undefined;
	/** The steps of a transaction; null for any other operation. */
	readonly steps: readonly TransactionStep[] | null;
	readonly outcome: Outcome;
	/** The value it was answered. */
	readonly answer: Json | undefined;
	/** Of an operation that may refuse: whether it did what it was asked. */
	readonly accepted: boolean | undefined;
	/** Position of its invocation among the events of the history. */
	readonly begin: number;
	/** Position of its end; infinite while the outcome is unknown. */
	readonly end: number;
	/** Nanoseconds since the start of the run; null in a history without times. */
	readonly beginNs: number | null;
	readonly endNs: number | null;
	/** Where its invocation and its end stand in the file, from 1. A recorded history counts its events instead. */
	readonly line: number;
	readonly endLine: number | null;
}

/** All keys that an operation touches, each once. */
export function keysOf(operation: Operation): readonly string[] {
	if (operation.steps === null) return [operation.key];
	return [...new Set(operation.steps.map(({ key }) => key))];
}

/** The operation on one line: `get "13" → [1,2] (client 3, line 7 to 9)`. */
export function describeOperation(operation: Operation): string {
	const { client, line, endLine } = operation;
	const lines = endLine === null ? `line ${line}, no known end` : `line ${line} to ${endLine}`;
	return `${describeCallAndAnswer(operation)} (client ${client}, ${lines})`;
}

/** The same without who and where: `get "13" → [1,2]`. */
export function describeCallAndAnswer(operation: Operation): string {
	return `${describeCall(operation)} → ${describeAnswer(operation)}`;
}

function describeCall({ op, key, value, from, steps }: Operation): string {
	if (steps !== null) {
		const parts = steps.map((step) => {
			const shown = step.value === undefined ? "" : ` ${jsonText(step.value)}`;
			return `${step.op} ${JSON.stringify(step.key)}${shown}`;
		});
		return `${op} [${parts.join("; ")}]`;
	}
	const parts = [op];
	if (key !== "") parts.push(JSON.stringify(key));
	if (from !== undefined) parts.push(`from ${jsonText(from)} to`);
	if (value !== undefined) parts.push(jsonText(value));
	return parts.join(" ");
}

function describeAnswer({ outcome, answer, accepted, steps }: Operation): string {
	if (outcome !== "ok") return outcome;
	const parts: string[] = [];
	if (accepted !== undefined) parts.push(accepted ? "done" : "refused");
	if (answer !== undefined && steps === null) parts.push(jsonText(answer));
	return parts.length === 0 ? "ok" : parts.join(" ");
}
