/**
 * Goal: what is encoded arrives equal, or is refused with a typed error; nothing in between.
 * Method: random messages of random layouts, with msgpackr as the second way to the same value; refusals by hand;
 * decoders fed with damaged bytes.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Field, FieldKind, LayoutTable } from "../../../protocols/core/index.ts";
import { raftLayouts } from "../../../protocols/raft/messages.ts";
import { compileLayouts, MessageCodec, RECORD_SCHEMA, RecordTable, shapesOf } from "../../../runtime/codec/index.ts";

const wellFormed = fc.string({ unit: "binary", maxLength: 80 });
const smallBytes = fc.uint8Array({ maxLength: 70 });

/** Values of a kind. */
function valuesOf(kind: FieldKind): fc.Arbitrary<unknown> {
	if (typeof kind === "object") {
		if ("oneOf" in kind) return fc.constantFrom(...kind.oneOf);
		if ("list" in kind) return fc.array(recordsOf(kind.list), { maxLength: 5 });
		if ("record" in kind) return recordsOf(kind.record);
		if ("nullable" in kind) return fc.option(valuesOf(kind.nullable), { nil: null });
		return fc.option(valuesOf(kind.optional), { nil: undefined });
	}
	switch (kind) {
		case "boolean":
			return fc.boolean();
		case "uint8":
			return fc.nat(0xff);
		case "uint16":
			return fc.nat(0xffff);
		case "uint32":
			return fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1));
		case "safe-integer":
			return fc.oneof(fc.maxSafeInteger(), fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 32));
		case "float64":
			return fc.double();
		case "bytes":
			return smallBytes;
		case "text":
			return wellFormed;
	}
}

function recordsOf(fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> {
	return fc.record(Object.fromEntries(fields.map((field) => [field.name, valuesOf(field.kind)])));
}

const scalar = fc.constantFrom<FieldKind>(
	"boolean",
	"uint8",
	"uint16",
	"uint32",
	"safe-integer",
	"float64",
	"bytes",
	"text",
	{ oneOf: ["a", "b", "a longer choice"] },
);
const kinds = fc.letrec<{ kind: FieldKind; fields: Field[] }>((tie) => ({
	kind: fc.oneof(
		{ depthSize: "small", withCrossShrink: true },
		scalar,
		fc.record({ optional: tie("kind") }) as fc.Arbitrary<FieldKind>,
		fc.record({ nullable: tie("kind") }) as fc.Arbitrary<FieldKind>,
		fc.record({ record: tie("fields") }) as fc.Arbitrary<FieldKind>,
		fc.record({ list: tie("fields") }) as fc.Arbitrary<FieldKind>,
	),
	fields: fc
		.array(tie("kind"), { minLength: 1, maxLength: 5 })
		.map((list) => list.map((kind, i): Field => ({ name: `f${i}`, kind }))),
}));

const layoutAndMessages = kinds.fields.chain((fields) =>
	fc.tuple(fc.constant(fields), fc.array(recordsOf(fields), { minLength: 1, maxLength: 4 })),
);

function codecOf(fields: readonly Field[]): MessageCodec {
	return new MessageCodec({
		layouts: [{ protocol: "p", version: 1, messages: [{ type: "m", fields }] }],
		records: [],
	});
}

/** Encodes at an odd offset into a shared ring, copies out, decodes from a private buffer: as a lane does. */
function roundTrip(codec: MessageCodec, message: unknown, protocol = "p"): unknown {
	const bound = codec.prepare(message, codec.protocol(protocol));
	const ring = new SharedArrayBuffer(bound + 32);
	const bytes = new Uint8Array(ring).fill(0xee);
	const end = codec.write(bytes, new DataView(ring), 11);
	expect(end - 11).toBeLessThanOrEqual(bound);
	expect(bytes.subarray(11 + bound).every((byte) => byte === 0xee)).toBe(true);
	const scratch = Buffer.alloc(bound + 40);
	scratch.set(bytes.subarray(11, end), 3);
	const decoded = codec.decode(codec.schema, scratch, 3, 3 + end - 11);
	scratch.fill(0xdd);
	return decoded;
}

describe("compiled layouts", () => {
	it("carry every value of every layout, as msgpack does", () => {
		fc.assert(
			fc.property(layoutAndMessages, ([fields, records]) => {
				const codec = codecOf(fields);
				const second = new RecordTable([]);
				for (const record of records) {
					const message = { type: "m", ...record };
					const decoded = roundTrip(codec, message);
					expect(decoded).toStrictEqual(positiveZero(message, fields));
					const packed = second.pack(message);
					// msgpack writes a float -0 as the integer 0; layouts keep it.
					expect(unsigned(second.unpack(packed, 0, packed.length))).toEqual(unsigned(decoded));
				}
			}),
			{ numRuns: 400 },
		);
	});

	it("carry the same when byte fields are views on a source that is kept", () => {
		fc.assert(
			fc.property(layoutAndMessages, ([fields, records]) => {
				const [layout] = compileLayouts({ protocol: "p", version: 1, messages: [{ type: "m", fields }] }, 1);
				if (layout === undefined) throw new Error("one layout was given");
				for (const record of records) {
					const message = { type: "m", ...record };
					const bytes = Buffer.alloc(layout.sizeBound(message) + 7);
					const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
					const end = layout.encode(message, bytes, view, 5);
					const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
					expect(layout.decode({ bytes, view, plain }, 5, end, true)).toStrictEqual(positiveZero(message, fields));
				}
			}),
		);
		const fields = [{ name: "data", kind: "bytes" }] as const;
		const [layout] = compileLayouts({ protocol: "p", version: 1, messages: [{ type: "m", fields }] }, 1);
		const bytes = Buffer.alloc(64);
		const view = new DataView(bytes.buffer, bytes.byteOffset, 64);
		const source = { bytes, view, plain: new Uint8Array(bytes.buffer, bytes.byteOffset, 64) };
		const end = layout?.encode({ type: "m", data: Uint8Array.of(1, 2) }, bytes, view, 0) ?? 0;
		const decoded = layout?.decode(source, 0, end, true) as { readonly data: Uint8Array };
		const copied = layout?.decode(source, 0, end) as { readonly data: Uint8Array };
		bytes.fill(9);
		expect([[...decoded.data], [...copied.data]]).toEqual([
			[9, 9],
			[1, 2],
		]);
	});

	it("keep the order of the fields, with an absent optional present as undefined", () => {
		const codec = codecOf([
			{ name: "b", kind: { optional: "text" } },
			{ name: "a", kind: "uint8" },
		]);
		expect(Object.entries(roundTrip(codec, { type: "m", a: 1 }) as object)).toEqual([
			["type", "m"],
			["b", undefined],
			["a", 1],
		]);
	});

	it("give byte fields one buffer that holds exactly their contents", () => {
		const codec = new MessageCodec({ layouts: [raftLayouts], records: [] });
		const entry = (fill: number): object => ({
			term: 1,
			kind: "command",
			session: 0,
			serial: 0,
			firstIncomplete: 0,
			data: new Uint8Array(100).fill(fill),
		});
		const append = {
			type: "append-entries",
			term: 1,
			prevIndex: 2,
			prevTerm: 1,
			commit: 2,
			round: 9,
			entries: [entry(1), entry(2)],
		};
		const decoded = roundTrip(codec, append, "raft") as { entries: { data: Uint8Array }[] };
		expect(decoded).toEqual(append);
		expect(decoded.entries.map((e) => e.data.buffer.byteLength)).toEqual([200, 200]);
		expect(decoded.entries[0]?.data.buffer).toBe(decoded.entries[1]?.data.buffer);
		expect(decoded.entries[0]?.data.constructor).toBe(Uint8Array);
	});

	const refusals: [kind: FieldKind, value: unknown][] = [
		["boolean", 1],
		["boolean", undefined],
		["uint8", 256],
		["uint8", -1],
		["uint8", 0.5],
		["uint8", "5"],
		["uint8", 5n],
		["uint16", 65_536],
		["uint16", Number.NaN],
		["uint32", 2 ** 32],
		["uint32", -1],
		["uint32", null],
		["safe-integer", 2 ** 53],
		["safe-integer", -(2 ** 53)],
		["safe-integer", 0.1],
		["safe-integer", Number.POSITIVE_INFINITY],
		["safe-integer", "7"],
		["float64", "7"],
		["bytes", [1, 2]],
		["bytes", new Uint16Array(2)],
		["text", 7],
		["text", "\ud800"],
		["text", `${"x".repeat(300)}\udc00`],
		[{ oneOf: ["a"] }, "b"],
		[{ list: [{ name: "x", kind: "uint8" }] }, {}],
		[{ list: [{ name: "x", kind: "uint8" }] }, [null]],
		[{ list: [{ name: "x", kind: "uint8" }] }, [{ x: 300 }]],
		[{ optional: "uint8" }, null],
		[{ nullable: "uint8" }, undefined],
		[{ record: [{ name: "x", kind: "uint8" }] }, undefined],
		[{ record: [{ name: "x", kind: "uint8" }] }, null],
		[{ record: [{ name: "x", kind: "bytes" }] }, { x: "no bytes" }],
	];
	it.each(refusals)("refuse for %o the value %o", (kind, value) => {
		const codec = codecOf([{ name: "f", kind }]);
		expect(() => codec.encode({ type: "m", f: value }, codec.protocol("p"))).toThrow(
			expect.objectContaining({ code: "message-unencodable" }),
		);
	});

	it("decode damaged bytes to an error or to a message of the same layout, never beyond their end", () => {
		const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
		let refused = 0;
		fc.assert(
			fc.property(layoutAndMessages, damage, fc.nat(20), ([fields, [record]], hits, cut) => {
				const codec = codecOf(fields);
				const { schema, bytes } = codec.encode({ type: "m", ...record }, codec.protocol("p"));
				const damaged = Buffer.from(bytes);
				for (const [at, byte] of hits) if (damaged.length > 0) damaged[at % damaged.length] = byte;
				try {
					const decoded = codec.decode(schema, damaged, 0, Math.max(0, damaged.length - cut));
					expect(codec.encode(decoded, codec.protocol("p")).bytes.length).toBeLessThanOrEqual(damaged.length);
				} catch (error) {
					expect(error).toMatchObject({ code: "message-undecodable", details: { schema: 1, form: "p/m" } });
					refused++;
				}
			}),
			{ numRuns: 500 },
		);
		expect(refused).toBeGreaterThan(100);
	});

	const badTables: [reason: string, messages: LayoutTable["messages"]][] = [
		["a name that is no identifier", [{ type: "m", fields: [{ name: "a; throw 1", kind: "uint8" }] }]],
		["a prototype", [{ type: "m", fields: [{ name: "__proto__", kind: "uint8" }] }]],
		["a field named type", [{ type: "m", fields: [{ name: "type", kind: "uint8" }] }]],
		["a field twice", [{ type: "m", fields: ["uint8", "text"].map((kind) => ({ name: "a", kind }) as Field) }]],
		["a type twice", [1, 2].map(() => ({ type: "m", fields: [{ name: "a", kind: "uint8" as const }] }))],
		["an unknown kind", [{ type: "m", fields: [{ name: "a", kind: "int8" as "uint8" }] }]],
		["a list of nothing", [{ type: "m", fields: [{ name: "a", kind: { list: [] } }] }]],
		[
			"a list of records of nothing",
			[{ type: "m", fields: [{ name: "a", kind: { list: [{ name: "b", kind: { record: [] } }] } }] }],
		],
		["no choices", [{ type: "m", fields: [{ name: "a", kind: { oneOf: [] } }] }]],
		["a choice twice", [{ type: "m", fields: [{ name: "a", kind: { oneOf: ["x", "x"] } }] }]],
	];
	it.each(badTables)("are refused with %s", (_reason, messages) => {
		expect(() => new MessageCodec({ layouts: [{ protocol: "p", version: 1, messages }], records: [] })).toThrow(
			expect.objectContaining({ code: "layout-invalid" }),
		);
	});
});

describe("records", () => {
	const table = new RecordTable(shapesOf([{ a: 1, b: { c: 2 } }, [{ x: 1, y: 1 }]]));

	it("collects the shapes of examples once, in order", () => {
		expect(table.shapes).toEqual([["a", "b"], ["c"], ["x", "y"]]);
		expect(shapesOf([new Map([[{ k: 1 }, new Set([{ s: 1 }])]]), { k: 2 }])).toEqual([["k"], ["s"]]);
	});

	it("learns nothing: each message can be decoded alone, in any order, by a table that saw none before", () => {
		const value = fc.letrec<{ any: unknown }>((tie) => ({
			any: fc.oneof(
				{ depthSize: "small" },
				fc.integer(),
				fc.double(),
				wellFormed,
				fc.boolean(),
				fc.constant(null),
				fc.constant(undefined),
				fc.array(tie("any"), { maxLength: 4 }),
				fc.dictionary(fc.constantFrom("a", "b", "c", "x", "y", "other", "k1", "k2"), tie("any"), { maxKeys: 4 }),
				fc.record({ a: tie("any"), b: tie("any") }),
				fc.uint8Array({ maxLength: 20 }),
			),
		})).any;
		for (const shapes of [table.shapes, [], Array.from({ length: 100 }, (_, i) => [`k${i}`, "a"])]) {
			const sender = new RecordTable(shapes);
			fc.assert(
				fc.property(fc.array(value, { minLength: 1, maxLength: 8 }), (values) => {
					const packed = values.map((v) => Buffer.from(sender.pack(v)));
					const receiver = new RecordTable(shapes);
					for (let i = packed.length - 1; i >= 0; i--) {
						const bytes = packed[i] as Buffer;
						expect(unsigned(receiver.unpack(bytes, 0, bytes.length))).toEqual(unsigned(plainObjects(values[i])));
					}
				}),
				{ numRuns: 150 },
			);
		}
	});

	it("writes a known shape by number and an unknown one with its definition", () => {
		expect(table.pack({ x: 1, y: 2 }).length).toBe(3);
		expect(table.pack({ x: 1, z: 2 }).length).toBeGreaterThan(6);
		expect(table.pack({ x: 1, z: 2 })).toEqual(Buffer.from(table.pack({ x: 1, z: 2 })));
	});

	it("shares no memory with what it decodes from", () => {
		const packed = Buffer.from(table.pack({ bytes: new Uint8Array([1, 2, 3]), list: new Float64Array([0.5]) }));
		const value = table.unpack(packed, 0, packed.length);
		packed.fill(0);
		expect(value).toEqual({ bytes: new Uint8Array([1, 2, 3]), list: new Float64Array([0.5]) });
	});
});

describe("the codec", () => {
	const codec = new MessageCodec({ layouts: [raftLayouts], records: shapesOf([{ type: "ping", at: 1 }]) });

	it("uses a layout only when the protocol is named", () => {
		const vote = { type: "vote", term: 7, granted: true, preVote: false };
		expect(codec.encode(vote, codec.protocol("raft"))).toMatchObject({ schema: 2, bytes: { length: 10 } });
		expect(codec.encode(vote).schema).toBe(RECORD_SCHEMA);
		expect(codec.encode({ type: "no such type" }, codec.protocol("raft")).schema).toBe(RECORD_SCHEMA);
		expect(codec.protocol("pbft")).toBeUndefined();
		expect(roundTrip(codec, vote, "raft")).toStrictEqual(vote);
		expect(roundTrip(codec, { ...vote, extra: 1 }, "none")).toEqual({ ...vote, extra: 1 });
	});

	it.each([undefined, null, 0, "text", [], {}, [{ type: "vote" }]])("carries %o without a layout", (value) => {
		expect(roundTrip(codec, value, "raft")).toEqual(value);
	});

	it("keeps the types of exotic plain data, and rebuilds errors", () => {
		const value = {
			map: new Map<unknown, unknown>([[1, { deep: new Set(["x"]) }]]),
			date: new Date(12_345),
			big: 2n ** 70n,
			floats: new Float32Array([1.5]),
		};
		expect(roundTrip(codec, value)).toEqual(value);
		const error = new TypeError("outer", { cause: new Error("inner") });
		expect(roundTrip(codec, { error })).toMatchObject({
			error: { code: "internal", message: "outer", details: { name: "TypeError" }, cause: { message: "inner" } },
		});
	});

	const cycle: { self?: unknown } = {};
	cycle.self = cycle;
	it.each([
		["a function", { f: () => 1 }],
		["a symbol", { s: Symbol("s") }],
		["a cycle", cycle],
	])("refuses %s", (_name, value) => {
		expect(() => codec.prepare(value)).toThrow(expect.objectContaining({ code: "message-unencodable" }));
		expect(roundTrip(codec, { fine: 1 })).toEqual({ fine: 1 });
	});

	it("refuses what is over the limit, in both forms", () => {
		const small = new MessageCodec({ layouts: [raftLayouts], records: [], messageBytesMax: 9 });
		const vote = { type: "vote", term: 7, granted: true, preVote: false };
		const tooLarge = expect.objectContaining({ code: "message-too-large" });
		expect(() => small.encode(vote, small.protocol("raft"))).toThrow(tooLarge);
		expect(() => small.encode("0123456789")).toThrow(tooLarge);
	});

	it("refuses a message that holds more or less than its lengths say, even where decoding it would be possible", () => {
		const codecOfAll = codecOf([
			{ name: "n", kind: "safe-integer" },
			{ name: "t", kind: "text" },
			{ name: "b", kind: "bytes" },
			{ name: "c", kind: "bytes" },
		]);
		const message = { type: "m", n: 1, t: "ab", b: new Uint8Array(2), c: new Uint8Array(3) };
		const { schema, bytes } = codecOfAll.encode(message, codecOfAll.protocol("p"));
		const changed = (change: (view: DataView) => void, extra = 0): string => {
			const copy = Buffer.alloc(bytes.length + extra);
			copy.set(bytes);
			change(new DataView(copy.buffer, copy.byteOffset, copy.length));
			try {
				codecOfAll.decode(schema, copy, 0, copy.length);
				return "decoded";
			} catch (error) {
				return (error as { readonly details: { readonly reason: string } }).details.reason;
			}
		};
		// The total at 0, the number at 4, the text's length at 12, the bytes' lengths at 18 and 22.
		expect(changed(() => undefined)).toBe("decoded");
		expect(changed(() => undefined, 1)).toBe("bytes are left over");
		expect(changed((view) => view.setUint32(0, 99, true))).toBe("cut off");
		expect(changed((view) => view.setFloat64(4, 2 ** 53, true))).toBe("no safe integer");
		expect(changed((view) => view.setFloat64(4, 0.5, true))).toBe("no safe integer");
		expect(changed((view) => view.setUint32(12, 11, true))).toBe("cut off");
		expect(changed((view) => view.setUint32(18, 1, true))).toBe("byte fields do not add up");
	});

	it("brings no negative zero in an integer field", () => {
		const codecOfOne = codecOf([{ name: "n", kind: "safe-integer" }]);
		expect(Object.is((roundTrip(codecOfOne, { type: "m", n: -0 }) as { readonly n: number }).n, 0)).toBe(true);
	});

	it("keeps the table's shapes apart, asks no value for its JSON and shares no memory with the source", () => {
		expect(() => new RecordTable([["a"], ["a"]])).toThrow(expect.objectContaining({ code: "record-table-invalid" }));
		const table = new RecordTable([]);
		const value = { data: new Uint8Array([1, 2]), raw: Buffer.from([3, 4]), toJSON: "kept" };
		const packed = table.pack(value);
		const unpacked = table.unpack(packed, 0, packed.length);
		packed.fill(0);
		expect(unpacked).toEqual(value);
		const dated = table.pack({
			at: new (class {
				at = 1;
				protected toJSON(): number {
					return 7;
				}
			})(),
		});
		expect(table.unpack(dated, 0, dated.length)).toEqual({ at: { at: 1 } });
	});

	it("answers undecodable bytes with schema and length", () => {
		const bytes = Buffer.from([0xc1, 0xff, 0xff]);
		for (const [schema, end] of [
			[0, 0],
			[0, 3],
			[2, 3],
			[99, 3],
		] as const) {
			expect(() => codec.decode(schema, bytes, 0, end)).toThrow(
				expect.objectContaining({
					code: "message-undecodable",
					details: expect.objectContaining({ schema, lengthBytes: end }),
				}),
			);
		}
	});

	it("has one fingerprint for one specification, and another for another order", () => {
		const spec = { layouts: [raftLayouts], records: [["a"], ["b"]] };
		const other = { layouts: [raftLayouts], records: [["b"], ["a"]] };
		expect(new MessageCodec(spec).fingerprint).toBe(new MessageCodec(structuredClone(spec)).fingerprint);
		expect(new MessageCodec(spec).fingerprint).not.toBe(new MessageCodec(other).fingerprint);
	});
});

/** What a layout promises about `-0` in integer fields: it arrives as `0`. */
function positiveZero(record: object, fields: readonly Field[]): object {
	const fix = (value: unknown, kind: FieldKind): unknown => {
		if (typeof kind === "object" && "optional" in kind) return value === undefined ? value : fix(value, kind.optional);
		if (typeof kind === "object" && "nullable" in kind) return value === null ? value : fix(value, kind.nullable);
		if (typeof kind === "object" && "record" in kind) return positiveZero(value as object, kind.record);
		if (Object.is(value, -0) && kind !== "float64") return 0;
		if (typeof kind === "object" && "list" in kind) {
			return (value as object[]).map((item) => positiveZero(item, kind.list));
		}
		return value instanceof Uint8Array ? Uint8Array.from(value) : value;
	};
	const kindOf = new Map(fields.map((field) => [field.name, field.kind]));
	return Object.fromEntries(
		Object.entries(record).map(([key, value]) => [
			key,
			kindOf.has(key) ? fix(value, kindOf.get(key) as FieldKind) : value,
		]),
	);
}

/** The same with every -0 as 0. */
function unsigned(value: unknown): unknown {
	if (Object.is(value, -0)) return 0;
	if (Array.isArray(value)) return value.map(unsigned);
	if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unsigned(item)]));
}

/** Dictionaries of fast-check have no prototype; decoded records do. */
function plainObjects(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(plainObjects);
	if (value instanceof Uint8Array) return Uint8Array.from(value);
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainObjects(item)]));
}
