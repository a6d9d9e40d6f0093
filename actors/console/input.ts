/**
 * Reads the records of a run: from a file of JSON (one array, or one record a line), plain or compressed by gzip, or
 * from standard input. What is not readable, not JSON or not a flight is refused with its place.
 */
import type { Readable } from "node:stream";
import type { QuorateError } from "../../protocols/core/index.ts";
import { ElementScanner, type Place } from "./element-scanner.ts";
import { inputErrors } from "./errors.ts";
import { HOURS } from "./flight-ledger.ts";
import { FlightRecords, RECORDS_MAX } from "./flight-records.ts";
import { readText, sourceName } from "./text-source.ts";

/**
 * Reads all records of `path`; `-` is `standardInput`.
 * @throws QuorateError `input-not-found`, `input-unreadable`, `input-empty`, `input-malformed`, `input-record-invalid`,
 *   `input-too-large`; an AbortError once `signal` is aborted
 */
export async function readInput(path: string, standardInput: Readable, signal: AbortSignal): Promise<FlightRecords> {
	const file = sourceName(path);
	const records = new FlightRecords();
	const scanner = new ElementScanner({
		element: (value, place) => addRecord(records, value, file, place),
		malformed: (place, expected, found) => {
			throw inputErrors.inputMalformed({ file, ...place, expected, found });
		},
		tooLarge: (place, limit) => {
			throw inputErrors.inputTooLarge({ file, what: `the value in line ${place.line} is too long`, limit });
		},
	});
	await readText(path, standardInput, signal, (piece) => scanner.write(piece));
	scanner.end();
	if (records.length === 0) throw inputErrors.inputEmpty({ file });
	return records;
}

function addRecord(records: FlightRecords, value: unknown, file: string, place: Place): void {
	const refuse = (field: string, expected: string, found: unknown): QuorateError =>
		inputErrors.inputRecordInvalid({
			file,
			...place,
			record: records.length + 1,
			field,
			expected,
			found: describe(found),
		});
	if (typeof value !== "object" || value === null || Array.isArray(value)) {
		throw refuse("the record", "an object with delay, distance and time", value);
	}
	const { delay, distance, time } = value as Readonly<Record<string, unknown>>;
	if (typeof delay !== "number" || !Number.isFinite(delay)) throw refuse("delay", "a number", delay);
	if (typeof distance !== "number" || !Number.isFinite(distance)) throw refuse("distance", "a number", distance);
	if (typeof time !== "number" || !(time >= 0 && time < HOURS)) {
		throw refuse("time", `hours, from 0 to below ${HOURS}`, time);
	}
	if (records.length === RECORDS_MAX) {
		throw inputErrors.inputTooLarge({ file, what: "it holds too many records", limit: RECORDS_MAX });
	}
	records.push({ delay, distance, time });
}

function describe(value: unknown): string {
	if (value === undefined) return "nothing";
	// JSON has no limit for numbers, JavaScript has.
	if (typeof value === "number" && !Number.isFinite(value)) return "a number too large to hold";
	const text = JSON.stringify(value);
	return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
