/** The typed errors of `runtime/simulation`. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

interface FormatDetails {
	readonly expected: string;
	readonly found: string;
}
interface ProblemDetails {
	readonly problem: string;
}
interface GlobalDetails {
	/** What was called, such as `Date.now`. */
	readonly function: string;
	readonly thread: string;
	/** Slot and number, as `addressText` writes them. */
	readonly actor: string;
	/** What its handler was at work on, such as `tell append-entries` or `timer protocol/election`. */
	readonly handler: string;
}
interface LengthDetails {
	readonly lengthBytes: number;
}
interface NotApplicableDetails {
	readonly kind: string;
	/** The thread or store. */
	readonly target: string;
	readonly problem: string;
}
interface FaultDetails {
	readonly kind: string;
	readonly argument: string;
	readonly expected: string;
	readonly actual: string;
}

const errors = defineErrors({
	decisionLogFormat: [
		"decision-log-format",
		(d: FormatDetails) => `the decision log has format ${d.found}; this version reads ${d.expected}`,
	],
	decisionLogInvalid: ["decision-log-invalid", (d: ProblemDetails) => `the decision log can not be read: ${d.problem}`],
	decisionLogTooLong: [
		"decision-log-too-long",
		(d: { readonly limit: number }) => `a run made more than ${d.limit} decisions; record a shorter one`,
	],
	hiddenNondeterminism: [
		"hidden-nondeterminism",
		(d: GlobalDetails) =>
			`${d.function} was called by actor ${d.actor} on ${d.thread} (${d.handler}): its result is not decided by the seed`,
	],
	damagedOnTheWay: [
		"message-damaged",
		(d: LengthDetails) => `${d.lengthBytes} bytes do not fit the checksum of their link`,
	],
	injectedFailure: [
		"injected-failure",
		(d: { readonly thread: string; readonly actor: number }) =>
			`actor ${d.actor} on ${d.thread} fails because it is told to`,
	],
	faultNotApplicable: [
		"fault-not-applicable",
		(d: NotApplicableDetails) => `fault ${d.kind} of ${d.target}: ${d.problem}`,
	],
	faultInvalid: [
		"fault-invalid",
		(d: FaultDetails) => `fault ${d.kind}, ${d.argument}: expected ${d.expected}, got ${d.actual}`,
	],
});

/** The log is of another version of the format: `{expected, found}`. */
export const decisionLogFormat: ErrorMaker<FormatDetails> = errors.decisionLogFormat;
/** The log is damaged: `{problem}`. */
export const decisionLogInvalid: ErrorMaker<ProblemDetails> = errors.decisionLogInvalid;
/** More decisions than a log holds: `{limit}`. */
export const decisionLogTooLong: ErrorMaker<{ readonly limit: number }> = errors.decisionLogTooLong;
/** An actor has asked the real world for something: `{function, thread, actor, handler}`. */
export const hiddenNondeterminism: ErrorMaker<GlobalDetails> = errors.hiddenNondeterminism;
/** A fault's argument is out of range: `{kind, argument, expected, actual}`. */
export const faultInvalid: ErrorMaker<FaultDetails> = errors.faultInvalid;
/** A message was corrupted on its way: `{lengthBytes}`. The cause of a dead letter `undecodable`. */
export const damagedOnTheWay: ErrorMaker<LengthDetails> = errors.damagedOnTheWay;
/** A fault makes no sense now: `{kind, target, problem}`. */
export const faultNotApplicable: ErrorMaker<NotApplicableDetails> = errors.faultNotApplicable;
/** An actor has failed by a fault: `{thread, actor}`. */
export const injectedFailure: ErrorMaker<{ readonly thread: string; readonly actor: number }> = errors.injectedFailure;
