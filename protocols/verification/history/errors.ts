/** What can be wrong about a history before anybody judges it, as typed errors with their place. */
import { defineErrors, type QuorateError } from "../../core/index.ts";

interface HistoryErrorDetails {
	readonly malformed: { line: number; column: number; expected: string; found: string };
	readonly lineInvalid: { line: number; key: string; expected: string; found: string };
	readonly lineTooLong: { line: number; limit: number };
	readonly tooLarge: { line: number; limit: number };
	readonly hole: { line: number; key: string; reason: string };
	readonly operationInvalid: { line: number; model: string; key: string; expected: string; found: string };
	readonly ambiguous: { line: number; model: string; key: string; reason: string };
}

type ErrorFamily<Details> = {
	readonly [K in keyof Details]: (details: Details[K], options?: { cause?: unknown }) => QuorateError;
};

export const historyErrors: ErrorFamily<HistoryErrorDetails> = defineErrors({
	malformed: [
		"history-malformed",
		(d: HistoryErrorDetails["malformed"]) =>
			`line ${d.line}, column ${d.column}: expected ${d.expected}, found ${d.found}`,
	],
	lineInvalid: [
		"history-line-invalid",
		(d: HistoryErrorDetails["lineInvalid"]) => `line ${d.line}: ${d.key}: expected ${d.expected}, found ${d.found}`,
	],
	lineTooLong: [
		"history-line-too-long",
		(d: HistoryErrorDetails["lineTooLong"]) => `line ${d.line} is longer than ${d.limit} characters`,
	],
	tooLarge: [
		"history-too-large",
		(d: HistoryErrorDetails["tooLarge"]) => `line ${d.line}: a history holds at most ${d.limit} operations`,
	],
	hole: ["history-hole", (d: HistoryErrorDetails["hole"]) => `line ${d.line}: ${d.key}: ${d.reason}`],
	operationInvalid: [
		"history-operation-invalid",
		(d: HistoryErrorDetails["operationInvalid"]) =>
			`line ${d.line}: model ${d.model}: ${d.key}: expected ${d.expected}, found ${d.found}`,
	],
	ambiguous: [
		"history-ambiguous",
		(d: HistoryErrorDetails["ambiguous"]) => `line ${d.line}: model ${d.model}: ${d.key}: ${d.reason}`,
	],
});
