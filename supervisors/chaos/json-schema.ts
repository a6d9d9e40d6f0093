/** The JSON Schema of experiment files, made from the table that the parser reads. */
import { assertNever } from "../../protocols/core/index.ts";
import { EXPERIMENT_VERSION } from "./experiment.ts";
import { experimentShape } from "./experiment-format.ts";
import type { Field, RecordShape, Shape, Variant, VariantsShape } from "./shape.ts";
import { DURATION_PATTERN, RATE_PATTERN } from "./units.ts";
import { writeShape } from "./write-shape.ts";

/** A JSON Schema, or a part of one. */
export type JsonSchema = { readonly [key: string]: unknown };

/**
 * JSON Schema (draft 2020-12) of an experiment, for editors and other tools. What a schema can not say (ranges of
 * durations, that a regular expression compiles, what an engine supports) the parser and the runner check.
 */
export function experimentSchema(): JsonSchema {
	return {
		$schema: "https://json-schema.org/draft/2020-12/schema",
		$id: `urn:${EXPERIMENT_VERSION.replaceAll("/", ":")}`,
		title: "Chaos experiment of Quorate",
		...schemaOf(experimentShape),
	};
}

/** {@link experimentSchema} as it is published: `quorate/experiment.schema.json` of the package. */
export function experimentSchemaText(): string {
	return `${JSON.stringify(experimentSchema(), null, "\t")}\n`;
}

function schemaOf(shape: Shape): JsonSchema {
	switch (shape.type) {
		case "text":
			return {
				...{ type: "string", minLength: shape.lengthMin, maxLength: shape.lengthMax },
				...(shape.pattern === undefined ? {} : { pattern: shape.pattern.source }),
			};
		case "integer":
		case "number":
			return { type: shape.type, ...bounds(shape) };
		case "true":
			return { const: true };
		case "never":
			return { not: {} };
		case "regex":
			return { type: "string", format: "regex" };
		case "duration":
			return { type: "string", pattern: DURATION_PATTERN };
		case "rate":
			return { type: "string", pattern: RATE_PATTERN };
		case "choice":
			return { enum: shape.of };
		case "scalar":
			return { type: ["number", "string", "boolean", "null"] };
		case "list":
			return { type: "array", items: schemaOf(shape.of), minItems: shape.countMin, maxItems: shape.countMax };
		case "map":
			return { type: "object", additionalProperties: schemaOf(shape.of), maxProperties: shape.countMax };
		case "record":
			return recordSchema(shape);
		case "variants":
			return { oneOf: shape.variants.map((variant) => variantSchema(shape, variant)) };
		case "either":
			return { anyOf: shape.forms.map((form) => schemaOf(form.shape)) };
		default:
			return assertNever(shape, "shape");
	}
}

function recordSchema({ fields }: RecordShape): JsonSchema {
	const written = fields.filter(({ shape }) => shape.type !== "never");
	// Of bounds one must be there, or the mapping would say nothing.
	const mayBeEmpty = !fields.every(({ default: byDefault }) => Math.abs(byDefault as number) === Number.MAX_VALUE);
	return {
		type: "object",
		properties: Object.fromEntries(written.map((field) => [field.key, fieldSchema(field)])),
		required: written.filter(isRequired).map(({ key }) => key),
		additionalProperties: false,
		...(mayBeEmpty ? {} : { minProperties: 1 }),
	};
}

function variantSchema({ on }: VariantsShape, { name, means, common, arguments: given }: Variant): JsonSchema {
	const schema = recordSchema({ type: "record", fields: [...common, ...given] });
	return {
		description: means,
		...schema,
		properties: { [on]: { const: name }, ...(schema["properties"] as JsonSchema) },
		required: [on, ...(schema["required"] as readonly string[])],
	};
}

function fieldSchema(field: Field): JsonSchema {
	const { shape, means, default: byDefault } = field;
	const plain = byDefault !== undefined && byDefault !== null && typeof byDefault !== "function";
	const unbounded = typeof byDefault === "number" && Math.abs(byDefault) === Number.MAX_VALUE;
	return {
		description: means,
		...schemaOf(shape),
		...(plain && !unbounded ? { default: writeShape(byDefault, shape) } : {}),
	};
}

function isRequired(field: Field): boolean {
	return field.optional !== true && !("default" in field);
}

function bounds({ min, max }: { readonly min: number; readonly max: number }): JsonSchema {
	return Math.abs(max) === Number.MAX_VALUE ? {} : { minimum: min, maximum: max };
}
