/**
 * Goal: values have one spelling that any MessagePack reader understands, bytes from outside are read within bounds, and compressed text
 * comes back as it was. It fails when equal values have two spellings, or when hostile bytes are accepted or do worse than a typed error.
 * Method: random values and bytes; msgpackr as the other reader.
 */
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { unpack } from "msgpackr";
import { describe, expect, it } from "vitest";
import { QuorateError } from "../../../../protocols/core/index.ts";
import { ByteReader } from "../../../../protocols/crdt/encoding/byte-reader.ts";
import { ByteWriter } from "../../../../protocols/crdt/encoding/byte-writer.ts";
import { crc32 } from "../../../../protocols/crdt/encoding/checksum.ts";
import { compress, decompress } from "../../../../protocols/crdt/encoding/compression.ts";
import { readValue, writeValue } from "../../../../protocols/crdt/encoding/value.ts";
import type { Value } from "../../../../protocols/crdt/index.ts";
import { elementKey, elementOf, isElementKey } from "../../../../protocols/crdt/types/element.ts";

const { value } = fc.letrec<{ value: Value; leaf: Value }>((tie) => ({
	leaf: fc.oneof(
		fc.constantFrom(null, true, false),
		fc.integer(),
		fc.maxSafeInteger(),
		fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
		fc.string({ unit: "binary" }),
		fc.uint8Array(),
	) as fc.Arbitrary<Value>,
	value: fc.oneof(
		{ depthSize: "small" },
		tie("leaf"),
		fc.array(tie("value"), { maxLength: 20 }),
		fc.dictionary(
			// msgpackr renames this one.
			fc.string().filter((key) => key !== "__proto__"),
			tie("value"),
			{ maxKeys: 20, noNullPrototype: true },
		),
	) as fc.Arbitrary<Value>,
}));

function encoded(given: Value): Uint8Array {
	const writer = new ByteWriter();
	writeValue(writer, given);
	return writer.take();
}

function codeOf(act: () => unknown): string {
	try {
		act();
		return "nothing thrown";
	} catch (error) {
		return error instanceof QuorateError ? error.code : String(error);
	}
}

describe("values", () => {
	it("come back equal, and mean the same to msgpackr", () => {
		fc.assert(
			fc.property(value, (given) => {
				const bytes = encoded(given);
				const reader = new ByteReader(bytes);
				expect(readValue(reader)).toEqual(given);
				reader.end();
				expect(plain(unpack(bytes))).toEqual(plain(given));
			}),
		);
	});

	it("have one spelling: equal values have equal bytes, and no other bytes are read as values", () => {
		expect(encoded({ b: 1, a: [2] })).toEqual(encoded({ a: [2], b: 1 }));
		expect(encoded(-0)).toEqual(encoded(0));
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
				const reader = new ByteReader(bytes);
				let read: Value;
				try {
					read = readValue(reader);
					reader.end();
				} catch (error) {
					expect((error as QuorateError).code).toBe("crdt-update-damaged");
					return;
				}
				expect(encoded(read)).toEqual(bytes);
			}),
			{ numRuns: 2_000 },
		);
	});

	it("have keys of their own: equal values, and only those, have the same", () => {
		fc.assert(
			fc.property(value, value, (one, other) => {
				expect(elementOf(elementKey(one))).toEqual(one);
				expect(isElementKey(elementKey(one))).toBe(true);
				const same = Buffer.compare(encoded(one), encoded(other)) === 0;
				expect(elementKey(one) === elementKey(other)).toBe(same);
			}),
		);
		expect(isElementKey("\u0000\u00a1a")).toBe(false);
	});

	it("too deep, cyclic or of a class are refused", () => {
		let deep: Value = 1;
		for (let i = 0; i < 40; i++) deep = [deep];
		const cyclic: Value[] = [];
		cyclic.push(cyclic);
		for (const bad of [deep, cyclic, new Map(), () => 1, 1n, Number.NaN, undefined, Symbol("s")]) {
			expect(codeOf(() => encoded(bad as Value))).toBe("crdt-value-unencodable");
		}
	});
});

/** Without what differs between readers: the class of byte arrays, and that msgpackr reads large integers as bigints. */
function plain(given: unknown): unknown {
	if (typeof given === "bigint") return Number(given);
	if (given instanceof Uint8Array) return { bytes: [...given] };
	if (Array.isArray(given)) return given.map(plain);
	if (typeof given !== "object" || given === null) return given;
	return Object.fromEntries(Object.entries(given).map(([key, item]) => [key, plain(item)]));
}

describe("checksum", () => {
	it("is the CRC-32 of any stretch of bytes", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(5), fc.nat(5), (bytes, before, after) => {
				const start = Math.min(before, bytes.length);
				const end = Math.max(start, bytes.length - after);
				expect(crc32(bytes, start, end)).toBe(zlibCrc32(bytes.subarray(start, end)));
			}),
		);
	});
});

describe("compressed text", () => {
	it("comes back as it was, and is smaller where it repeats itself", () => {
		const words = fc.array(fc.constantFrom("the ", "text ", "repeats ", "itself, ", "x"), { maxLength: 300 });
		fc.assert(
			fc.property(
				fc.oneof(
					words.map((list) => Buffer.from(list.join(""))),
					fc.uint8Array({ maxLength: 500 }),
				),
				(bytes) => {
					expect(Buffer.compare(decompress(compress(bytes)), bytes)).toBe(0);
				},
			),
		);
		const text = Buffer.from("a sentence that comes again. ".repeat(100));
		expect(compress(text).length).toBeLessThan(60);
	});

	it("that is damaged is refused within bounds", () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
				if (bytes[0] !== undefined) bytes[0] &= 0x7f;
				expect(["nothing thrown", "crdt-update-damaged"]).toContain(codeOf(() => decompress(bytes)));
			}),
			{ numRuns: 2_000 },
		);
	});
});

describe("numbers and texts", () => {
	it("come back, whatever their size", () => {
		fc.assert(
			fc.property(
				fc.array(fc.maxSafeNat()),
				fc.array(fc.maxSafeInteger()),
				fc.string({ unit: "binary" }),
				(nats, integers, text) => {
					const writer = new ByteWriter();
					for (const nat of nats) writer.varint(nat);
					for (const integer of integers) if (Math.abs(integer) < 2 ** 51) writer.signed(integer);
					writer.text(text);
					for (let i = 0; i < text.length; i++) writer.unit(text.charCodeAt(i));
					const reader = new ByteReader(writer.take());
					expect(nats.map(() => reader.varint())).toEqual(nats);
					for (const integer of integers) if (Math.abs(integer) < 2 ** 51) expect(reader.signed()).toBe(integer);
					expect(reader.text()).toBe(text);
					for (let i = 0; i < text.length; i++) expect(reader.unit()).toBe(text.charCodeAt(i));
					reader.end();
				},
			),
		);
		const long = `${"ascii ".repeat(1_000)}\u00e4\u{1f600}\ud800${"x".repeat(5_000)}`;
		const writer = new ByteWriter();
		writer.text(long);
		expect(new ByteReader(writer.take()).text()).toBe(long);
	});
});
