/**
 * Shapes: what a value in an experiment file may be, as data. The parser, the writer and the JSON Schema all read the
 * same tables, so the format has one description.
 */

export type Shape =
	| { readonly type: "text"; readonly lengthMin: number; readonly lengthMax: number; readonly pattern?: TextPattern }
	| { readonly type: "integer"; readonly min: number; readonly max: number }
	| { readonly type: "number"; readonly min: number; readonly max: number }
	/** A flag that is either left out or true. */
	| { readonly type: "true" }
	/** A regular expression, with the flag `u`. */
	| { readonly type: "regex" }
	/** Nothing may be written here. */
	| { readonly type: "never" }
	/** Milliseconds, written with a unit: `150ms`, `2s`, `1.5m`, `1h`. */
	| { readonly type: "duration"; readonly min: number; readonly max: number }
	/** Per second, written `200/s` or `30/m`. */
	| { readonly type: "rate"; readonly min: number; readonly max: number }
	| { readonly type: "choice"; readonly of: readonly string[] }
	/** A number, a text, true, false or null. */
	| { readonly type: "scalar" }
	| { readonly type: "list"; readonly of: Shape; readonly countMin: number; readonly countMax: number }
	/** Names that the format does not know, each with a value. */
	| { readonly type: "map"; readonly of: Shape; readonly countMax: number }
	| RecordShape
	| VariantsShape
	| EitherShape;

/** A regular expression and what it means to a reader. */
export interface TextPattern {
	readonly source: string;
	readonly expected: string;
}

/** Known keys, each with a shape. */
export interface RecordShape {
	readonly type: "record";
	readonly fields: readonly Field[];
}

/**
 * A record whose further keys depend on one of them. In data the choice and its arguments stand together: `{…common,
 * [on]: {kind, arguments}}`.
 */
export interface VariantsShape {
	readonly type: "variants";
	/** The key that decides, in files and in data. */
	readonly on: string;
	readonly variants: readonly Variant[];
}

export interface Variant {
	readonly name: string;
	readonly means: string;
	/** Keys that do not belong to the choice. */
	readonly common: readonly Field[];
	readonly arguments: readonly Field[];
}

/**
 * A value that may be written in more than one way. A mapping is read by the form that knows its first key, anything
 * else by the first form that is no mapping.
 */
export interface EitherShape {
	readonly type: "either";
	readonly forms: readonly Form[];
	/** For the message when none fits. */
	readonly expected: string;
}

/** One way of writing a value. */
export interface Form {
	readonly shape: Shape;
	toData(written: unknown): unknown;
	/** What is written for a value of data; undefined: this form is not for it. */
	toFile(data: unknown): unknown;
}

/** One key of a record. */
export interface Field {
	/** As it is written in a file; the unit stands with the value. */
	readonly key: string;
	/** As it is called in data; the unit stands in the name. */
	readonly name: string;
	readonly shape: Shape;
	/** One sentence. */
	readonly means: string;
	/**
	 * Without one the key is required, unless `optional`. In data's form; of a record as a mapping of what it takes from
	 * its own defaults (`{}`: all); or a function of what was read before, of this record and of the whole.
	 */
	readonly default?: unknown;
	/** May be left out, and is then left out of the data too. */
	readonly optional?: true;
	/** What a plan draws from, where the whole range would be senseless. */
	readonly typical?: { readonly min: number; readonly max: number };
}

export const text = (lengthMin: number, lengthMax: number, pattern?: TextPattern): Shape => ({
	type: "text",
	lengthMin,
	lengthMax,
	...(pattern === undefined ? {} : { pattern }),
});
export const integer = (min: number, max: number): Shape => ({ type: "integer", min, max });
export const number = (min: number, max: number): Shape => ({ type: "number", min, max });
export const duration = (min: number, max: number): Shape => ({ type: "duration", min, max });
export const rate = (min: number, max: number): Shape => ({ type: "rate", min, max });
export const choice = (of: readonly string[]): Shape => ({ type: "choice", of });
export const list = (of: Shape, countMin: number, countMax: number): Shape => ({
	type: "list",
	of,
	countMin,
	countMax,
});
export const map = (of: Shape, countMax: number): Shape => ({ type: "map", of, countMax });
export const scalar: Shape = { type: "scalar" };
export const record = (fields: readonly Field[]): RecordShape => ({ type: "record", fields });
