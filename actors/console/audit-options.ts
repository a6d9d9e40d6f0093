/** The options of `quorate audit`. */
import { usageErrors } from "./errors.ts";
import { describeOptions, expected, type OptionSpec, type OptionValues, parseCall } from "./option-table.ts";
import { flag, helpOption } from "./shared-options.ts";

export interface AuditOptions {
	/** A file, or `-` for standard input. */
	readonly file: string;
	/** The author's raw Ed25519 key. */
	readonly key: Uint8Array;
	/** A head that is known from elsewhere: sequence and digest. */
	readonly head: { readonly sequence: number; readonly digest: Uint8Array } | null;
	readonly json: boolean;
}

const COMMAND = "quorate audit verify";
const HEX_DIGITS = 64;

const options = {
	key: {
		value: "HEX",
		help: "the author's Ed25519 public key, 64 hex digits (needed)",
		fallback: null,
		parse: (text) => hexOf(text),
	} satisfies OptionSpec<Uint8Array | null>,
	head: {
		value: "NUMBER:HEX",
		help: "a head known from elsewhere, its record's number and digest:\nthe log must hold it",
		fallback: null,
		parse: (text) => headOf(text),
	} satisfies OptionSpec<AuditOptions["head"]>,
	json: flag("print the verdict as one JSON object, nothing else"),
	help: helpOption,
};

/**
 * What `quorate audit` was asked to do; null for its help.
 * @throws QuorateError as `parseCall`, and `unknown-command`, `missing-operand`, `missing-value`, `unexpected-argument`
 */
export function parseAuditOptions(args: readonly string[]): AuditOptions | null {
	const call: { readonly values: OptionValues<typeof options>; readonly operands: readonly string[] } = parseCall(
		options,
		args,
		COMMAND,
	);
	const { key, head, json, help } = call.values;
	if (help) return null;
	const [verb, file, stray] = call.operands;
	if (verb === undefined)
		throw usageErrors.missingOperand({ command: "quorate audit", expected: "what to do: verify" });
	if (verb !== "verify") {
		const command = `audit ${verb}`;
		throw usageErrors.unknownCommand({ command, suggestion: "audit verify", parent: "quorate audit" });
	}
	if (file === undefined)
		throw usageErrors.missingOperand({ command: COMMAND, expected: "the file of a log, or - for standard input" });
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command: COMMAND });
	if (key === null) throw usageErrors.missingValue({ option: "--key", expected: "the author's public key in hex" });
	return { file, key, head, json };
}

function hexOf(text: string): Uint8Array {
	if (!isHex(text)) throw expected(`${HEX_DIGITS} hex digits`);
	return Uint8Array.from(Buffer.from(text, "hex"));
}

function isHex(text: string): boolean {
	return text.length === HEX_DIGITS && /^[0-9a-fA-F]+$/.test(text);
}

function headOf(text: string): AuditOptions["head"] {
	const [number = "", digits = ""] = text.split(":");
	if (!/^[1-9][0-9]{0,14}$/.test(number) || !isHex(digits)) {
		throw expected(`a record's number and its digest of ${HEX_DIGITS} hex digits, as 40:9f…`);
	}
	return { sequence: Number(number), digest: hexOf(digits) };
}

/** The text of `quorate audit --help`. */
export function auditHelp(): string {
	return `quorate audit verify: tells whether an audit log is as it was written, and names the first record that is not.

Usage: quorate audit verify FILE --key HEX [options]

FILE holds one JSON record a line, also gzip; - reads standard input. Each record holds the digest of the one before, and
some are signed by the author. A log that was cut off behind its last signed record, or replaced as a whole by its own
author, is only seen with --head.

${describeOptions(options).join("\n")}

Exit code 0 if the log is intact, 1 if it is not and for what can not be read, 2 for a wrong call.
`;
}
