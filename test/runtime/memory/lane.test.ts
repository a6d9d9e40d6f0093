/**
 * Goal: a lane is a bounded queue of bytes whose space is given back only when asked.
 * Method: random commands against the pair of writer and reader, with a plain array as the model; plus the edges by hand.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	createLane,
	deadlineAfter,
	isPastDeadline,
	LANE_FULL,
	LANE_TOO_LARGE,
	LaneReader,
	LaneWriter,
	laneStatus,
	RecordHeader,
	recordKinds,
} from "../../../runtime/memory/index.ts";
import { LANE_HEADER_BYTES, laneWords } from "../../../runtime/memory/lane-layout.ts";

const CAPACITY = 4096;

function newLane(startPosition = 0): SharedArrayBuffer {
	const lane = createLane({ id: 1, producer: 2, consumer: 3, capacityBytes: CAPACITY });
	const header = new Int32Array(lane, 0, LANE_HEADER_BYTES / 4);
	header[laneWords.tail] = startPosition;
	header[laneWords.head] = startPosition;
	return lane;
}

/** A payload that says which it is in every byte, so that any tear shows. */
function payloadOf(serial: number, sizeBytes: number): Uint8Array {
	return new Uint8Array(sizeBytes).map((_, i) => serial * 31 + i);
}

function headerOf(serial: number): RecordHeader {
	const header = new RecordHeader();
	header.kind = recordKinds.ask;
	header.flags = serial & 0xff;
	header.schema = serial & 0xffff;
	header.target = serial;
	header.targetIncarnation = -serial;
	header.sender = serial * 7;
	header.senderIncarnation = serial + 1;
	header.correlation = serial ^ 0x55;
	header.deadlineMs = serial * 3;
	return header;
}

type Command =
	| { readonly do: "append"; readonly sizeBytes: number }
	| { readonly do: "publish" }
	| { readonly do: "drain"; readonly recordsMax: number; readonly bytesMax: number; readonly leaveAt: number }
	| { readonly do: "free"; readonly keep: number }
	| { readonly do: "replace-reader" }
	| { readonly do: "replace-writer" };

const commands: fc.Arbitrary<Command[]> = fc.array(
	fc.oneof(
		{ weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), sizeBytes: fc.nat(1952) }) },
		{ weight: 6, arbitrary: fc.record({ do: fc.constant("append" as const), sizeBytes: fc.nat(90) }) },
		{ weight: 4, arbitrary: fc.constant({ do: "publish" as const }) },
		{
			weight: 4,
			arbitrary: fc.record({
				do: fc.constant("drain" as const),
				recordsMax: fc.integer({ min: 1, max: 40 }),
				bytesMax: fc.integer({ min: 1, max: 5000 }),
				leaveAt: fc.nat(20),
			}),
		},
		{ weight: 4, arbitrary: fc.record({ do: fc.constant("free" as const), keep: fc.nat(4) }) },
		{ weight: 1, arbitrary: fc.constant({ do: "replace-reader" as const }) },
		{ weight: 1, arbitrary: fc.constant({ do: "replace-writer" as const }) },
	),
	{ minLength: 1, maxLength: 120 },
);

/** The queue that a lane must equal. */
class Model {
	serial = 0;
	readonly unpublished: { serial: number; sizeBytes: number }[] = [];
	readonly published: { serial: number; sizeBytes: number }[] = [];
	readonly taken: { serial: number; sizeBytes: number; sequence: number }[] = [];
}

function runAgainstModel(list: readonly Command[], startPosition: number): void {
	const lane = newLane(startPosition);
	let writer = new LaneWriter(lane);
	let reader = new LaneReader(lane);
	const model = new Model();
	for (const command of list) {
		switch (command.do) {
			case "append": {
				const serial = ++model.serial;
				const verdict = writer.append(headerOf(serial), payloadOf(serial, command.sizeBytes));
				if (verdict === "ok") model.unpublished.push({ serial, sizeBytes: command.sizeBytes });
				if (model.unpublished.length + model.published.length + model.taken.length === 0) expect(verdict).toBe("ok");
				break;
			}
			case "publish":
				expect(writer.publish()).toBe(writer.sequence !== (reader.taken | 0) && model.unpublished.length > 0);
				model.published.push(...model.unpublished.splice(0));
				break;
			case "drain": {
				let left = command.leaveAt;
				const before = model.published.length;
				const drained = reader.drain(command.recordsMax, command.bytesMax, (header, bytes, start, end) => {
					if (left-- === 0) return "leave";
					const expected = model.published.shift();
					expect(header).toMatchObject({ ...headerOf(expected?.serial ?? -1), producer: 2, ...positions(header) });
					expect(end - start).toBe(expected?.sizeBytes);
					expect(Uint8Array.from(bytes.subarray(start, end))).toEqual(
						payloadOf(expected?.serial ?? -1, expected?.sizeBytes ?? 0),
					);
					if (expected !== undefined) model.taken.push({ ...expected, sequence: header.sequence });
					return "next";
				});
				expect(drained).toBe(before - model.published.length);
				if (before > 0 && command.leaveAt > 0) expect(drained).toBeGreaterThan(0);
				break;
			}
			case "free": {
				const count = Math.max(0, model.taken.length - command.keep);
				const last = model.taken.splice(0, count).at(-1);
				if (last !== undefined) reader.free(last.sequence);
				break;
			}
			case "replace-reader":
				// What was taken and not freed comes again, in order, before the rest.
				reader = new LaneReader(lane);
				model.published.unshift(...model.taken.splice(0));
				break;
			case "replace-writer":
				// What was not published never was.
				writer = new LaneWriter(lane);
				model.unpublished.length = 0;
				break;
		}
		expect(reader.backlog().records).toBe(model.published.length);
	}
}

/** The reader's own fields, which the model does not predict. */
function positions(header: RecordHeader): { position: number; sequence: number; deadlineMs: number } {
	return { position: header.position, sequence: header.sequence, deadlineMs: header.deadlineMs };
}

describe("a lane", () => {
	it("equals a bounded queue, also when either end is replaced", () => {
		fc.assert(
			fc.property(commands, (list) => runAgainstModel(list, 0)),
			{ numRuns: 300 },
		);
	});

	it("equals a bounded queue across the wrap of the 32-bit positions", () => {
		fc.assert(
			fc.property(commands, (list) => runAgainstModel(list, (2 ** 31 - 2048) | 0)),
			{ numRuns: 150 },
		);
		fc.assert(
			fc.property(commands, (list) => runAgainstModel(list, -2048)),
			{ numRuns: 150 },
		);
	});

	it("shows nothing before publish, and all of it after one", () => {
		const lane = newLane();
		const writer = new LaneWriter(lane);
		const reader = new LaneReader(lane);
		for (let serial = 1; serial <= 20; serial++) writer.append(headerOf(serial), payloadOf(serial, 8));
		expect(reader.hasMore).toBe(false);
		expect(reader.drain(100, 10_000, () => "next")).toBe(0);
		writer.publish();
		expect(reader.backlog()).toEqual({ records: 20, bytes: 20 * 40 });
		expect(reader.drain(100, 10_000, () => "next")).toBe(20);
	});

	it("is full until space is freed, not until it is taken", () => {
		const lane = newLane();
		const writer = new LaneWriter(lane);
		const reader = new LaneReader(lane);
		let accepted = 0;
		while (writer.append(headerOf(1), payloadOf(1, 64)) === "ok") accepted++;
		expect(accepted).toBe(Math.floor((CAPACITY - 64) / 96));
		writer.publish();
		expect(reader.drain(1000, CAPACITY, () => "next")).toBe(accepted);
		expect(writer.reserve(64)).toBe(LANE_FULL);
		reader.freeTaken();
		expect(writer.reserve(64)).toBeGreaterThan(0);
		expect(laneStatus(lane)).toMatchObject({
			heldBytes: 0,
			refusals: 2,
			records: accepted,
			highWaterBytes: accepted * 96,
		});
	});

	it("takes a record of half its capacity at every offset, and refuses a larger one", () => {
		for (let offset = 0; offset < CAPACITY; offset += 8) {
			const writer = new LaneWriter(newLane(offset));
			expect(writer.reserve(writer.recordBytesMax - 32)).toBeGreaterThan(0);
			expect(writer.reserve(writer.recordBytesMax - 31)).toBe(LANE_TOO_LARGE);
		}
	});

	it("offers a record again whose receiver threw", () => {
		const lane = newLane();
		const writer = new LaneWriter(lane);
		const reader = new LaneReader(lane);
		for (const serial of [1, 2]) writer.append(headerOf(serial), payloadOf(serial, 8));
		writer.publish();
		const seen: number[] = [];
		const receive = (header: RecordHeader): "next" => {
			if (seen.length === 1) {
				seen.push(-1);
				throw new Error("receiver");
			}
			seen.push(header.target);
			return "next";
		};
		expect(() => reader.drain(10, 1000, receive)).toThrow("receiver");
		expect(reader.drain(10, 1000, receive)).toBe(1);
		expect(seen).toEqual([1, -1, 2]);
	});

	it.each([
		["a length of zero", 0],
		["a negative length", -8],
		["a length beyond what is published", 4000],
	])("refuses %s as corrupt", (_name, length) => {
		const lane = newLane();
		const writer = new LaneWriter(lane);
		writer.append(headerOf(1), payloadOf(1, 8));
		writer.publish();
		new Int32Array(lane, LANE_HEADER_BYTES)[0] = length;
		expect(() => new LaneReader(lane).drain(1, 100, () => "next")).toThrow(
			expect.objectContaining({ code: "lane-corrupt" }),
		);
	});

	it("refuses foreign memory, another codec and impossible capacities", () => {
		expect(() => new LaneWriter(new SharedArrayBuffer(8192))).toThrow(
			expect.objectContaining({ code: "lane-foreign" }),
		);
		const lane = createLane({ id: 1, producer: 0, consumer: 1, fingerprint: 5 });
		expect(() => new LaneReader(lane, { fingerprint: 6 })).toThrow(
			expect.objectContaining({ code: "lane-fingerprint-mismatch", details: { found: 5, expected: 6 } }),
		);
		for (const capacityBytes of [0, 2048, 5000, 2 ** 27, Number.NaN]) {
			expect(() => createLane({ id: 1, producer: 0, consumer: 1, capacityBytes })).toThrow(
				expect.objectContaining({ code: "lane-capacity-invalid" }),
			);
		}
	});
});

describe("a deadline", () => {
	it("is never none, and holds across the wrap of the clock", () => {
		fc.assert(
			fc.property(fc.nat(2 ** 40), fc.nat(2 ** 31 - 2), (nowMs, timeoutMs) => {
				const deadline = deadlineAfter(nowMs, timeoutMs);
				expect(deadline).not.toBe(0);
				expect(isPastDeadline(deadline, nowMs + timeoutMs)).toBe(false);
				expect(isPastDeadline(deadline, nowMs + timeoutMs + 2)).toBe(true);
			}),
		);
		expect(isPastDeadline(0, 1e9)).toBe(false);
	});
});
