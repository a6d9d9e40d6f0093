/**
 * Goal: a history is read as it was written, in pieces of any size, and one with a hole or a malformed line is refused by
 * code, with the line and the column or the field. Method: texts cut anywhere, and one bad text for each way to be bad.
 */
import { expect, test } from "vitest";
import { HistoryParser, HistoryRecorder, parseHistory } from "../../../../protocols/verification/index.ts";

const text = `{"t":"invoke","id":7,"client":3,"op":"cas","key":"ä","from":null,"value":[1],"ns":10}
{"t":"invoke","id":8,"client":4,"op":"get","key":"a","ns":10}

{"t":"ok","id":7,"ok":false,"value":2,"ns":12,"node":"n1"}\r
{"t":"info","id":8,"ns":13}
{"t":"invoke","id":1,"client":3,"op":"txn","value":[["get","x"],["append","y",5],["delete","z"]],"ns":14}
{"t":"ok","id":1,"value":[["get","x",[1]],["append","y",5],["delete","z"]],"ns":15}`;

test("every field, in pieces of any size", () => {
	const whole = parseHistory(text);
	expect(whole).toMatchObject({ events: 6, clients: 2 });
	expect(whole.operations).toMatchObject([
		{
			id: 7,
			client: 3,
			op: "cas",
			key: "ä",
			from: null,
			value: [1],
			outcome: "ok",
			accepted: false,
			answer: 2,
			line: 1,
			endLine: 4,
		},
		{ id: 8, outcome: "unknown", begin: 1, end: Number.POSITIVE_INFINITY, beginNs: 10, endNs: 13, endLine: 5 },
		{ id: 1, outcome: "ok", key: "", begin: 4, end: 5 },
	]);
	expect(whole.operations[2]?.steps).toEqual([
		{ op: "get", key: "x", value: [1] },
		{ op: "append", key: "y", value: 5 },
		{ op: "delete", key: "z", value: undefined },
	]);
	for (const size of [1, 3, 50]) {
		const parser = new HistoryParser();
		for (let at = 0; at < text.length; at += size) parser.write(text.slice(at, at + size));
		expect(parser.end()).toEqual(whole);
	}
});

const put = (id: number, client: number, rest = ""): string =>
	`{"t":"invoke","id":${id},"client":${client},"op":"put","key":"a","value":1${rest}}\n`;

test("bad lines are refused with their place", () => {
	const bad: readonly (readonly [text: string, details: object])[] = [
		[`${put(1, 0)}{"t":"ok","id":}`, { code: "history-malformed", line: 2, column: 16, expected: "a JSON value" }],
		[`${put(1, 0)}{"t":"ok","id":1`, { code: "history-malformed", line: 2, found: "the end of the line" }],
		["[1]\n", { code: "history-line-invalid", line: 1, key: "the line", expected: "an object" }],
		['{"t":"end","id":1}', { code: "history-line-invalid", line: 1, key: "t", found: '"end"' }],
		['{"t":"ok","id":-1}', { code: "history-line-invalid", key: "id" }],
		['{"t":"invoke","id":1,"op":"put"}', { code: "history-line-invalid", key: "client", found: "nothing" }],
		['{"t":"invoke","id":1,"client":0}', { code: "history-line-invalid", key: "op" }],
		['{"t":"invoke","id":1,"client":0,"op":"get","key":5}', { code: "history-line-invalid", key: "key" }],
		['{"t":"invoke","id":1,"client":0,"op":"get","ns":1.5}', { code: "history-line-invalid", key: "ns" }],
		[`${put(1, 0)}{"t":"ok","id":1,"ok":"yes"}`, { code: "history-line-invalid", line: 2, key: "ok" }],
		['{"t":"invoke","id":1,"client":0,"op":"txn","value":[["get"]]}', { code: "history-line-invalid", key: "value" }],
		['{"t":"invoke","id":1,"client":0,"op":"txn","value":5}', { code: "history-line-invalid", key: "value" }],
		[
			'{"t":"invoke","id":1,"client":0,"op":"txn","value":[["get","x"]]}\n{"t":"ok","id":1,"value":[["get","y",1]]}',
			{ code: "history-line-invalid", line: 2, key: "value[0]" },
		],
		[
			`{"t":"invoke","id":1,"client":0,"op":"put","value":${"[".repeat(40)}${"]".repeat(40)}}`,
			{ code: "history-line-invalid" },
		],
		['{"t":"ok","id":5}', { code: "history-hole", line: 1, key: "id" }],
		[`${put(1, 0)}{"t":"ok","id":1}\n{"t":"fail","id":1}`, { code: "history-hole", line: 3, key: "id" }],
		[put(1, 0) + put(1, 1), { code: "history-hole", line: 2, key: "id" }],
		[put(1, 0) + put(2, 0), { code: "history-hole", line: 2, key: "client" }],
		[`${put(1, 0)}{"t":"info","id":1}\n${put(2, 0)}`, { code: "history-hole", line: 3, key: "client" }],
		[put(1, 0, ',"ns":5') + put(2, 1, ',"ns":4'), { code: "history-hole", line: 2, key: "ns" }],
	];
	for (const [bytes, { code, ...details }] of bad as readonly (readonly [string, { code: string }])[]) {
		const refused = (): unknown => parseHistory(bytes);
		expect(refused, bytes).toThrow(expect.objectContaining({ code, details: expect.objectContaining(details) }));
	}
});

test("a line of any length is refused before it fills the memory", () => {
	const parser = new HistoryParser();
	const piece = "x".repeat(1 << 20);
	expect(() => {
		for (let i = 0; i < 20; i++) parser.write(piece);
	}).toThrow(expect.objectContaining({ code: "history-line-too-long", details: expect.objectContaining({ line: 1 }) }));
});

test("a program records the same history without a file", () => {
	const recorder = new HistoryRecorder();
	recorder.invoke({ id: 0, client: 0, op: "put", key: "a", value: 1 });
	recorder.ok(0);
	recorder.invoke({ id: 1, client: 0, op: "get", key: "a" });
	recorder.ok(1, { value: 1 });
	expect(recorder.history.operations).toMatchObject([
		{ line: 1, endLine: 2, beginNs: null },
		{ line: 3, endLine: 4, answer: 1 },
	]);
	expect(() => recorder.ok(1)).toThrow(expect.objectContaining({ code: "history-hole" }));
});
