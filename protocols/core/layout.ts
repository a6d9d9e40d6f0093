/**
 * Layouts: the shape of a hot message as data. A protocol's room exports them, `runtime/codec` compiles them to
 * an encoder and a decoder without knowing the protocol, and `actors/participant` joins the two. A message that
 * has no layout still travels, as self-describing msgpack: slower and larger, never wrong.
 */

/**
 * The kinds of field. Numbers outside their range are refused by the encoder, never wrapped.
 *
 * | kind | value | bytes |
 * |---|---|---|
 * | `boolean` | boolean | 1 |
 * | `uint8` `uint16` `uint32` | integer | 1, 2, 4 |
 * | `safe-integer` | integer in ±(2^53 − 1) | 8 |
 * | `float64` | number | 8 |
 * | `bytes` | Uint8Array | 4 + length |
 * | `text` | string, UTF-8 | 4 + length |
 * | `one-of` | one of the listed strings, at most 256 | 1 |
 * | `list` | array of records with these fields | 4 + items |
 * | `record` | record with these fields | its fields |
 * | `optional` | the field, or `undefined` when absent | 1 + field |
 * | `nullable` | the field, or `null` when absent | 1 + field |
 */
export type FieldKind =
	| "boolean"
	| "uint8"
	| "uint16"
	| "uint32"
	| "safe-integer"
	| "float64"
	| "bytes"
	| "text"
	| { readonly oneOf: readonly string[] }
	| { readonly list: readonly Field[] }
	| { readonly record: readonly Field[] }
	| { readonly optional: FieldKind }
	| { readonly nullable: FieldKind };

/** One named field; the order in the list is the order on the wire. */
export interface Field {
	readonly name: string;
	readonly kind: FieldKind;
}

/** The layout of the messages whose `type` is this literal. `type` itself is implied, not a field. */
export interface MessageLayout {
	readonly type: string;
	readonly fields: readonly Field[];
}

/**
 * All layouts of one protocol. The order of `messages` is part of the wire format, so only append to it;
 * `version` changes when a layout changes.
 */
export interface LayoutTable {
	readonly protocol: string;
	readonly version: number;
	readonly messages: readonly MessageLayout[];
}
