/**
 * Goal: every form of input that `run` promises is read, and every broken one is refused by code and place. Method:
 * small files in a temporary directory; the element scanner also gets each text cut at every place, since a stream's
 * chunks end anywhere.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { ELEMENT_LENGTH_MAX, ElementScanner } from "../../../actors/console/element-scanner.ts";
import { generateRecords } from "../../../actors/console/flight-records.ts";
import { readInput } from "../../../actors/console/input.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-input-"));
afterAll(() => rmSync(directory, { recursive: true }));

const flights = [
	{ delay: -5, distance: 793, time: 13.5 },
	{ delay: 0, distance: 293, time: 0 },
];

async function read(content: string | Uint8Array, name = "flights.json"): Promise<unknown[]> {
	const file = join(directory, name);
	writeFileSync(file, content);
	const records = await readInput(file, Readable.from([]), new AbortController().signal);
	return Array.from({ length: records.length }, (_, i) => records.at(i));
}

async function refusal(content: string | Uint8Array): Promise<unknown> {
	return read(content).then(
		() => "read",
		(error) => ({ code: error.code, ...error.details, file: undefined }),
	);
}

test("an array, lines, both compressed, and either with blanks and a byte order mark", async () => {
	const array = JSON.stringify(flights, null, 2);
	const lines = flights.map((flight) => JSON.stringify(flight)).join("\r\n");
	for (const text of [array, lines, ` \n${array}\n`, `${lines}\n\n`, `\uFEFF${array}`]) {
		expect(await read(text)).toEqual(flights);
		expect(await read(gzipSync(text))).toEqual(flights);
	}
});

test("standard input is read in whatever chunks it comes", async () => {
	const bytes = Buffer.from(flights.map((flight) => `${JSON.stringify(flight)}\n`).join(""));
	const chunks = Array.from(bytes, (byte) => Buffer.from([byte]));
	const records = await readInput("-", Readable.from(chunks), new AbortController().signal);
	expect(records.length).toBe(2);
	expect(records.at(1)).toEqual(flights[1]);
});

test("a character that is cut off by the end is refused, and only both bytes of gzip's number mean gzip", async () => {
	const whole = Buffer.from(JSON.stringify(flights));
	expect(await refusal(Buffer.concat([whole, Buffer.of(0xc3)]))).toMatchObject({ code: "input-unreadable" });
	expect(await refusal(Buffer.concat([Buffer.of(0x1f), whole]))).toMatchObject({ code: "input-malformed" });
});

test("negative zero becomes zero, which every wire format keeps", async () => {
	const [record] = (await read('[{"delay":-0,"distance":1,"time":0}]')) as { delay: number }[];
	expect(Object.is(record?.delay, 0)).toBe(true);
});

test("broken JSON is refused with line and column", async () => {
	const good = '{"delay":1,"distance":2,"time":3}';
	const cases: [text: string, line: number, column: number, expected: string, found: string][] = [
		["hello", 1, 1, '"[" (an array) or "{" (one record a line)', '"h"'],
		[`[\n  ${good}\n  ${good}]`, 3, 3, '"," or "]"', '"{"'],
		[`[${good},\n]`, 2, 1, "a JSON value", '"]"'],
		[`[${good}`, 1, 35, '"," or "]"', "the end of the input"],
		["[", 1, 2, 'a JSON value or "]"', "the end of the input"],
		[`[${good}] x`, 1, 37, "the end of the input", '"x"'],
		['[{"delay":1,\n"distance":2x}]', 2, 13, '"," or "}"', '"x"'],
		['[{"delay":1,\n"dist', 2, 6, 'the closing "', "the end of the input"],
		['[{"delay":01}]', 1, 12, '"," or "}"', '"1"'],
		["[{delay:1}]", 1, 3, "a name in quotes", '"d"'],
		["[{]", 1, 3, "a name in quotes", '"]"'],
		[`${good}\n{"delay":1,`, 2, 12, "a name in quotes", "the end of the line"],
		[`${good}\n${good} ${good}`, 2, 35, "the end of the value", '"{"'],
	];
	for (const [text, line, column, expected, found] of cases) {
		expect(await refusal(text), text).toEqual({ code: "input-malformed", line, column, expected, found });
	}
});

test("what is JSON but no flight is refused with the record's number and place", async () => {
	const cases: [element: string, field: string, found: string][] = [
		["7", "the record", "7"],
		["null", "the record", "null"],
		['{"distance":1,"time":1}', "delay", "nothing"],
		['{"delay":"1","distance":1,"time":1}', "delay", '"1"'],
		['{"delay":1e999,"distance":1,"time":1}', "delay", "a number too large to hold"],
		['{"delay":1,"distance":null,"time":1}', "distance", "null"],
		['{"delay":1,"distance":1,"time":24}', "time", "24"],
		['{"delay":1,"distance":1,"time":-0.1}', "time", "-0.1"],
	];
	for (const [element, field, found] of cases) {
		const text = `[\n ${JSON.stringify(flights[0])},\n ${element}]`;
		expect(await refusal(text), element).toMatchObject({
			code: "input-record-invalid",
			line: 3,
			column: 2,
			record: 2,
			field,
			found,
		});
	}
});

test("nothing, too much, or no text", async () => {
	for (const text of ["", " \n", "[]"]) expect(await refusal(text), text).toEqual({ code: "input-empty" });
	expect(await refusal(`["${"x".repeat(ELEMENT_LENGTH_MAX)}"]`)).toMatchObject({ code: "input-too-large" });
	const gzip = gzipSync(JSON.stringify(generateRecords(1_000, 1).at(0)).repeat(100));
	for (const bytes of [Buffer.from([0x5b, 0xff]), gzip.subarray(0, 40), Buffer.concat([gzip.subarray(0, 30), gzip])]) {
		expect(await refusal(bytes)).toMatchObject({ code: "input-unreadable" });
	}
	expect(await refusal(gzip.subarray(0, 2))).toMatchObject({ reason: "its gzip data ends too early" });
});

test("a file that is called gzip and is none", async () => {
	const file = join(directory, "plain.gz");
	writeFileSync(file, Buffer.from([0x80, 0x81, 0x82]));
	await expect(readInput(file, Readable.from([]), new AbortController().signal)).rejects.toMatchObject({
		code: "input-unreadable",
		details: { reason: "it is neither gzip data, as its name says, nor UTF-8 text" },
	});
});

test("a missing file and a directory", async () => {
	const nobody = new AbortController().signal;
	const missing = join(directory, "none.json");
	await expect(readInput(missing, Readable.from([]), nobody)).rejects.toMatchObject({ code: "input-not-found" });
	await expect(readInput(directory, Readable.from([]), nobody)).rejects.toMatchObject({
		code: "input-unreadable",
		details: { reason: "it is a directory" },
	});
});

test("the scanner finds the same values and places wherever the chunks are cut", () => {
	const text = '[ {"a":"]}\\"\\\\,","b":[1,{}]}\n,12.5e3 , "x,\\"]",null,[[]]\n]\n';
	const scan = (cut: number): unknown[] => {
		const seen: unknown[] = [];
		const refuse = (): never => expect.unreachable();
		const scanner = new ElementScanner({
			element: (value, place) => seen.push([value, place.line, place.column]),
			malformed: refuse,
			tooLarge: refuse,
		});
		scanner.write(text.slice(0, cut));
		scanner.write(text.slice(cut));
		scanner.end();
		return seen;
	};
	const whole = scan(0);
	expect(whole).toEqual([
		[{ a: ']}"\\,', b: [1, {}] }, 1, 3],
		[12_500, 2, 2],
		['x,"]', 2, 11],
		[null, 2, 19],
		[[[]], 2, 24],
	]);
	for (let cut = 1; cut < text.length; cut++) expect(scan(cut)).toEqual(whole);
});
