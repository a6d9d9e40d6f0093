/**
 * What a document is made of: named parts of the types below, records of them, and maps from keys to values of one type. Replicas
 * of one document must agree on it: a part that only some of them know can not be read by the others.
 */
import { schemaInvalid } from "../errors.ts";

/**
 * | type | value | concurrent updates |
 * |---|---|---|
 * | `g-counter` | sum of increments | add up |
 * | `pn-counter` | sum of increments and decrements | add up |
 * | `bounded-counter` | never below 0 | decrements need rights that the replica holds, and may pass on |
 * | `enable-wins-flag` `disable-wins-flag` | boolean, at first false | the name says which wins |
 * | `lww-register` | a value | the later stamp wins; equal ones by replica |
 * | `mv-register` | all values that no other write has seen | all are kept |
 * | `add-wins-set` `remove-wins-set` | values | the name says which wins, element by element |
 * | `text` | a string, by UTF-16 units | all insertions are kept, in an order that does not interleave them |
 * | `list` | values, in order | as `text` |
 */
export const leafTypes = [
	"g-counter",
	"pn-counter",
	"bounded-counter",
	"enable-wins-flag",
	"disable-wins-flag",
	"lww-register",
	"mv-register",
	"add-wins-set",
	"remove-wins-set",
	"text",
	"list",
] as const;

/** The type of a part that holds no further parts. */
export type LeafType = (typeof leafTypes)[number];

/** The type of a part: a leaf, a map from keys to parts of one type, or a record of named parts. */
export type Schema = LeafType | { readonly map: Schema } | { readonly record: DocumentSchema };

/** The named parts of a document or record. */
export interface DocumentSchema {
	readonly [name: string]: Schema;
}

/** How deep maps and records nest. */
export const SCHEMA_DEPTH_MAX = 16;

/**
 * @throws QuorateError `crdt-schema-invalid` for an unknown type, for nesting deeper than {@link SCHEMA_DEPTH_MAX}, and for a
 *   bounded counter below a map: removing its key would lose rights
 */
export function validateSchema(schema: DocumentSchema): void {
	validateRecord(schema, "", false, 0);
}

function validateRecord(record: unknown, path: string, inMap: boolean, depth: number): void {
	if (typeof record !== "object" || record === null || Array.isArray(record)) {
		throw schemaInvalid({ path: path || "/", expected: "a record of named types", actual: kindOf(record) });
	}
	for (const [name, schema] of Object.entries(record)) validatePart(schema, `${path}/${name}`, inMap, depth + 1);
}

function validatePart(schema: unknown, path: string, inMap: boolean, depth: number): void {
	if (depth > SCHEMA_DEPTH_MAX) {
		throw schemaInvalid({ path, expected: `at most ${SCHEMA_DEPTH_MAX} levels`, actual: "more" });
	}
	if (typeof schema === "object" && schema !== null) {
		const keys = Object.keys(schema);
		if (keys.length === 1 && keys[0] === "map") {
			validatePart((schema as { map: unknown }).map, `${path}/*`, true, depth + 1);
			return;
		}
		if (keys.length === 1 && keys[0] === "record") {
			validateRecord((schema as { record: unknown }).record, path, inMap, depth + 1);
			return;
		}
	}
	if (!(leafTypes as readonly unknown[]).includes(schema)) {
		throw schemaInvalid({ path, expected: `${leafTypes.join(", ")}, a map or a record`, actual: kindOf(schema) });
	}
	if (inMap && schema === "bounded-counter") {
		throw schemaInvalid({ path, expected: "no bounded counter below a map", actual: "bounded-counter" });
	}
}

function kindOf(value: unknown): string {
	return typeof value === "string" ? value.slice(0, 40) : value === null ? "null" : typeof value;
}
