/**
 * Reads the records of a run: from a file of JSON (one array, or one record a line), plain or compressed by gzip, or
 * from standard input. What is not readable, not JSON or not a flight is refused with its place.
 */
import { createReadStream } from "node:fs";
import { addAbortSignal, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { QuorateError } from "../../protocols/core/index.ts";
import { ElementScanner, type Place } from "./element-scanner.ts";
import { inputErrors } from "./errors.ts";
import { HOURS } from "./flight-ledger.ts";
import { FlightRecords, RECORDS_MAX } from "./flight-records.ts";

/** The name under which `-`, standard input, appears in messages. */
const STANDARD_INPUT = "standard input";

/**
 * Reads all records of `path`; `-` is `standardInput`.
 * @throws QuorateError `input-not-found`, `input-unreadable`, `input-empty`, `input-malformed`, `input-record-invalid`,
 *   `input-too-large`; an AbortError once `signal` is aborted
 */
export async function readInput(path: string, standardInput: Readable, signal: AbortSignal): Promise<FlightRecords> {
	const file = path === "-" ? STANDARD_INPUT : path;
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
	const source = addAbortSignal(signal, path === "-" ? standardInput : createReadStream(path));
	try {
		const decoder = new TextDecoder("utf-8", { fatal: true });
		for await (const chunk of decompressed(source)) scanner.write(decoder.decode(chunk, { stream: true }));
		scanner.write(decoder.decode());
		scanner.end();
	} catch (thrown) {
		if (thrown instanceof QuorateError || signal.aborted) throw thrown;
		throw unreadable(file, thrown, path.endsWith(".gz"));
	}
	if (records.length === 0) throw inputErrors.inputEmpty({ file });
	return records;
}

/** The bytes of a stream; if they begin with gzip's magic number, what they decompress to. */
async function* decompressed(source: Readable): AsyncGenerator<Uint8Array> {
	const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	let head: Uint8Array = new Uint8Array(0);
	while (head.length < 2) {
		const next = await chunks.next();
		if (next.done === true) break;
		head = Buffer.concat([head, next.value]);
	}
	const all = restored(head, chunks);
	if (head[0] !== 0x1f || head[1] !== 0x8b) {
		yield* all;
		return;
	}
	const gunzip = createGunzip();
	// An error on either side destroys both; the iteration below rejects with it, so the callback has nothing to add.
	pipeline(Readable.from(all), gunzip, () => undefined);
	yield* gunzip;
}

async function* restored(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
	if (head.length > 0) yield head;
	for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function unreadable(file: string, thrown: unknown, isNamedGzip: boolean): QuorateError {
	const { code, message } = thrown as NodeJS.ErrnoException;
	if (code === "ENOENT") return inputErrors.inputNotFound({ file });
	const reasons: Readonly<Record<string, string>> = {
		EISDIR: "it is a directory",
		EACCES: "permission denied",
		ERR_ENCODING_INVALID_ENCODED_DATA: isNamedGzip
			? "it is neither gzip data, as its name says, nor UTF-8 text"
			: "it is not UTF-8 text",
		Z_DATA_ERROR: `its gzip data is damaged (${message})`,
		Z_BUF_ERROR: "its gzip data ends too early",
	};
	return inputErrors.inputUnreadable({ file, reason: reasons[code ?? ""] ?? message }, { cause: thrown });
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
