/**
 * Goal: events keep order, time and origin, late subscribers get a bounded past, and JSON lines lose nothing silently.
 * Method: a scripted clock, and a stream whose reader is held back.
 */
import { Writable } from "node:stream";
import { of, Subject, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { logGap } from "../../../runtime/storage/index.ts";
import { EventLog, JSON_LINES_PENDING_BYTES_MAX, jsonLine, writeJsonLines } from "../../../runtime/telemetry/index.ts";

/** A stream that finishes no write until `release`. */
function heldStream(): { readonly stream: Writable; readonly lines: () => unknown[]; release(): void } {
	let text = "";
	let held = true;
	const waiting: (() => void)[] = [];
	const stream = new Writable({
		write: (chunk: Buffer, _encoding, done) => {
			text += chunk.toString();
			if (held) waiting.push(done);
			else done();
		},
	});
	const lines = (): unknown[] =>
		text
			.split("\n")
			.filter((line) => line !== "")
			.map((line) => JSON.parse(line) as unknown);
	const release = (): void => {
		held = false;
		for (const done of waiting.splice(0)) done();
	};
	return { stream, lines, release };
}

describe("an event log", () => {
	it("numbers events, stamps them and replays the last ones to late subscribers", () => {
		let nowMs = 0;
		const log = new EventLog<{ readonly type: string; readonly n: number }>({ nowMs: () => nowMs, replay: 2 });
		for (let n = 1; n <= 3; n++) {
			nowMs = n * 10;
			log.record("raft/node-1", { type: "counted", n });
		}
		const seen: unknown[] = [];
		let complete = false;
		log.events$.subscribe({ next: (event) => seen.push(event), complete: () => (complete = true) });
		log.record("storage", { type: "counted", n: 4 });
		log.close();
		expect(seen).toEqual([
			{ sequence: 2, atMs: 20, origin: "raft/node-1", event: { type: "counted", n: 2 } },
			{ sequence: 3, atMs: 30, origin: "raft/node-1", event: { type: "counted", n: 3 } },
			{ sequence: 4, atMs: 30, origin: "storage", event: { type: "counted", n: 4 } },
		]);
		expect(complete).toBe(true);
	});

	it("refuses a replay out of range", () => {
		for (const replay of [0, 1.5, 100_001]) {
			expect(() => new EventLog({ nowMs: () => 0, replay })).toThrowError(
				expect.objectContaining({ code: "invalid-argument" }),
			);
		}
	});
});

describe("JSON lines", () => {
	it("write what JSON has no word for", () => {
		const value = {
			map: new Map([["a", 1]]),
			set: new Set([1, 2]),
			bytes: Buffer.from("hi"),
			big: 12n,
			nan: Number.NaN,
			date: new Date(0),
		};
		expect(jsonLine(value)).toBe(
			'{"map":{"a":1},"set":[1,2],"bytes":{"base64":"aGk="},"big":"12","nan":"NaN","date":"1970-01-01T00:00:00.000Z"}\n',
		);
		expect(JSON.parse(jsonLine({ error: logGap({ store: "s", expected: 1, found: 2 }) }))).toMatchObject({
			error: { code: "log-gap", details: { store: "s", expected: 1, found: 2 } },
		});
	});

	it("leave out what a slow reader has no room for, and say how much", () => {
		const { stream, lines, release } = heldStream();
		const values$ = new Subject<unknown>();
		writeJsonLines(values$, stream);
		const large = "x".repeat(JSON_LINES_PENDING_BYTES_MAX);
		values$.next({ large });
		for (let n = 1; n <= 5; n++) values$.next({ n });
		release();
		values$.next({ n: 6 });
		expect(lines().slice(1)).toEqual([{ type: "lines-left-out", count: 5 }, { n: 6 }]);
	});

	it("end with what was left out, and with why the values ended", () => {
		const failing = heldStream();
		failing.release();
		writeJsonLines(
			throwError(() => new Error("no more")),
			failing.stream,
		);
		expect(failing.lines()).toMatchObject([{ type: "stream-failed", error: { message: "no more" } }]);
		const ending = heldStream();
		ending.release();
		writeJsonLines(of(1, 2), ending.stream);
		expect(ending.lines()).toEqual([1, 2]);
	});
});
