/**
 * Values as MessagePack, in one spelling: the shortest form of each number, maps in code-unit order of their keys. Any
 * MessagePack reader (msgpackr among them) understands the bytes; equal values have equal ones, so they can be compared and
 * hashed. A value in another spelling is refused when it is read.
 */
import { compareIds } from "../../core/index.ts";
import { valueUnencodable } from "../errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import { type ByteWriter, utf8Length } from "./byte-writer.ts";

/** What can be replicated: plain data. `-0` becomes `0`; `NaN`, `undefined` and instances of classes are refused. */
export type Value =
	| null
	| boolean
	| number
	| string
	| Uint8Array
	| readonly Value[]
	| { readonly [key: string]: Value };

/** How deep lists and records may nest. */
export const VALUE_DEPTH_MAX = 32;

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const FLOAT64 = 0xcb;
const scratch = new DataView(new ArrayBuffer(8));

/** @throws QuorateError `crdt-value-unencodable` */
export function writeValue(writer: ByteWriter, value: unknown, depth = 0): void {
	switch (typeof value) {
		case "string":
			writeText(writer, value);
			return;
		case "number":
			writeNumber(writer, value);
			return;
		case "boolean":
			writer.byte(value ? TRUE : FALSE);
			return;
		case "object":
			writeObject(writer, value, depth);
			return;
		default:
			throw valueUnencodable({ kind: typeof value, reason: "it is no plain data" });
	}
}

/** @throws QuorateError `crdt-update-damaged` for anything that {@link writeValue} would not have written */
export function readValue(reader: ByteReader, depth = 0): Value {
	const tag = reader.byte();
	if (tag < 0x80) return tag;
	if (tag >= 0xe0) return tag - 0x100;
	if (tag < 0x90) return readRecord(reader, tag & 0x0f, depth);
	if (tag < 0xa0) return readList(reader, tag & 0x0f, depth);
	if (tag < 0xc0) return readText(reader, tag & 0x1f);
	switch (tag) {
		case NIL:
			return null;
		case FALSE:
			return false;
		case TRUE:
			return true;
		case FLOAT64:
			return readFloat(reader);
		case 0xc4:
			return reader.take(bigEndian(reader, 1, 0)).slice();
		case 0xc5:
			return reader.take(bigEndian(reader, 2, 0x100)).slice();
		case 0xc6:
			return reader.take(bigEndian(reader, 4, 0x1_0000)).slice();
		case 0xcc:
			return bigEndian(reader, 1, 0x80);
		case 0xcd:
			return bigEndian(reader, 2, 0x100);
		case 0xce:
			return bigEndian(reader, 4, 0x1_0000);
		case 0xcf:
			return bigEndian(reader, 8, 0x1_0000_0000);
		case 0xd0:
			return negative(reader, 1, 0x20);
		case 0xd1:
			return negative(reader, 2, 0x80);
		case 0xd2:
			return negative(reader, 4, 0x8000);
		case 0xd3:
			return negative(reader, 8, 0x8000_0000);
		case 0xd9:
			return readText(reader, bigEndian(reader, 1, 0x20));
		case 0xda:
			return readText(reader, bigEndian(reader, 2, 0x100));
		case 0xdb:
			return readText(reader, bigEndian(reader, 4, 0x1_0000));
		case 0xdc:
			return readList(reader, bigEndian(reader, 2, 0x10), depth);
		case 0xdd:
			return readList(reader, bigEndian(reader, 4, 0x1_0000), depth);
		case 0xde:
			return readRecord(reader, bigEndian(reader, 2, 0x10), depth);
		case 0xdf:
			return readRecord(reader, bigEndian(reader, 4, 0x1_0000), depth);
		default:
			throw reader.damaged(`a value of unknown tag ${tag}`);
	}
}

function writeText(writer: ByteWriter, text: string): void {
	const bytes = utf8Length(text);
	if (bytes < 0x20) writer.byte(0xa0 | bytes);
	else if (bytes < 0x100) writeBigEndian(writer, 0xd9, bytes, 1);
	else if (bytes < 0x1_0000) writeBigEndian(writer, 0xda, bytes, 2);
	else writeBigEndian(writer, 0xdb, bytes, 4);
	writer.utf8(text, bytes);
}

function writeNumber(writer: ByteWriter, value: number): void {
	if (Number.isNaN(value)) throw valueUnencodable({ kind: "number", reason: "NaN equals nothing, not even itself" });
	if (!Number.isSafeInteger(value)) {
		scratch.setFloat64(0, value);
		writer.byte(FLOAT64);
		for (let i = 0; i < 8; i++) writer.byte(scratch.getUint8(i));
		return;
	}
	if (value >= 0) {
		if (value < 0x80) writer.byte(value);
		else if (value < 0x100) writeBigEndian(writer, 0xcc, value, 1);
		else if (value < 0x1_0000) writeBigEndian(writer, 0xcd, value, 2);
		else if (value < 0x1_0000_0000) writeBigEndian(writer, 0xce, value, 4);
		else writeBigEndian(writer, 0xcf, value, 8);
		return;
	}
	if (value >= -0x20) writer.byte(0x100 + value);
	else if (value >= -0x80) writeBigEndian(writer, 0xd0, 0x100 + value, 1);
	else if (value >= -0x8000) writeBigEndian(writer, 0xd1, 0x1_0000 + value, 2);
	else if (value >= -0x8000_0000) writeBigEndian(writer, 0xd2, 0x1_0000_0000 + value, 4);
	else {
		writer.byte(0xd3);
		scratch.setBigInt64(0, BigInt(value));
		for (let i = 0; i < 8; i++) writer.byte(scratch.getUint8(i));
	}
}

function writeObject(writer: ByteWriter, value: object | null, depth: number): void {
	if (value === null) {
		writer.byte(NIL);
		return;
	}
	if (depth >= VALUE_DEPTH_MAX)
		throw valueUnencodable({ kind: "object", reason: `it is deeper than ${VALUE_DEPTH_MAX}` });
	if (value instanceof Uint8Array) {
		const tag = value.length < 0x100 ? 0xc4 : value.length < 0x1_0000 ? 0xc5 : 0xc6;
		writeBigEndian(writer, tag, value.length, tag === 0xc4 ? 1 : tag === 0xc5 ? 2 : 4);
		writer.bytes(value);
		return;
	}
	if (Array.isArray(value)) {
		writeCount(writer, value.length, 0x90, 0xdc);
		for (const item of value) writeValue(writer, item, depth + 1);
		return;
	}
	const prototype = Object.getPrototypeOf(value);
	if (prototype !== Object.prototype && prototype !== null)
		throw valueUnencodable({ kind: "object", reason: "it is an instance of a class" });
	const pairs = Object.entries(value).sort(([a], [b]) => compareIds(a, b));
	writeCount(writer, pairs.length, 0x80, 0xde);
	for (const [key, item] of pairs) {
		writeText(writer, key);
		writeValue(writer, item, depth + 1);
	}
}

function writeCount(writer: ByteWriter, count: number, short: number, long: number): void {
	if (count < 0x10) writer.byte(short | count);
	else if (count < 0x1_0000) writeBigEndian(writer, long, count, 2);
	else writeBigEndian(writer, long + 1, count, 4);
}

function writeBigEndian(writer: ByteWriter, tag: number, value: number, bytes: number): void {
	writer.byte(tag);
	for (let shift = bytes - 1; shift >= 0; shift--) writer.byte(Math.floor(value / 2 ** (8 * shift)) & 0xff);
}

/** @param least a smaller value has a shorter form */
function bigEndian(reader: ByteReader, bytes: number, least: number): number {
	let value = 0;
	for (let i = 0; i < bytes; i++) value = value * 0x100 + reader.byte();
	if (value < least || !Number.isSafeInteger(value)) throw reader.damaged("a number that is not in its shortest form");
	return value;
}

/** @param above a value above minus this has a shorter form */
function negative(reader: ByteReader, bytes: number, above: number): number {
	for (let i = 0; i < bytes; i++) scratch.setUint8(i, reader.byte());
	const value =
		bytes === 1
			? scratch.getInt8(0)
			: bytes === 2
				? scratch.getInt16(0)
				: bytes === 4
					? scratch.getInt32(0)
					: Number(scratch.getBigInt64(0));
	if (value >= -above || !Number.isSafeInteger(value))
		throw reader.damaged("a number that is not in its shortest form");
	return value;
}

function readFloat(reader: ByteReader): number {
	for (let i = 0; i < 8; i++) scratch.setUint8(i, reader.byte());
	const value = scratch.getFloat64(0);
	if (Number.isNaN(value) || Number.isSafeInteger(value)) throw reader.damaged("a number not in its shortest form");
	return value;
}

function readText(reader: ByteReader, bytes: number): string {
	return reader.utf8(bytes);
}

function readList(reader: ByteReader, count: number, depth: number): Value[] {
	checkNesting(reader, count, depth);
	const list: Value[] = [];
	for (let i = 0; i < count; i++) list.push(readValue(reader, depth + 1));
	return list;
}

function readRecord(reader: ByteReader, count: number, depth: number): { [key: string]: Value } {
	checkNesting(reader, count, depth);
	const entries: [string, Value][] = [];
	let before: string | null = null;
	for (let i = 0; i < count; i++) {
		const key = readValue(reader, VALUE_DEPTH_MAX);
		if (typeof key !== "string" || (before !== null && compareIds(before, key) >= 0))
			throw reader.damaged("a record whose keys are not in order");
		before = key;
		entries.push([key, readValue(reader, depth + 1)]);
	}
	// fromEntries defines own properties, so a key like __proto__ is a key like any other.
	return Object.fromEntries(entries);
}

function checkNesting(reader: ByteReader, count: number, depth: number): void {
	if (depth >= VALUE_DEPTH_MAX) throw reader.damaged(`a value deeper than ${VALUE_DEPTH_MAX}`);
	if (count > reader.remaining) throw reader.damaged("a count beyond its end");
}
