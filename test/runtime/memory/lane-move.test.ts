/**
 * Goal: a lane grows by replacement without losing, doubling or reordering a record, whichever end dies at which
 * moment of the move.
 * Method: moves at every offset of the ring; both ends replaced at each step around the move.
 */
import { describe, expect, it } from "vitest";
import { createLane, LaneReader, LaneWriter, RecordHeader } from "../../../runtime/memory/index.ts";
import { LANE_HEADER_WORDS, laneWords } from "../../../runtime/memory/lane-layout.ts";

const ends = { producer: 1, consumer: 2 };

function lanesFrom(startPosition: number): { first: SharedArrayBuffer; laneOf: (id: number) => SharedArrayBuffer } {
	const lanes = [4096, 8192, 16384].map((capacityBytes, i) => createLane({ ...ends, id: i + 1, capacityBytes }));
	const header = new Int32Array(lanes[0] as SharedArrayBuffer, 0, LANE_HEADER_WORDS);
	header[laneWords.tail] = startPosition;
	header[laneWords.head] = startPosition;
	return { first: lanes[0] as SharedArrayBuffer, laneOf: (id) => lanes[id - 1] as SharedArrayBuffer };
}

function append(writer: LaneWriter, serial: number, sizeBytes = 8): void {
	const header = new RecordHeader();
	header.target = serial;
	expect(writer.append(header, new Uint8Array(sizeBytes).fill(serial))).toBe("ok");
}

function drainAll(reader: LaneReader, seen: number[], freeing = true): void {
	while (
		reader.drain(1, 1, (header) => {
			seen.push(header.target);
			return "next";
		}) > 0
	) {
		if (freeing) reader.freeTaken();
	}
}

describe("moving to another lane", () => {
	it("keeps order and sequences, at every offset of the old ring, full or not", () => {
		for (let offset = 0; offset < 4096; offset += 8) {
			const { first, laneOf } = lanesFrom(offset);
			const writer = new LaneWriter(first, { laneOf });
			const reader = new LaneReader(first, { laneOf });
			const sent: number[] = [];
			const header = new RecordHeader();
			for (let serial = 1; offset % 16 === 0 || serial < 3; serial++) {
				header.target = serial;
				if (writer.append(header, new Uint8Array(serial % 50)) !== "ok") break;
				sent.push(serial);
			}
			const before = writer.sequence;
			writer.moveTo(laneOf(2));
			expect((writer.sequence - before) | 0).toBeGreaterThanOrEqual(32);
			append(writer, 1000);
			writer.publish();
			const seen: number[] = [];
			drainAll(reader, seen);
			expect(seen).toEqual([...sent, 1000]);
			expect(reader.taken).toBe(writer.sequence);
		}
	});

	it("opens the new lane only when the old one is freed, and known", () => {
		const { first, laneOf } = lanesFrom(0);
		const known = new Set<number>();
		const writer = new LaneWriter(first, { laneOf });
		const reader = new LaneReader(first, { laneOf: (id) => (known.has(id) ? laneOf(id) : undefined) });
		append(writer, 1);
		writer.moveTo(laneOf(2));
		append(writer, 2);
		writer.publish();
		const seen: number[] = [];
		const take = (): number =>
			reader.drain(10, 10_000, (header) => {
				seen.push(header.target);
				return "next";
			});
		take();
		expect([seen, reader.awaitsMove, reader.hasMore]).toEqual([[1], true, true]);
		known.add(2);
		take();
		expect([seen, reader.awaitsMove]).toEqual([[1], true]);
		reader.freeTaken();
		take();
		expect([seen, reader.awaitsMove, reader.hasMore]).toEqual([[1, 2], false, false]);
	});

	it("is completed by the next writer when the first died in the middle", () => {
		for (const [name, undo] of [
			["before anything was stored", { finalTail: 0, replacedBy: 0, tail: true }],
			["before replaced-by", { replacedBy: 0, tail: true }],
			["before the moved record was published", { tail: true }],
			["after all of it", {}],
		] as [string, { finalTail?: number; replacedBy?: number; tail?: boolean }][]) {
			const { first, laneOf } = lanesFrom(4072);
			const writer = new LaneWriter(first, { laneOf });
			append(writer, 1);
			writer.publish();
			const header = new Int32Array(first, 0, LANE_HEADER_WORDS);
			const tail = header[laneWords.tail] as number;
			writer.moveTo(laneOf(2));
			if (undo.tail) header[laneWords.tail] = tail;
			if (undo.replacedBy !== undefined) header[laneWords.replacedBy] = undo.replacedBy;
			if (undo.finalTail !== undefined) header[laneWords.finalTail] = undo.finalTail;
			const successor = new LaneWriter(first, { laneOf });
			expect(successor.lane, name).toBe("replacedBy" in undo ? first : laneOf(2));
			append(successor, 2);
			successor.publish();
			const seen: number[] = [];
			drainAll(new LaneReader(first, { laneOf }), seen);
			expect(seen, name).toEqual([1, 2]);
		}
	});

	it("is followed by the next reader, wherever the first one died, also over two moves", () => {
		for (let deathAfter = 0; deathAfter <= 6; deathAfter++) {
			const { first, laneOf } = lanesFrom(0);
			const writer = new LaneWriter(first, { laneOf });
			append(writer, 1);
			append(writer, 2);
			writer.moveTo(laneOf(2));
			append(writer, 3);
			writer.moveTo(laneOf(3));
			append(writer, 4);
			writer.publish();
			const seen: number[] = [];
			const dying = new LaneReader(first, { laneOf });
			for (let i = 0; i < deathAfter; i++) {
				dying.drain(1, 1, (header) => {
					seen.push(header.target);
					return "next";
				});
				dying.freeTaken();
			}
			drainAll(new LaneReader(first, { laneOf }), seen);
			expect(seen).toEqual([1, 2, 3, 4]);
		}
	});

	it("gives a writer that attaches later the last lane", () => {
		const { first, laneOf } = lanesFrom(0);
		const writer = new LaneWriter(first, { laneOf });
		writer.moveTo(laneOf(2));
		writer.moveTo(laneOf(3));
		append(writer, 1);
		writer.publish();
		const later = new LaneWriter(first, { laneOf });
		expect([later.lane, later.sequence]).toEqual([laneOf(3), writer.sequence]);
	});
});
