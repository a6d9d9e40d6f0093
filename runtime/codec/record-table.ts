/**
 * msgpack for everything without a layout: msgpackr with a frozen table of record shapes. The table is built once, at
 * boot, from known shapes, and handed to every thread. Nothing is learned while running: a shape outside the
 * table travels with its definition inside the message. So every message can be decoded by itself, by any thread that has
 * the table, in any order; a replacement consumer needs nothing that its predecessor saw.
 */
import { addExtension, Packr, Unpackr } from "msgpackr";
import { errorFromObject, errorToObject, hashText } from "../../protocols/core/index.ts";
import { recordTableInvalid } from "./errors.ts";

/** Key lists of records, in the order of their numbers: plain data, cloneable to other threads. */
export type RecordShapes = readonly (readonly string[])[];

/** msgpackr's format has numbers for 8,160; with more than 32 each takes two bytes. */
export const RECORD_SHAPES_MAX = 1024;
/** How deep {@link shapesOf} looks. */
const EXAMPLE_DEPTH_MAX = 32;

/** msgpackr's number for errors; the application types of msgpack are 0 to 127. */
const ERROR_EXTENSION = 0x51;
// Once for the thread: msgpackr keeps extensions globally. An error arrives as a QuorateError with code and details
// intact (a foreign one with code `internal`), as `errorFromObject` says.
addExtension({ Class: Error, type: ERROR_EXTENSION, write: errorToObject, read: errorFromObject });

/** The shapes of all records inside the examples, in the order they are met, each once. */
export function shapesOf(examples: readonly unknown[]): RecordShapes {
	const shapes = new Map<string, readonly string[]>();
	const visit = (value: unknown, depth: number): void => {
		if (typeof value !== "object" || value === null || depth > EXAMPLE_DEPTH_MAX) return;
		if (Array.isArray(value) || value instanceof Set) {
			for (const item of value) visit(item, depth + 1);
		} else if (value instanceof Map) {
			for (const [key, item] of value) {
				visit(key, depth + 1);
				visit(item, depth + 1);
			}
		} else if (Object.getPrototypeOf(value) === Object.prototype) {
			const keys = Object.keys(value);
			shapes.set(JSON.stringify(keys), keys);
			for (const item of Object.values(value)) visit(item, depth + 1);
		}
	};
	for (const example of examples) visit(example, 0);
	return [...shapes.values()];
}

/**
 * Packs and unpacks with a frozen table of shapes. Plain data, Map, Set, Date, RegExp, bigint, typed arrays and
 * errors keep their types. Class instances arrive as plain objects. Cycles, functions and symbols are refused.
 */
export class RecordTable {
	readonly shapes: RecordShapes;
	/** Equal for equal tables. */
	readonly hash: string;
	readonly #packr: Packr;
	readonly #unpackr: Unpackr;

	/** @throws QuorateError `record-table-invalid` */
	constructor(shapes: RecordShapes) {
		const refuse = (reason: string): Error =>
			recordTableInvalid({ reason, shapes: shapes.length, limit: RECORD_SHAPES_MAX });
		if (shapes.length > RECORD_SHAPES_MAX) throw refuse("too many record shapes");
		if (new Set(shapes.map((keys) => JSON.stringify(keys))).size !== shapes.length) {
			throw refuse("a record shape is listed twice");
		}
		this.shapes = shapes;
		this.hash = hashText(JSON.stringify(shapes));
		// Each gets copies, since msgpackr keeps notes on the arrays; and gets them by `getStructures`, since with more
		// than 32 only that way marks them as two-byte shapes (given as `structures` they decode wrongly in 2.1.3).
		const getStructures = (): string[][] => shapes.map((keys) => [...keys]);
		// With no room above the given shapes, msgpackr numbers every other shape as the message's own and defines it
		// inside. That is the freeze.
		const maxSharedStructures = shapes.length;
		const options = { getStructures, maxSharedStructures, moreTypes: true, useToJSON: false, copyBuffers: true };
		this.#packr = new Packr({ ...options, writeFunction: refuseFunction });
		this.#unpackr = new Unpackr({ ...options });
	}

	/** The packed value, in memory of the packer's that later calls leave alone. Throws what msgpackr throws. */
	pack(value: unknown): Buffer {
		return this.#packr.pack(value);
	}

	/** The value in `bytes[start, end)`, sharing no memory with it. Throws what msgpackr throws. */
	unpack(bytes: Buffer, start: number, end: number): unknown {
		return this.#unpackr.unpack(bytes, { start, end });
	}
}

function refuseFunction(): never {
	throw new TypeError("a function can not be sent");
}
