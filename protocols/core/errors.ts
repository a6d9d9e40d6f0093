/**
 * Typed errors: a code plus the values needed to understand it; the text is derived. An error that crosses a
 * thread travels as data and is rebuilt on the other side with code and values intact.
 */

/** The values of an error: plain data, so that they can be printed, logged and sent. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | readonly string[]>>;

/** A {@link QuorateError} as data. */
export interface ErrorObject {
	readonly code: string;
	readonly message: string;
	readonly details: ErrorDetails;
	readonly stack?: string;
	readonly cause?: ErrorObject;
}

/** Every error that Quorate raises on purpose. Compare `code`, never the text. */
export class QuorateError extends Error {
	override readonly name: string = "QuorateError";
	readonly code: string;
	readonly details: ErrorDetails;

	constructor(code: string, message: string, details: ErrorDetails, options?: { cause?: unknown }) {
		super(message, options);
		this.code = code;
		this.details = details;
	}
}

/** Makes one kind of error from its values. */
export type ErrorMaker<Details> = (details: Details, options?: { cause?: unknown }) => QuorateError;

/**
 * Declares a family of errors: code → text from details. Each entry becomes a function that makes the error.
 * @example
 * const { logGap } = defineErrors({ logGap: ["log-gap", (d: { expected: number; found: number }) =>
 *   `the log continues at ${d.found}, not at ${d.expected}`] });
 * throw logGap({ expected: 3, found: 5 });
 */
export function defineErrors<
	// biome-ignore lint/suspicious/noExplicitAny: each entry has details of its own; the mapped type below keeps them
	T extends Record<string, readonly [code: string, text: (details: any) => string]>,
>(table: T): { readonly [K in keyof T]: ErrorMaker<Parameters<T[K][1]>[0]> } {
	const made: Record<string, unknown> = {};
	for (const [key, [code, text]] of Object.entries(table)) {
		made[key] = (details: ErrorDetails, options?: { cause?: unknown }) =>
			new QuorateError(code, text(details), details, options);
	}
	return made as never;
}

/** The depth to which causes travel: a bound, so that a circular cause can not hang a thread. */
const CAUSE_DEPTH_MAX = 8;

/** Any thrown value as data. A value that is no Error becomes code `thrown-value`; a foreign Error `internal`. */
export function errorToObject(thrown: unknown, depth = 0): ErrorObject {
	if (!(thrown instanceof Error)) {
		return { code: "thrown-value", message: String(thrown), details: {} };
	}
	const own = thrown instanceof QuorateError;
	return {
		code: own ? thrown.code : "internal",
		message: thrown.message,
		details: own ? thrown.details : { name: thrown.name },
		...(thrown.stack === undefined ? {} : { stack: thrown.stack }),
		...(thrown.cause === undefined || depth >= CAUSE_DEPTH_MAX
			? {}
			: { cause: errorToObject(thrown.cause, depth + 1) }),
	};
}

/** Rebuilds what {@link errorToObject} made; the stack is the original one. */
export function errorFromObject(object: ErrorObject): QuorateError {
	const options = object.cause === undefined ? undefined : { cause: errorFromObject(object.cause) };
	const error = new QuorateError(object.code, object.message, object.details, options);
	if (object.stack !== undefined) error.stack = object.stack;
	return error;
}

const coreErrors = defineErrors({
	invalidArgument: [
		"invalid-argument",
		(d: { argument: string; expected: string; actual: string }) =>
			`${d.argument}: expected ${d.expected}, got ${d.actual}`,
	],
});

/** An argument is outside what the documentation allows: `{argument, expected, actual}`. */
export const invalidArgument: ErrorMaker<{ argument: string; expected: string; actual: string }> =
	coreErrors.invalidArgument;

/** The value, if it is an integer from `min` to `max`. @throws QuorateError `invalid-argument` */
export function requireInteger(argument: string, value: number, min: number, max: number): number {
	if (Number.isInteger(value) && value >= min && value <= max) return value;
	const expected = `an integer from ${min} to ${max}`;
	throw invalidArgument({ argument, expected, actual: String(value).slice(0, 80) });
}

/** The value, if it is a byte array. @throws QuorateError `invalid-argument` */
export function requireBytes(argument: string, value: Uint8Array): Uint8Array {
	if (value instanceof Uint8Array) return value;
	throw invalidArgument({ argument, expected: "a Uint8Array", actual: value === null ? "null" : typeof value });
}
