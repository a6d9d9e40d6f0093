/**
 * Reads an editing trace: JSON, plain or compressed by gzip, in the form of `josephg/editing-traces`:
 * `{"txns": [{"patches": [[position, deleted, "inserted"], …]}, …]}`.
 */
import type { Readable } from "node:stream";
import { findJsonFault } from "../../protocols/core/index.ts";
import type { Edit } from "../experiment/replicas/index.ts";
import { inputErrors, traceErrors } from "./errors.ts";
import { readText, sourceName } from "./text-source.ts";

/** Characters of a trace. */
const TRACE_LENGTH_MAX = 256 * 1024 * 1024;

/**
 * The patches of all transactions, in order; `-` is `standardInput`.
 * @throws QuorateError `input-not-found`, `input-unreadable`, `input-empty`, `input-malformed`, `input-too-large`,
 *   `trace-invalid`; an AbortError once `signal` is aborted
 */
export async function readTrace(path: string, standardInput: Readable, signal: AbortSignal): Promise<Edit[]> {
	const file = sourceName(path);
	const pieces: string[] = [];
	let length = 0;
	await readText(path, standardInput, signal, (piece) => {
		length += piece.length;
		if (length > TRACE_LENGTH_MAX)
			throw inputErrors.inputTooLarge({ file, what: "the trace is too long", limit: TRACE_LENGTH_MAX });
		pieces.push(piece);
	});
	const { txns } = parse(pieces.join(""), file) as { readonly txns?: unknown };
	if (!Array.isArray(txns)) {
		throw traceErrors.invalid({ file, transaction: 0, expected: "an object with a list txns", found: kindOf(txns) });
	}
	const edits = txns.flatMap((txn: unknown, index) => editsOf(txn, file, index + 1));
	if (edits.length === 0) throw inputErrors.inputEmpty({ file });
	return edits;
}

function parse(text: string, file: string): object {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null ? value : {};
	} catch {
		const fault = findJsonFault(text) ?? { offset: text.length, expected: "a JSON value", found: "another one" };
		const before = text.slice(0, fault.offset).split("\n");
		const { expected, found } = fault;
		const [line, column] = [before.length, (before.at(-1) ?? "").length + 1];
		throw inputErrors.inputMalformed({ file, line, column, expected, found });
	}
}

function editsOf(txn: unknown, file: string, transaction: number): Edit[] {
	const { patches } = Object(txn) as { readonly patches?: unknown };
	if (!Array.isArray(patches))
		throw traceErrors.invalid({ file, transaction, expected: "a list patches", found: kindOf(patches) });
	return patches.map((patch: unknown) => {
		const [position, deleted, inserted] = Array.isArray(patch) ? (patch as unknown[]) : [];
		if (!isCount(position) || !isCount(deleted) || typeof inserted !== "string") {
			const expected = "patches [position, deleted, inserted]: two counts and a text";
			throw traceErrors.invalid({
				file,
				transaction,
				expected,
				found: JSON.stringify(patch)?.slice(0, 60) ?? "nothing",
			});
		}
		return { type: "replace", position, deleted, inserted };
	});
}

function isCount(value: unknown): value is number {
	return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function kindOf(value: unknown): string {
	if (value === undefined) return "nothing";
	return Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
}
