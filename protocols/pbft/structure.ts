/**
 * Plain data as bytes and back, for what travels inside an operation and is judged by every member: numbers that are whole and not
 * negative, texts of characters up to U+00FF, byte strings, lists and records. Reading never throws, whatever the bytes are.
 */
import { ByteWriter } from "./bytes.ts";

/** What {@link encodeStructure} takes. */
export type Structure = null | boolean | number | string | Uint8Array | readonly Structure[] | StructureRecord;
interface StructureRecord {
	readonly [name: string]: Structure;
}

/** Lists and records within each other; evidence has seven. */
const DEPTH_MAX = 16;

const NULL = 0;
const FALSE = 1;
const TRUE = 2;
const NUMBER = 3;
const TEXT = 4;
const BYTES = 5;
const LIST = 6;
const RECORD = 7;

/** The fields of records keep their order. */
export function encodeStructure(value: Structure): Uint8Array {
	const writer = new ByteWriter(1024);
	write(writer, value);
	return writer.finish();
}

/** Undefined for bytes that {@link encodeStructure} does not write. */
export function decodeStructure(bytes: Uint8Array): Structure | undefined {
	const reader = new StructureReader(bytes);
	const value = reader.value(0);
	return value !== undefined && reader.isAtEnd ? value : undefined;
}

function write(writer: ByteWriter, value: Structure): void {
	if (value === null) writer.uint8(NULL);
	else if (typeof value === "boolean") writer.uint8(value ? TRUE : FALSE);
	else if (typeof value === "number") writer.uint8(NUMBER).integer(value);
	else if (typeof value === "string") writer.uint8(TEXT).text(value);
	else if (value instanceof Uint8Array) writer.uint8(BYTES).bytes(value);
	else if (isList(value)) writer.uint8(LIST).list(value, (item) => write(writer, item));
	else {
		writer.uint8(RECORD).list(Object.entries(value), ([name, field]) => {
			writer.text(name);
			write(writer, field);
		});
	}
}

function isList(value: Structure): value is readonly Structure[] {
	return Array.isArray(value);
}

class StructureReader {
	readonly #bytes: Uint8Array;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	get isAtEnd(): boolean {
		return this.#at === this.#bytes.length;
	}

	value(depth: number): Structure | undefined {
		switch (depth > DEPTH_MAX ? undefined : this.#bytes[this.#at++]) {
			case NULL:
				return null;
			case FALSE:
				return false;
			case TRUE:
				return true;
			case NUMBER:
				return this.#integer();
			case TEXT:
				return this.#text();
			case BYTES:
				return this.#byteString();
			case LIST:
				return this.#list(depth);
			case RECORD:
				return this.#record(depth);
			default:
				return undefined;
		}
	}

	#list(depth: number): Structure[] | undefined {
		const count = this.#count();
		if (count === undefined) return undefined;
		const items: Structure[] = [];
		for (let i = 0; i < count; i++) {
			const item = this.value(depth + 1);
			if (item === undefined) return undefined;
			items.push(item);
		}
		return items;
	}

	#record(depth: number): StructureRecord | undefined {
		const count = this.#count();
		if (count === undefined) return undefined;
		const fields = new Map<string, Structure>();
		for (let i = 0; i < count; i++) {
			const name = this.#text();
			const field = this.value(depth + 1);
			if (name === undefined || field === undefined) return undefined;
			fields.set(name, field);
		}
		// Whatever a name is, it makes an own property and nothing else.
		return Object.fromEntries(fields);
	}

	/** Everything that is counted takes at least one byte, so a count beyond the rest is false. */
	#count(): number | undefined {
		const count = this.#integer();
		return count === undefined || count > this.#bytes.length - this.#at ? undefined : count;
	}

	#integer(): number | undefined {
		const high = this.#word();
		const low = this.#word();
		if (high === undefined || low === undefined) return undefined;
		const value = high * 0x1_0000_0000 + low;
		return Number.isSafeInteger(value) ? value : undefined;
	}

	#byteString(): Uint8Array | undefined {
		const length = this.#word();
		if (length === undefined || this.#at + length > this.#bytes.length) return undefined;
		this.#at += length;
		return this.#bytes.slice(this.#at - length, this.#at);
	}

	#text(): string | undefined {
		const bytes = this.#byteString();
		if (bytes === undefined) return undefined;
		let text = "";
		for (const byte of bytes) text += String.fromCharCode(byte);
		return text;
	}

	#word(): number | undefined {
		if (this.#at + 4 > this.#bytes.length) return undefined;
		let word = 0;
		for (let i = 0; i < 4; i++) word = word * 256 + (this.#bytes[this.#at++] as number);
		return word;
	}
}
