/** Checks of what the user handed in, which plain JavaScript lets be anything. */
import { invalidArgument } from "../../protocols/core/index.ts";
import { optionUnknown } from "./errors.ts";

/**
 * What was given, if it is an object with no other options than these: a misspelt one must not silently mean its default.
 * @param where before the names of its options, such as `raft.`; empty for the outermost
 * @throws QuorateError `invalid-argument`, `option-unknown`
 */
export function requireOptions<T extends object>(where: string, given: T, known: readonly string[]): T {
	if (typeof given !== "object" || given === null || Array.isArray(given)) {
		const argument = where === "" ? "options" : where.slice(0, -1);
		throw refused(argument, `an object with ${known.join(", ")}`, given);
	}
	for (const name of Object.keys(given)) {
		if (!known.includes(name)) throw optionUnknown({ option: `${where}${name}`, known });
	}
	return given;
}

/** `invalid-argument` with the value as its user wrote it. */
export function refused(argument: string, expected: string, actual: unknown): Error {
	return invalidArgument({ argument, expected, actual: described(actual) });
}

/** A value as its user wrote it, in few characters. */
export function described(value: unknown): string {
	if (typeof value === "function") return "a function";
	if (typeof value === "string") return JSON.stringify(value.slice(0, 80));
	if (Array.isArray(value))
		return value.length === 0 ? "an empty list" : `[${value.map(described).join(", ")}]`.slice(0, 200);
	return String(value).slice(0, 80);
}
