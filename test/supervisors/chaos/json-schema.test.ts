/**
 * Goal: the published JSON Schema is the format that the parser reads.
 * Method: the file is what the table makes; and over random documents, sound and spoilt, a small reader of JSON Schema that
 * was written from its specification refuses nothing that the parser accepts, and sees what a schema can see.
 */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parse } from "yaml";
import {
	experimentSchema,
	experimentSchemaText,
	FAULT_KINDS,
	formatExperiment,
	type JsonSchema,
	parseExperiment,
} from "../../../supervisors/index.ts";
import { arbitraryExperiment } from "./arbitrary-experiment.ts";

const schema = experimentSchema();

it("is published as the table makes it", () => {
	const file = new URL("../../../supervisors/chaos/experiment.schema.json", import.meta.url);
	expect(readFileSync(file, "utf8")).toBe(experimentSchemaText());
	const packaged = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
		files: string[];
		exports: Record<string, unknown>;
	};
	expect(packaged.files).toContain("supervisors/chaos/experiment.schema.json");
	expect(packaged.exports["./experiment.schema.json"]).toBe("./supervisors/chaos/experiment.schema.json");
});

it("knows every kind of fault with every argument", () => {
	const method = (schema["properties"] as Record<string, JsonSchema>)["method"] as { items: { oneOf: Variant[] } };
	const described = method.items.oneOf.map(({ properties }) => [
		properties["fault"]?.const,
		Object.keys(properties).sort(),
	]);
	const expected = FAULT_KINDS.map(({ kind, lasts, arguments: given }) => [
		kind,
		["fault", "at", "optional", ...(lasts ? ["for"] : []), ...given.map(({ key }) => key)].sort(),
	]);
	expect(described).toEqual(expected);
});

interface Variant {
	readonly properties: Record<string, { const?: string }>;
}

it("accepts what the parser writes", () => {
	fc.assert(
		fc.property(arbitraryExperiment, (experiment) => {
			expect(faultOf(parse(formatExperiment(experiment)), schema, "")).toBeNull();
		}),
		{ numRuns: 60 },
	);
});

it("refuses what the parser refuses, as far as a schema can see", () => {
	let refused = 0;
	fc.assert(
		fc.property(
			arbitraryExperiment,
			fc.nat(),
			fc.constantFrom("rename", "drop", "retype"),
			(experiment, place, how) => {
				const document = parse(formatExperiment(experiment)) as object;
				spoil(document, place, how);
				const bySchema = faultOf(document, schema, "");
				const byParser = isRefused(document);
				if (bySchema !== null) expect(byParser, `schema: ${bySchema}`).toBe(true);
				if (how === "rename" && byParser) expect(bySchema).not.toBeNull();
				if (byParser) refused++;
			},
		),
		{ numRuns: 150 },
	);
	expect(refused).toBeGreaterThan(50);
});

function isRefused(document: object): boolean {
	try {
		parseExperiment(JSON.stringify(document));
		return false;
	} catch {
		// Which error is the parser's own test.
		return true;
	}
}

/** Changes one key somewhere in the document. */
function spoil(document: object, place: number, how: string): void {
	const spots: { holder: Record<string, unknown>; key: string }[] = [];
	const walk = (value: unknown): void => {
		if (typeof value !== "object" || value === null) return;
		for (const [key, held] of Object.entries(value)) {
			if (!Array.isArray(value)) spots.push({ holder: value as Record<string, unknown>, key });
			walk(held);
		}
	};
	walk(document);
	const spot = spots[place % spots.length];
	if (spot === undefined) return;
	const { holder, key } = spot;
	if (how === "rename") holder[`${key}x`] = holder[key];
	if (how === "retype") holder[key] = Array.isArray(holder[key]) ? 3 : [];
	else delete holder[key];
}

/** The first way in which a value breaks a schema; null if it does not. Knows the words that ours uses, and no others. */
function faultOf(
	value: unknown,
	{ description: _, default: __, $schema, $id, title, format, ...rules }: JsonSchema,
	at: string,
): string | null {
	for (const [word, given] of Object.entries(rules)) {
		const check = words[word];
		if (check === undefined) return `${at}: unknown word ${word}`;
		const fault = check(value, given as never, at, rules);
		if (fault !== null) return fault;
	}
	return null;
}

type Check = (value: unknown, given: never, at: string, rules: JsonSchema) => string | null;
const isObject = (value: unknown): value is Record<string, unknown> =>
	typeof value === "object" && value !== null && !Array.isArray(value);
const unless = (condition: boolean, fault: string): string | null => (condition ? null : fault);
const typeOf = (value: unknown): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

const words: Readonly<Record<string, Check>> = {
	type: (value, given: string | readonly string[], at) => {
		const types = [given].flat();
		const integer = types.includes("integer") && Number.isInteger(value);
		return unless(integer || types.includes(typeOf(value)), `${at}: ${typeOf(value)}, not ${types.join()}`);
	},
	const: (value, given: unknown, at) => unless(value === given, `${at}: not ${given}`),
	enum: (value, given: readonly unknown[], at) => unless(given.includes(value), `${at}: none of ${given.join()}`),
	minimum: (value, given: number, at) => unless(typeof value !== "number" || value >= given, `${at}: below ${given}`),
	maximum: (value, given: number, at) => unless(typeof value !== "number" || value <= given, `${at}: above ${given}`),
	minLength: (value, given: number, at) =>
		unless(typeof value !== "string" || value.length >= given, `${at}: too short`),
	maxLength: (value, given: number, at) =>
		unless(typeof value !== "string" || value.length <= given, `${at}: too long`),
	pattern: (value, given: string, at) =>
		unless(typeof value !== "string" || new RegExp(given, "u").test(value), `${at}: ${given}`),
	minItems: (value, given: number, at) => unless(!Array.isArray(value) || value.length >= given, `${at}: too few`),
	maxItems: (value, given: number, at) => unless(!Array.isArray(value) || value.length <= given, `${at}: too many`),
	items: (value, given: JsonSchema, at) =>
		Array.isArray(value)
			? (value.map((item, index) => faultOf(item, given, `${at}/${index}`)).find((fault) => fault !== null) ?? null)
			: null,
	minProperties: (value, given: number, at) =>
		unless(!isObject(value) || Object.keys(value).length >= given, `${at}: too few keys`),
	maxProperties: (value, given: number, at) =>
		unless(!isObject(value) || Object.keys(value).length <= given, `${at}: too many keys`),
	required: (value, given: readonly string[], at) =>
		unless(!isObject(value) || given.every((key) => Object.hasOwn(value, key)), `${at}: lacks one of ${given.join()}`),
	properties: (value, given: Record<string, JsonSchema>, at) => {
		if (!isObject(value)) return null;
		for (const [key, rule] of Object.entries(given)) {
			const fault = Object.hasOwn(value, key) ? faultOf(value[key], rule, `${at}/${key}`) : null;
			if (fault !== null) return fault;
		}
		return null;
	},
	additionalProperties: (value, given: false | JsonSchema, at, rules) => {
		if (!isObject(value)) return null;
		const others = Object.keys(value).filter((key) => !Object.hasOwn((rules["properties"] as object) ?? {}, key));
		if (given === false) return unless(others.length === 0, `${at}: ${others.join()} not allowed`);
		return others.map((key) => faultOf(value[key], given, `${at}/${key}`)).find((fault) => fault !== null) ?? null;
	},
	anyOf: (value, given: readonly JsonSchema[], at) =>
		unless(
			given.some((rule) => faultOf(value, rule, at) === null),
			`${at}: no form fits`,
		),
	oneOf: (value, given: readonly JsonSchema[], at) =>
		unless(given.filter((rule) => faultOf(value, rule, at) === null).length === 1, `${at}: not exactly one form fits`),
};
