/** The errors of the command line. Those about how it was called end it with exit code 2, the others with 1. */
import { defineErrors, type QuorateError } from "../../protocols/core/index.ts";

type ErrorFamily<Details> = {
	readonly [K in keyof Details]: (details: Details[K], options?: { cause?: unknown }) => QuorateError;
};

interface UsageDetails {
	/** `parent` is the command whose help tells what there is: `quorate`, `quorate chaos`. */
	readonly unknownCommand: { command: string; suggestion: string | null; parent: string };
	readonly unknownOption: { option: string; suggestion: string | null; command: string };
	readonly unexpectedArgument: { argument: string; command: string };
	readonly missingValue: { option: string; expected: string };
	readonly invalidValue: { option: string; expected: string; actual: string };
	readonly conflictingOptions: { option: string; other: string; reason: string };
	readonly missingOperand: { command: string; expected: string };
}

export const usageErrors: ErrorFamily<UsageDetails> = defineErrors({
	unknownCommand: [
		"unknown-command",
		(d: UsageDetails["unknownCommand"]) =>
			`there is no command "${d.command}"${didYouMean(d.suggestion)}; see ${d.parent} --help`,
	],
	unknownOption: [
		"unknown-option",
		(d: UsageDetails["unknownOption"]) =>
			`there is no option ${d.option}${didYouMean(d.suggestion)}; see ${d.command} --help`,
	],
	unexpectedArgument: [
		"unexpected-argument",
		(d: UsageDetails["unexpectedArgument"]) => `"${d.argument}" belongs to no option; see ${d.command} --help`,
	],
	missingValue: ["missing-value", (d: UsageDetails["missingValue"]) => `${d.option} needs a value: ${d.expected}`],
	invalidValue: [
		"invalid-value",
		(d: UsageDetails["invalidValue"]) => `${d.option}: expected ${d.expected}, got "${d.actual}"`,
	],
	conflictingOptions: [
		"conflicting-options",
		(d: UsageDetails["conflictingOptions"]) => `${d.option} does not go with ${d.other}: ${d.reason}`,
	],
	missingOperand: [
		"missing-operand",
		(d: UsageDetails["missingOperand"]) => `${d.command} needs ${d.expected}; see ${d.command} --help`,
	],
});

const usageCodes: ReadonlySet<string> = new Set([
	"unknown-command",
	"unknown-option",
	"unexpected-argument",
	"missing-value",
	"invalid-value",
	"conflicting-options",
	"missing-operand",
	"pentest-scenario-unknown",
	"experiment-unreadable",
	"experiment-malformed",
	"experiment-unknown-key",
	"experiment-invalid",
	"experiment-unsupported",
]);

/** Whether an error of this code is about how the command was called. */
export function isUsageError(code: string): boolean {
	return usageCodes.has(code);
}

interface InputDetails {
	readonly inputNotFound: { file: string };
	readonly inputUnreadable: { file: string; reason: string };
	readonly inputEmpty: { file: string };
	readonly inputMalformed: { file: string; line: number; column: number; expected: string; found: string };
	readonly inputRecordInvalid: {
		file: string;
		line: number;
		column: number;
		record: number;
		field: string;
		expected: string;
		found: string;
	};
	readonly inputTooLarge: { file: string; what: string; limit: number };
}

export const inputErrors: ErrorFamily<InputDetails> = defineErrors({
	inputNotFound: ["input-not-found", (d: InputDetails["inputNotFound"]) => `there is no file ${d.file}`],
	inputUnreadable: ["input-unreadable", (d: InputDetails["inputUnreadable"]) => `can not read ${d.file}: ${d.reason}`],
	inputEmpty: ["input-empty", (d: InputDetails["inputEmpty"]) => `${d.file} holds no record`],
	inputMalformed: [
		"input-malformed",
		(d: InputDetails["inputMalformed"]) =>
			`${d.file}, line ${d.line}, column ${d.column}: expected ${d.expected}, found ${d.found}`,
	],
	inputRecordInvalid: [
		"input-record-invalid",
		(d: InputDetails["inputRecordInvalid"]) =>
			`${d.file}, line ${d.line}, column ${d.column}: record ${d.record}: ${d.field}: ` +
			`expected ${d.expected}, found ${d.found}`,
	],
	inputTooLarge: [
		"input-too-large",
		(d: InputDetails["inputTooLarge"]) => `${d.file}: ${d.what} (the limit is ${d.limit})`,
	],
});

interface TraceDetails {
	readonly invalid: { file: string; transaction: number; expected: string; found: string };
}

export const traceErrors: ErrorFamily<TraceDetails> = defineErrors({
	invalid: [
		"trace-invalid",
		(d: TraceDetails["invalid"]) =>
			`${d.file}${d.transaction === 0 ? "" : `, transaction ${d.transaction}`}: expected ${d.expected}, found ${d.found}`,
	],
});

interface ExperimentDetails {
	readonly unreadable: { file: string; reason: string };
	readonly nothingToShrink: { seed: number; verdict: string };
	readonly unwritable: { file: string; reason: string };
}

export const experimentErrors: ErrorFamily<ExperimentDetails> = defineErrors({
	unreadable: ["experiment-unreadable", (d: ExperimentDetails["unreadable"]) => `can not read ${d.file}: ${d.reason}`],
	nothingToShrink: [
		"nothing-to-shrink",
		(d: ExperimentDetails["nothingToShrink"]) => `seed ${d.seed} violates nothing: its verdict is ${d.verdict}`,
	],
	unwritable: ["report-unwritable", (d: ExperimentDetails["unwritable"]) => `can not write ${d.file}: ${d.reason}`],
});

interface HistoryFileDetails {
	readonly empty: { file: string };
}

export const historyFileErrors: ErrorFamily<HistoryFileDetails> = defineErrors({
	empty: ["history-empty", (d: HistoryFileDetails["empty"]) => `${d.file} holds no operation`],
});

interface RunDetails {
	readonly evidenceUnwritable: { file: string; reason: string };
	readonly historyUnwritable: { file: string; reason: string };
	readonly loadFailed: { failed: number; reason: string };
	readonly passphraseUnreadable: { file: string; reason: string };
	readonly loadStalled: { seconds: number; outstanding: number };
}

export const runErrors: ErrorFamily<RunDetails> = defineErrors({
	evidenceUnwritable: [
		"evidence-unwritable",
		(d: RunDetails["evidenceUnwritable"]) => `can not write the evidence to ${d.file}: ${d.reason}`,
	],
	historyUnwritable: [
		"history-unwritable",
		(d: RunDetails["historyUnwritable"]) => `can not write the history to ${d.file}: ${d.reason}`,
	],
	loadFailed: [
		"load-failed",
		(d: RunDetails["loadFailed"]) => `${d.failed} operations failed, the last with: ${d.reason}`,
	],
	passphraseUnreadable: [
		"passphrase-unreadable",
		(d: RunDetails["passphraseUnreadable"]) => `can not read the passphrase from ${d.file}: ${d.reason}`,
	],
	loadStalled: [
		"load-stalled",
		(d: RunDetails["loadStalled"]) =>
			`no operation completed for ${d.seconds} s while ${d.outstanding} were outstanding`,
	],
});

function didYouMean(suggestion: string | null): string {
	return suggestion === null ? "" : ` (did you mean ${suggestion}?)`;
}
