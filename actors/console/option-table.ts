/** The options of a command: one table from which both the parser and the help are made. */
import { parseArgs } from "node:util";
import { QuorateError } from "../../protocols/core/index.ts";
import { nearestName } from "../../supervisors/chaos/index.ts";
import { usageErrors } from "./errors.ts";

/** One option `--name`. `parse` refuses a text by throwing what {@link expected} makes. */
export interface OptionSpec<T> {
	/** How its value is named in the help; null for a flag, which takes none. */
	readonly value: string | null;
	/** One sentence, with the range and the default. */
	readonly help: string;
	readonly fallback: T;
	/** Gets "true" for a flag. */
	readonly parse: (text: string) => T;
}

// biome-ignore lint/suspicious/noExplicitAny: the options of a table have values of different types
export type OptionTable = Readonly<Record<string, OptionSpec<any>>>;
export type OptionValues<Table extends OptionTable> = {
	readonly [K in keyof Table]: Table[K] extends OptionSpec<infer T> ? T : never;
};

/** Says that a value is not what an option takes; {@link parseOptions} adds the option's name. */
export function expected(what: string): Error {
	return new Expectation(what);
}

class Expectation extends Error {}

/**
 * The values of all options: what was given, else the default. Of an option that is given twice the last counts, so
 * that a script's options can be changed by adding others behind them.
 * @param command named in errors
 * @throws QuorateError `unknown-option` with the nearest one there is, `missing-value`, `invalid-value`,
 *   `unexpected-argument`
 */
export function parseOptions<Table extends OptionTable>(
	table: Table,
	args: readonly string[],
	command: string,
): OptionValues<Table> {
	const { values, operands } = parseCall(table, args, command);
	const [stray] = operands;
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command });
	return values;
}

/**
 * The same for a command that also takes operands, such as the name of a file: what belongs to no option.
 * @throws QuorateError `unknown-option`, `missing-value`, `invalid-value`
 */
export function parseCall<Table extends OptionTable>(
	table: Table,
	args: readonly string[],
	command: string,
): { readonly values: OptionValues<Table>; readonly operands: readonly string[] } {
	const names = Object.keys(table);
	const { tokens } = parseArgs({
		args: [...args],
		strict: false,
		tokens: true,
		options: Object.fromEntries(
			names.map((name) => [name, { type: table[name]?.value === null ? "boolean" : "string" } as const]),
		),
	});
	const values: Record<string, unknown> = {};
	const operands: string[] = [];
	for (const name of names) values[name] = table[name]?.fallback;
	for (const token of tokens) {
		if (token.kind === "positional") operands.push(token.value);
		if (token.kind === "option") {
			const spec = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
			if (spec === undefined || token.rawName === `-${token.name}`) {
				const suggestion = nearestName(token.name, names);
				throw usageErrors.unknownOption({
					option: token.rawName,
					suggestion: suggestion === null ? null : `--${suggestion}`,
					command,
				});
			}
			values[token.name] = parsedValue(token.name, spec, token.value);
		}
	}
	return { values: values as OptionValues<Table>, operands };
}

function parsedValue(name: string, spec: OptionSpec<unknown>, text: string | undefined): unknown {
	const option = `--${name}`;
	if (spec.value === null) {
		if (text !== undefined) throw usageErrors.invalidValue({ option, expected: "no value", actual: text });
		return spec.parse("true");
	}
	// Nothing, an empty shell variable, or another option instead of a value: the value was forgotten.
	if (text === undefined || text === "" || text.startsWith("--"))
		throw usageErrors.missingValue({ option, expected: spec.value });
	try {
		return spec.parse(text);
	} catch (thrown) {
		if (thrown instanceof QuorateError || !(thrown instanceof Expectation)) throw thrown;
		throw usageErrors.invalidValue({ option, expected: thrown.message, actual: text });
	}
}

/** The lines of the help about a table's options, in the table's order. */
export function describeOptions(table: OptionTable): string[] {
	const rows = Object.entries(table).map(([name, spec]) => ({
		left: `  --${name}${spec.value === null ? "" : ` ${spec.value}`}`,
		lines: spec.help.split("\n"),
	}));
	const width = Math.max(...rows.map(({ left }) => left.length));
	return rows.flatMap(({ left, lines }) =>
		lines.map((line, number) => `${(number === 0 ? left : "").padEnd(width)}  ${line}`),
	);
}
