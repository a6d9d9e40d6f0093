/**
 * Assertions are for our bugs, typed errors for the world's. They stay on in production: a participant that has
 * broken its own invariant must stop, not go on. One condition each.
 */

/** A broken invariant: always a bug of ours. */
export class AssertionError extends Error {
	override readonly name: string = "AssertionError";
}

/**
 * Throws unless `condition` holds. `context` is only read on failure, so it costs nothing on the way.
 * @throws AssertionError
 */
export function assert(
	condition: boolean,
	invariant: string,
	context?: Readonly<Record<string, unknown>>,
): asserts condition {
	if (!condition) fail(invariant, context);
}

/** Ends an exhaustive `switch`: the compiler proves that nothing is left, and this refuses what got there anyhow. */
export function assertNever(value: never, what: string): never {
	return fail(`unexpected ${what}: ${describe(value)}`);
}

/**
 * The value, when it must exist.
 * @throws AssertionError if it is `undefined`
 */
export function must<T>(value: T | undefined, invariant: string): T {
	if (value === undefined) fail(invariant);
	return value;
}

function fail(invariant: string, context?: Readonly<Record<string, unknown>>): never {
	const values = context === undefined ? "" : ` (${describe(context)})`;
	throw new AssertionError(`invariant broken: ${invariant}${values}`);
}

function describe(value: unknown): string {
	try {
		return JSON.stringify(value) ?? String(value);
	} catch {
		// A value that can not be printed must not hide the broken invariant.
		return Object.prototype.toString.call(value);
	}
}
