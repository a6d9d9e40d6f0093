/**
 * Goal: a segment gives back the records it was made of, keeps its bound, and takes no other bytes for a segment.
 * Method: random records there and back; one example byte for byte, as the layout is on disks; cut and changed bytes.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeSegment, encodeSegment, SEGMENT_BYTES_MAX, SegmentDraft } from "../../../runtime/storage/log-segment.ts";

const records = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 30 });

function encode(firstIndex: number, given: readonly Uint8Array[]): Buffer {
	const draft = new SegmentDraft(firstIndex);
	for (const [i, record] of given.entries()) expect(draft.add(firstIndex + i, record)).toBe(true);
	const bytes = Buffer.alloc(draft.sizeBytes);
	draft.encodeInto(bytes);
	return bytes;
}

describe("a segment", () => {
	it("gives back its records, from any place in memory", () => {
		fc.assert(
			fc.property(records, fc.nat(9), (given, offset) => {
				const bytes = encode(5, given);
				const placed = new Uint8Array(bytes.length + 10);
				placed.set(bytes, offset);
				const decoded = decodeSegment(placed.subarray(offset, offset + bytes.length));
				expect(decoded).toEqual(given);
			}),
		);
	});

	it("may be empty, and is the same made at once or record by record", () => {
		expect(decodeSegment(encodeSegment([]))).toEqual([]);
		fc.assert(
			fc.property(records, (given) => {
				expect([...encodeSegment(given)]).toEqual([...encode(1, given)]);
			}),
		);
	});

	it("has this layout on the disk", () => {
		const bytes = encode(7, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]);
		expect([...bytes]).toEqual([3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3]);
	});

	it("is not taken from bytes that are cut or too long", () => {
		fc.assert(
			fc.property(records, fc.nat(), (given, at) => {
				const bytes = encode(1, given);
				expect(decodeSegment(bytes.subarray(0, at % bytes.length))).toBeNull();
				expect(decodeSegment(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeNull();
			}),
		);
		const overlong = encode(1, [Uint8Array.of(1)]);
		overlong.writeUInt32LE(0xffff_ffff, 4);
		expect(decodeSegment(overlong)).toBeNull();
	});

	it("takes only the record that follows, and none over its bound but one that stands alone", () => {
		const draft = new SegmentDraft(10);
		expect(draft.add(11, new Uint8Array(1))).toBe(false);
		// 4 for the count, 4 for each of two lengths: the bound to the byte.
		expect(draft.add(10, new Uint8Array(SEGMENT_BYTES_MAX - 13))).toBe(true);
		expect(draft.add(10, new Uint8Array(0))).toBe(false);
		expect(draft.add(11, new Uint8Array(2))).toBe(false);
		expect(draft.add(11, new Uint8Array(1))).toBe(true);
		expect([draft.sizeBytes, draft.nextIndex]).toEqual([SEGMENT_BYTES_MAX, 12]);
		expect(draft.add(12, new Uint8Array(0))).toBe(false);
		expect(new SegmentDraft(1).add(1, new Uint8Array(2 * SEGMENT_BYTES_MAX))).toBe(true);
	});
});
