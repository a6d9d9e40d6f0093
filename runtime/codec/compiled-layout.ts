/**
 * Compiles a layout to an encoder and a decoder of straight-line code.
 *
 * Why generated source: an interpreter over the field list makes every access megamorphic and was an order of
 * magnitude slower; with one function per layout V8 sees constant offsets and one hidden class per message. It is safe
 * because the source is made from checked identifiers, numbers and JSON strings only, of layouts that are code
 * of this process and not data from outside.
 *
 * The wire form, little-endian: the fields in order, `safe-integer` as a float64 (exact in its range, and one
 * machine instruction). A layout with `bytes` fields starts with the uint32 total of their contents; at a field only
 * the length stands, and all contents follow behind the fields, in order. So a decoder copies them at once.
 *
 * Ownership of decoded bytes: the byte fields of one message are views on one buffer that holds exactly their
 * contents and belongs to that message. They never point into the source, which is scratch; and keeping one entry
 * of a message keeps the bytes of its neighbours, never more.
 */
import {
	assert,
	type Field,
	type FieldKind,
	type LayoutTable,
	type MessageLayout,
} from "../../protocols/core/index.ts";
import { layoutInvalid, messageUndecodable, messageUnencodable } from "./errors.ts";
import { readText, textBytesBound, writeText } from "./text.ts";

/** Private bytes to decode from, with the views that decoders need. */
export interface DecodeSource {
	readonly bytes: Buffer;
	readonly view: DataView;
	/** The same bytes as a plain Uint8Array, whose `slice` makes plain Uint8Arrays. */
	readonly plain: Uint8Array;
}

/** All of one piece of memory as a source. */
export function decodeSourceOf(buffer: ArrayBufferLike): DecodeSource {
	return { bytes: Buffer.from(buffer), view: new DataView(buffer), plain: new Uint8Array(buffer) };
}

/** One compiled layout. */
export interface CompiledLayout {
	readonly protocol: string;
	readonly type: string;
	/** Its number on the wire, from 1; also the `schema` of record headers. */
	readonly schema: number;
	/** Name for errors: `protocol/type`. */
	readonly form: string;
	/** Bytes that {@link encode} writes at most. @throws QuorateError `message-unencodable` */
	sizeBound(message: unknown): number;
	/**
	 * Writes the message at `at` and returns the position behind it. Fields that the layout does not list do not
	 * travel. `-0` in an integer field arrives as `0`.
	 * @throws QuorateError `message-unencodable`; what it wrote until then is to be ignored
	 */
	encode(message: unknown, bytes: Uint8Array, view: DataView, at: number): number;
	/**
	 * A plain object: `type`, then the fields in order; an absent optional field is present as `undefined`, so
	 * that all messages of a type share one hidden class. Byte fields are copied; with `shared` they are views on the
	 * source, for a source that nobody writes to any more and that may live as long as what was decoded.
	 * @throws QuorateError `message-undecodable`
	 */
	decode(source: DecodeSource, start: number, end: number, shared?: boolean): unknown;
}

/** Compiles a table; its messages get the numbers from `firstSchema` on. @throws QuorateError `layout-invalid` */
export function compileLayouts(table: LayoutTable, firstSchema: number): readonly CompiledLayout[] {
	const seen = new Set<string>();
	return table.messages.map((layout, index) => {
		if (seen.has(layout.type)) throw invalid(table, layout, "", "the type is listed twice");
		seen.add(layout.type);
		return compileLayout(table, layout, firstSchema + index);
	});
}

const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;
const ONE_OF_MAX = 256;

function invalid(table: LayoutTable, layout: MessageLayout, field: string, reason: string): Error {
	return layoutInvalid({ protocol: table.protocol, type: layout.type, field, reason });
}

function checkFields(table: LayoutTable, layout: MessageLayout, fields: readonly Field[], path: string): void {
	const names = new Set<string>();
	for (const { name, kind } of fields) {
		const where = `${path}${name}`;
		if (!identifier.test(name) || name === "__proto__")
			throw invalid(table, layout, where, "the name is no identifier");
		if (path === "" && name === "type") throw invalid(table, layout, where, "`type` is implied");
		if (names.has(name)) throw invalid(table, layout, where, "the name is listed twice");
		names.add(name);
		checkKind(table, layout, kind, where);
	}
}

function checkKind(table: LayoutTable, layout: MessageLayout, kind: FieldKind, where: string): void {
	if (typeof kind === "string") {
		if (!(kind in scalarBytes)) throw invalid(table, layout, where, `unknown kind ${kind}`);
	} else if ("oneOf" in kind) {
		const { oneOf } = kind;
		if (oneOf.length === 0 || oneOf.length > ONE_OF_MAX || new Set(oneOf).size !== oneOf.length) {
			throw invalid(table, layout, where, `one-of takes 1 to ${ONE_OF_MAX} distinct strings`);
		}
	} else if ("list" in kind) {
		// An item of no bytes would let a short message claim four thousand million of them.
		if (bytesMinOf(kind.list) === 0) throw invalid(table, layout, where, "a list's items have at least one field");
		checkFields(table, layout, kind.list, `${where}.`);
	} else if ("record" in kind) {
		checkFields(table, layout, kind.record, `${where}.`);
	} else {
		checkKind(table, layout, presentKind(kind), `${where}?`);
	}
}

/** Bytes in the run of the fields: for `bytes` and `text` the length word. */
const scalarBytes = {
	boolean: 1,
	uint8: 1,
	uint16: 2,
	uint32: 4,
	"safe-integer": 8,
	float64: 8,
	bytes: 4,
	text: 4,
} as const;

/** A field that may be absent: `optional` or `nullable`. */
type AbsentKind = Extract<FieldKind, { readonly optional: FieldKind } | { readonly nullable: FieldKind }>;

/** The kind of such a field when it is there. */
function presentKind(kind: AbsentKind): FieldKind {
	return "optional" in kind ? kind.optional : kind.nullable;
}

/** What stands for its absence. */
function absenceOf(kind: AbsentKind): "undefined" | "null" {
	return "optional" in kind ? "undefined" : "null";
}

/** The fewest bytes that the kind takes in the run of the fields. */
function bytesMin(kind: FieldKind): number {
	if (typeof kind === "string") return scalarBytes[kind];
	if ("list" in kind) return 4;
	if ("record" in kind) return bytesMinOf(kind.record);
	return 1;
}

function bytesMinOf(fields: readonly Field[]): number {
	return fields.reduce((sum, field) => sum + bytesMin(field.kind), 0);
}

/** Whether the kind always takes {@link bytesMin} in the run. */
function isFixed(kind: FieldKind): boolean {
	return typeof kind === "string" ? kind !== "text" : "oneOf" in kind;
}

function holdsBytes(kind: FieldKind): boolean {
	if (typeof kind === "string") return kind === "bytes";
	if ("oneOf" in kind) return false;
	if ("list" in kind) return kind.list.some((field) => holdsBytes(field.kind));
	if ("record" in kind) return kind.record.some((field) => holdsBytes(field.kind));
	return holdsBytes(presentKind(kind));
}

/** What generated code may call. */
interface Runtime {
	readonly textBytesBound: typeof textBytesBound;
	readonly writeText: typeof writeText;
	readonly readText: typeof readText;
	/** Throws `message-unencodable`. */
	refuse(field: string, expected: string, actual: unknown): never;
	/** Throws `message-undecodable`. */
	bad(lengthBytes: number, reason: string): never;
	readonly noBytes: Uint8Array;
}

type Functions = Pick<CompiledLayout, "sizeBound" | "encode"> & {
	decode(bytes: Buffer, view: DataView, plain: Uint8Array, start: number, end: number, shared: boolean): unknown;
};

function compileLayout(table: LayoutTable, layout: MessageLayout, schema: number): CompiledLayout {
	checkFields(table, layout, layout.fields, "");
	const form = `${table.protocol}/${layout.type}`;
	const runtime: Runtime = {
		textBytesBound,
		writeText,
		readText,
		refuse(field, expected, actual) {
			throw messageUnencodable({ form, field, expected, actual: describe(actual) });
		},
		bad(lengthBytes, reason) {
			throw messageUndecodable({ schema, form, lengthBytes, reason });
		},
		noBytes: new Uint8Array(0),
	};
	const decoder = new DecoderSource();
	const decode = decoder.emit(layout);
	const source = [
		'"use strict"; const {textBytesBound, writeText, readText, refuse, bad, noBytes} = runtime;',
		...decoder.tables,
		"return {",
		new SizeSource().emit(layout),
		new EncodeSource().emit(layout),
		decode,
		"};",
	].join("\n");
	const functions = new Function("runtime", source)(runtime) as Functions;
	return {
		protocol: table.protocol,
		type: layout.type,
		schema,
		form,
		sizeBound: functions.sizeBound,
		encode: functions.encode,
		decode: (from, start, end, shared = false) =>
			functions.decode(from.bytes, from.view, from.plain, start, end, shared),
	};
}

function describe(value: unknown): string {
	if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
	if (typeof value === "object" && value !== null) return value.constructor?.name ?? "object";
	return String(value);
}

/** What the three writers of source share. */
class SourceWriter {
	readonly #lines: string[] = [];
	#names = 0;

	protected line(...lines: readonly string[]): void {
		this.#lines.push(...lines);
	}

	/** A fresh variable name. */
	protected fresh(prefix: string): string {
		return `${prefix}${this.#names++}`;
	}

	protected text(): string {
		return this.#lines.join("\n");
	}
}

const q = (text: string): string => JSON.stringify(text);

/** `sizeBound(message)`: the run's constant part, plus what varies; refuses containers of the wrong kind. */
class SizeSource extends SourceWriter {
	emit(layout: MessageLayout): string {
		this.line("sizeBound(m) {", 'if (m === null || typeof m !== "object") refuse("", "an object", m);');
		const constant = bytesMinOf(layout.fields);
		this.line(`let n = ${constant + (layout.fields.some((field) => holdsBytes(field.kind)) ? 4 : 0)};`);
		for (const { name, kind } of layout.fields) this.#kind(kind, `m.${name}`, name);
		this.line("return n;", "},");
		return this.text();
	}

	/** Adds what the value takes beyond {@link bytesMin} of its kind. */
	#kind(kind: FieldKind, value: string, path: string): void {
		if (kind === "text") {
			this.line(`if (typeof ${value} !== "string") refuse(${q(path)}, "text", ${value});`);
			this.line(`n += textBytesBound(${value});`);
		} else if (kind === "bytes") {
			this.line(`if (!(${value} instanceof Uint8Array)) refuse(${q(path)}, "a Uint8Array", ${value});`);
			this.line(`n += ${value}.length;`);
		} else if (typeof kind === "string" || "oneOf" in kind) {
			// All of it is in the constant part.
		} else if ("list" in kind) {
			this.#list(kind.list, value, path);
		} else if ("record" in kind) {
			this.#record(kind.record, value, path);
		} else {
			const present = presentKind(kind);
			this.line(`if (${value} !== ${absenceOf(kind)}) {`, `n += ${bytesMin(present)};`);
			this.#kind(present, value, path);
			this.line("}");
		}
	}

	#record(fields: readonly Field[], value: string, path: string): void {
		const record = this.fresh("record");
		this.line(`const ${record} = ${value};`);
		this.line(`if (${record} === null || typeof ${record} !== "object") refuse(${q(path)}, "a record", ${record});`);
		for (const field of fields) this.#kind(field.kind, `${record}.${field.name}`, `${path}.${field.name}`);
	}

	#list(fields: readonly Field[], value: string, path: string): void {
		const constant = bytesMinOf(fields);
		this.line(`if (!Array.isArray(${value})) refuse(${q(path)}, "a list", ${value});`);
		this.line(`n += ${value}.length * ${constant};`);
		const list = this.fresh("list");
		const item = this.fresh("item");
		this.line(`const ${list} = ${value};`, `for (let i = 0; i < ${list}.length; i++) {`, `const ${item} = ${list}[i];`);
		this.line(`if (${item} === null || typeof ${item} !== "object") refuse(${q(path)}, "records", ${item});`);
		for (const field of fields) this.#kind(field.kind, `${item}.${field.name}`, `${path}.${field.name}`);
		this.line("}");
	}
}

/** `encode(message, bytes, view, at)`: the run of the fields, then the contents of the byte fields. */
class EncodeSource extends SourceWriter {
	emit(layout: MessageLayout): string {
		const blob = layout.fields.some((field) => holdsBytes(field.kind));
		this.line("encode(m, bytes, view, at) {", `let p = at${blob ? " + 4" : ""};`);
		this.#fields(layout.fields, "m", "");
		if (blob) {
			this.line("const contents = p;");
			this.#contentsOf(layout.fields, "m");
			this.line("view.setUint32(at, p - contents, true);");
		}
		this.line("return p;", "},");
		return this.text();
	}

	#fields(fields: readonly Field[], record: string, path: string): void {
		for (const { name, kind } of fields) {
			const value = this.fresh("v");
			this.line(`const ${value} = ${record}.${name};`);
			this.#kind(kind, value, `${path}${name}`);
		}
	}

	#kind(kind: FieldKind, v: string, path: string): void {
		const refuse = (expected: string): string => `refuse(${q(path)}, ${q(expected)}, ${v})`;
		if (typeof kind === "object") {
			if ("oneOf" in kind) this.#oneOf(kind.oneOf, v, refuse(`one of ${kind.oneOf.join(", ")}`));
			else if ("list" in kind) this.#list(kind.list, v, path);
			else if ("record" in kind) this.#fields(kind.record, v, `${path}.`);
			else {
				this.line(`if (${v} === ${absenceOf(kind)}) bytes[p++] = 0; else {`, "bytes[p++] = 1;");
				this.#kind(presentKind(kind), v, path);
				this.line("}");
			}
			return;
		}
		switch (kind) {
			case "boolean":
				this.line(`if (typeof ${v} !== "boolean") ${refuse("a boolean")};`, `bytes[p++] = ${v} ? 1 : 0;`);
				break;
			case "uint8":
				this.line(`if (typeof ${v} !== "number" || ${v} !== (${v} & 0xff)) ${refuse("an integer in 0..255")};`);
				this.line(`bytes[p++] = ${v};`);
				break;
			case "uint16":
				this.line(`if (typeof ${v} !== "number" || ${v} !== (${v} & 0xffff)) ${refuse("an integer in 0..65535")};`);
				this.line(`view.setUint16(p, ${v}, true); p += 2;`);
				break;
			case "uint32":
				this.line(`if (typeof ${v} !== "number" || ${v} !== ${v} >>> 0) ${refuse("an integer in 0..4294967295")};`);
				this.line(`view.setUint32(p, ${v}, true); p += 4;`);
				break;
			case "safe-integer":
				this.line(`if (!Number.isSafeInteger(${v})) ${refuse("a safe integer")};`);
				this.line(`view.setFloat64(p, ${v} + 0, true); p += 8;`);
				break;
			case "float64":
				this.line(`if (typeof ${v} !== "number") ${refuse("a number")};`);
				this.line(`view.setFloat64(p, ${v}, true); p += 8;`);
				break;
			case "text": {
				const end = this.fresh("end");
				this.line(`const ${end} = writeText(bytes, p + 4, ${v});`);
				this.line(`if (${end} < 0) ${refuse("well-formed Unicode")};`);
				this.line(`view.setUint32(p, ${end} - p - 4, true); p = ${end};`);
				break;
			}
			case "bytes":
				this.line(`view.setUint32(p, ${v}.length, true); p += 4;`);
				break;
		}
	}

	#oneOf(options: readonly string[], v: string, refuse: string): void {
		const chain = options.map((option, code) => `${v} === ${q(option)} ? ${code} : `).join("");
		this.line(`bytes[p++] = ${chain}${refuse};`);
	}

	#list(fields: readonly Field[], v: string, path: string): void {
		const item = this.fresh("item");
		this.line(`view.setUint32(p, ${v}.length, true); p += 4;`);
		this.line(`for (let i = 0; i < ${v}.length; i++) {`, `const ${item} = ${v}[i];`);
		this.#fields(fields, item, `${path}.`);
		this.line("}");
	}

	#contents(kind: FieldKind, value: string): void {
		if (kind === "bytes") {
			this.line(`if (${value}.length > 0) { bytes.set(${value}, p); p += ${value}.length; }`);
		} else if (typeof kind === "string" || "oneOf" in kind) {
			assert(false, "only what holds bytes has contents");
		} else if ("list" in kind) {
			const [list, item] = [this.fresh("list"), this.fresh("item")];
			this.line(`const ${list} = ${value};`, `for (let i = 0; i < ${list}.length; i++) {`);
			this.line(`const ${item} = ${list}[i];`);
			this.#contentsOf(kind.list, item);
			this.line("}");
		} else if ("record" in kind) {
			this.#contentsOf(kind.record, value);
		} else {
			this.line(`if (${value} !== ${absenceOf(kind)}) {`);
			this.#contents(presentKind(kind), value);
			this.line("}");
		}
	}

	#contentsOf(fields: readonly Field[], record: string): void {
		for (const { name, kind } of fields) if (holdsBytes(kind)) this.#contents(kind, `${record}.${name}`);
	}
}

/** `decode(bytes, view, plain, start, end, shared)`: one bound check for each stretch of fixed fields, then plain reads. */
class DecoderSource extends SourceWriter {
	emit(layout: MessageLayout): string {
		const blob = layout.fields.some((field) => holdsBytes(field.kind));
		this.line("decode(bytes, view, plain, start, end, shared) {", "let p = start, limit = end;");
		if (blob) {
			this.line('if (end - p < 4) bad(end - start, "cut off");');
			this.line("const total = view.getUint32(p, true); p += 4;");
			this.line('if (total > end - p) bad(end - start, "cut off");', "limit = end - total;");
			const single = layout.fields.filter((field) => holdsBytes(field.kind));
			// A lone byte field is the blob itself; else all are views on it.
			this.#wholeBlob = single.length === 1 && single[0]?.kind === "bytes";
			this.line("const blob = total === 0 ? noBytes : shared ? plain.subarray(limit, end) : plain.slice(limit, end);");
			this.line("let b = 0;");
			if (!this.#wholeBlob) this.line("const store = blob.buffer, base = blob.byteOffset;");
		}
		const literal = this.#fields(layout.fields);
		this.line('if (p !== limit) bad(end - start, "bytes are left over");');
		if (blob) this.line('if (b !== total) bad(end - start, "byte fields do not add up");');
		this.line(`return {type: ${q(layout.type)}, ${literal}};`, "},");
		return this.text();
	}

	#wholeBlob = false;
	/** What stands in front of all functions: the words of one-ofs, made once and not for each message. */
	readonly tables: string[] = [];

	/** Reads the fields into fresh variables and returns the inside of the object literal. */
	#fields(fields: readonly Field[]): string {
		const parts: string[] = [];
		let i = 0;
		while (i < fields.length) {
			const run: Field[] = [];
			while (i < fields.length && isFixed((fields[i] as Field).kind)) run.push(fields[i++] as Field);
			if (run.length > 0) this.#run(run, parts);
			else {
				const { name, kind } = fields[i++] as Field;
				parts.push(`${name}: ${this.#varying(kind)}`);
			}
		}
		return parts.join(", ");
	}

	#run(run: readonly Field[], parts: string[]): void {
		const size = bytesMinOf(run);
		this.line(`if (${size} > limit - p) bad(end - start, "cut off");`);
		let offset = 0;
		for (const { name, kind } of run) {
			parts.push(`${name}: ${this.#fixed(kind, `p + ${offset}`)}`);
			offset += bytesMin(kind);
		}
		this.line(`p += ${size};`);
	}

	#fixed(kind: FieldKind, at: string): string {
		const v = this.fresh("v");
		if (typeof kind === "object") {
			assert("oneOf" in kind, "only one-of is a fixed compound");
			const table = this.fresh("names");
			this.tables.push(`const ${table} = ${JSON.stringify(kind.oneOf)};`);
			this.line(`const ${v} = ${table}[bytes[${at}]];`);
			this.line(`if (${v} === undefined) bad(end - start, "no such choice");`);
			return v;
		}
		switch (kind) {
			case "boolean":
				this.line(`const ${v} = bytes[${at}];`, `if (${v} > 1) bad(end - start, "no boolean");`);
				return `${v} === 1`;
			case "uint8":
				this.line(`const ${v} = bytes[${at}];`);
				return v;
			case "uint16":
				this.line(`const ${v} = view.getUint16(${at}, true);`);
				return v;
			case "uint32":
				this.line(`const ${v} = view.getUint32(${at}, true);`);
				return v;
			case "safe-integer":
				this.line(`const ${v} = view.getFloat64(${at}, true);`);
				this.line(`if (!Number.isSafeInteger(${v})) bad(end - start, "no safe integer");`);
				return v;
			case "float64":
				this.line(`const ${v} = view.getFloat64(${at}, true);`);
				return v;
			case "bytes":
				return this.#bytes(v, at);
			default:
				assert(false, "text is not fixed");
		}
	}

	#bytes(v: string, at: string): string {
		const length = this.fresh("length");
		this.line(`const ${length} = view.getUint32(${at}, true);`);
		this.line(`if (${length} > total - b) bad(end - start, "byte fields do not add up");`);
		this.line(
			this.#wholeBlob
				? `const ${v} = blob;`
				: `const ${v} = ${length} === 0 ? noBytes : new Uint8Array(store, base + b, ${length});`,
		);
		this.line(`b += ${length};`);
		return v;
	}

	#varying(kind: FieldKind): string {
		if (kind === "text") return this.#text();
		assert(typeof kind === "object" && !("oneOf" in kind), "what varies is text, a list, a record or may be absent");
		if ("list" in kind) return this.#list(kind.list);
		if ("record" in kind) return `{${this.#fields(kind.record)}}`;
		const present = presentKind(kind);
		const v = this.fresh("v");
		this.line(
			`let ${v} = ${absenceOf(kind)};`,
			'if (1 > limit - p || bytes[p] > 1) bad(end - start, "no presence byte");',
		);
		this.line("if (bytes[p++] === 1) {");
		if (isFixed(present)) {
			const parts: string[] = [];
			this.#run([{ name: v, kind: present }], parts);
			this.line(`${v} = ${(parts[0] as string).slice(v.length + 2)};`);
		} else {
			this.line(`${v} = ${this.#varying(present)};`);
		}
		this.line("}");
		return v;
	}

	#text(): string {
		const v = this.fresh("v");
		const length = this.fresh("length");
		this.line('if (4 > limit - p) bad(end - start, "cut off");', `const ${length} = view.getUint32(p, true); p += 4;`);
		this.line(`if (${length} > limit - p) bad(end - start, "cut off");`);
		this.line(`const ${v} = readText(bytes, p, p + ${length}); p += ${length};`);
		this.line(`if (${v} === undefined) bad(end - start, "malformed UTF-8");`);
		return v;
	}

	#list(fields: readonly Field[]): string {
		const v = this.fresh("v");
		const count = this.fresh("count");
		const itemMin = bytesMinOf(fields);
		this.line('if (4 > limit - p) bad(end - start, "cut off");', `const ${count} = view.getUint32(p, true); p += 4;`);
		this.line(`if (${count} > (limit - p) / ${itemMin}) bad(end - start, "more items than bytes");`);
		this.line(`const ${v} = [];`, `for (let i = 0; i < ${count}; i++) {`);
		const literal = this.#fields(fields);
		this.line(`${v}.push({${literal}});`, "}");
		return v;
	}
}
