/** Reads a located value by its shape, strictly: nothing unknown, nothing converted, nothing repaired. */
import { assertNever } from "../../protocols/core/index.ts";
import { experimentInvalid, experimentUnknownKey } from "./errors.ts";
import type { Located, LocatedEntry, Place } from "./located.ts";
import { nearestName } from "./nearest.ts";
import type { EitherShape, Field, RecordShape, Shape, VariantsShape } from "./shape.ts";
import { parseDuration, parseRate } from "./units.ts";

/** What reading needs to know beside the value. */
interface Reading {
	readonly file: string | null;
	/** What was read of the outermost record so far, for defaults. */
	readonly root: Record<string, unknown>;
}

/**
 * The data that a value stands for.
 * @throws QuorateError `experiment-unknown-key`, `experiment-invalid`
 */
export function readRecord(source: Located, shape: RecordShape, file: string | null): Record<string, unknown> {
	const root: Record<string, unknown> = {};
	return readFields(mappingOf(source, "", { file, root }), source.place, shape.fields, "", { file, root }, root);
}

function read(source: Located, shape: Shape, path: string, reading: Reading): unknown {
	switch (shape.type) {
		case "record":
			return readFields(mappingOf(source, path, reading), source.place, shape.fields, path, reading, {});
		case "variants":
			return readVariant(source, shape, path, reading);
		case "either":
			return readEither(source, shape, path, reading);
		case "list": {
			const { countMin, countMax } = shape;
			if (source.kind !== "list") throw invalid(source, path, "a list", reading);
			if (source.items.length < countMin || source.items.length > countMax) {
				throw invalid(source, path, `${countMin} to ${countMax} items`, reading, `${source.items.length}`);
			}
			return source.items.map((item, index) => read(item, shape.of, `${path}[${index}]`, reading));
		}
		case "map": {
			const entries = mappingOf(source, path, reading);
			if (entries.length > shape.countMax) {
				throw invalid(source, path, `at most ${shape.countMax} keys`, reading, `${entries.length}`);
			}
			return Object.fromEntries(
				entries.map(({ key, value }) => [key, read(value, shape.of, join(path, key), reading)]),
			);
		}
		default:
			return readScalar(source, shape, path, reading);
	}
}

type ScalarShape = Exclude<Shape, { type: "record" | "variants" | "either" | "list" | "map" }>;

function readScalar(source: Located, shape: ScalarShape, path: string, reading: Reading): unknown {
	const expected = describeShape(shape);
	if (source.kind !== "scalar") throw invalid(source, path, expected, reading);
	const { value } = source;
	const accept = (condition: boolean, accepted: unknown = value): unknown => {
		if (!condition) throw invalid(source, path, expected, reading);
		return accepted;
	};
	switch (shape.type) {
		case "text":
			return accept(
				typeof value === "string" &&
					value.length >= shape.lengthMin &&
					value.length <= shape.lengthMax &&
					(shape.pattern === undefined || new RegExp(shape.pattern.source).test(value)),
			);
		case "integer":
			return accept(Number.isSafeInteger(value) && inRange(value as number, shape));
		case "number":
			return accept(typeof value === "number" && inRange(value, shape));
		case "true":
			return accept(value === true);
		case "never":
			return accept(false);
		case "regex":
			return accept(typeof value === "string" && compiles(value));
		case "duration": {
			const ms = typeof value === "string" ? parseDuration(value) : null;
			return accept(ms !== null && inRange(ms, shape), ms);
		}
		case "rate": {
			const perSecond = typeof value === "string" ? parseRate(value) : null;
			return accept(perSecond !== null && inRange(perSecond, shape), perSecond);
		}
		case "choice":
			if (typeof value === "string" && !shape.of.includes(value)) {
				throw invalid(source, path, expected, reading, JSON.stringify(value), nearestName(value, shape.of));
			}
			return accept(typeof value === "string");
		case "scalar":
			return accept(typeof value !== "number" || Number.isFinite(value));
		default:
			return assertNever(shape, "shape");
	}
}

/** What a value of this shape is, for a message. */
function describeShape(shape: ScalarShape): string {
	switch (shape.type) {
		case "text":
			return shape.pattern?.expected ?? `a text of ${shape.lengthMin} to ${shape.lengthMax} characters`;
		case "integer":
			return `an integer from ${shape.min} to ${shape.max}`;
		case "number":
			return Math.abs(shape.max) === Number.MAX_VALUE ? "a number" : `a number from ${shape.min} to ${shape.max}`;
		case "true":
			return "true, or nothing";
		case "never":
			return "nothing, as this is over at once";
		case "regex":
			return "a regular expression";
		case "duration":
			return `a duration from ${shape.min} to ${shape.max} ms with its unit, such as 150ms or 2s`;
		case "rate":
			return `a rate from ${shape.min} to ${shape.max} a second, such as 200/s`;
		case "choice":
			return shape.of.length > 8 ? "a name that is known" : shape.of.join(" | ");
		case "scalar":
			return "a number, a text, true, false or null";
		default:
			return assertNever(shape, "shape");
	}
}

function readFields(
	entries: readonly LocatedEntry[],
	place: Place | null,
	fields: readonly Field[],
	path: string,
	reading: Reading,
	into: Record<string, unknown>,
): Record<string, unknown> {
	refuseUnknown(entries, fields, path, reading);
	for (const field of fields) {
		const entry = entries.find(({ key }) => key === field.key);
		const own = join(path, field.key);
		if (entry !== undefined) into[field.name] = read(entry.value, field.shape, own, reading);
		else if (field.optional === true) continue;
		else if (!("default" in field)) throw missing(place, own, reading);
		else into[field.name] = defaultOf(field, place, own, reading, into);
	}
	return into;
}

function defaultOf(field: Field, place: Place | null, path: string, reading: Reading, soFar: object): unknown {
	const { shape, default: byDefault } = field;
	if (typeof byDefault === "function") return byDefault(soFar, reading.root);
	// A record's default is what its own fields' defaults make.
	if (shape.type === "record") return readFields([], place, shape.fields, path, reading, {});
	return structuredClone(byDefault);
}

function readVariant(source: Located, shape: VariantsShape, path: string, reading: Reading): unknown {
	const entries = mappingOf(source, path, reading);
	const chosen = entries.find(({ key }) => key === shape.on);
	const own = join(path, shape.on);
	if (chosen === undefined) throw missing(source.place, own, reading);
	const names = shape.variants.map(({ name }) => name);
	const name = readScalar(chosen.value, { type: "choice", of: names }, own, reading);
	const variant = shape.variants.find((candidate) => candidate.name === name);
	if (variant === undefined) throw invalid(chosen.value, own, "a name that is known", reading);
	const rest = entries.filter((entry) => entry !== chosen);
	refuseUnknown(rest, [...variant.common, ...variant.arguments], path, reading);
	const among = (fields: readonly Field[]): Record<string, unknown> => {
		const theirs = rest.filter(({ key }) => fields.some((field) => field.key === key));
		return readFields(theirs, source.place, fields, path, reading, {});
	};
	return { ...among(variant.common), [shape.on]: { kind: name, arguments: among(variant.arguments) } };
}

function readEither(source: Located, { forms, expected }: EitherShape, path: string, reading: Reading): unknown {
	const records = forms.filter(({ shape }) => shape.type === "record");
	if (source.kind === "mapping") {
		const fields = records.flatMap(({ shape }) => (shape as RecordShape).fields);
		const first = source.entries[0];
		if (first === undefined) throw invalid(source, path, expected, reading);
		refuseUnknown([first], fields, path, reading);
		const form = records.find(({ shape }) => (shape as RecordShape).fields.some(({ key }) => key === first.key));
		if (form !== undefined) return form.toData(read(source, form.shape, path, reading));
	}
	// The last one's message would speak of one form only, so the fit is looked for without messages.
	for (const { shape, toData } of forms) {
		if (shape.type === "record" || source.kind !== "scalar") continue;
		const fits =
			shape.type === "text"
				? typeof source.value === "string"
				: shape.type !== "number" || typeof source.value === "number";
		if (fits) return toData(read(source, shape, path, reading));
	}
	throw invalid(source, path, expected, reading);
}

function mappingOf(source: Located, path: string, reading: Reading): readonly LocatedEntry[] {
	if (source.kind !== "mapping") throw invalid(source, path, "a mapping of keys to values", reading);
	return source.entries;
}

function refuseUnknown(
	entries: readonly LocatedEntry[],
	fields: readonly Field[],
	path: string,
	reading: Reading,
): void {
	const keys = fields.map(({ key }) => key);
	for (const { key, place } of entries) {
		if (keys.includes(key)) continue;
		throw experimentUnknownKey({
			...placed(place, reading),
			key: join(path, key.slice(0, 80)),
			nearest: nearestName(key, keys),
		});
	}
}

function missing(place: Place | null, path: string, reading: Reading): Error {
	return experimentInvalid({
		...placed(place, reading),
		...{ key: path, expected: "a value", actual: "nothing", nearest: null },
	});
}

function invalid(
	source: Located,
	path: string,
	expected: string,
	reading: Reading,
	actual: string = show(source),
	nearest: string | null = null,
): Error {
	return experimentInvalid({
		...placed(source.place, reading),
		...{ key: path === "" ? "the experiment" : path, expected, actual, nearest },
	});
}

function placed(
	place: Place | null,
	{ file }: Reading,
): { file: string | null; line: number | null; column: number | null } {
	return { file, line: place?.line ?? null, column: place?.column ?? null };
}

function show(source: Located): string {
	if (source.kind === "list") return "a list";
	if (source.kind === "mapping") return "a mapping";
	return typeof source.value === "number" ? String(source.value) : JSON.stringify(source.value).slice(0, 80);
}

function join(path: string, key: string): string {
	return path === "" ? key : `${path}.${key}`;
}

function inRange(value: number, { min, max }: { readonly min: number; readonly max: number }): boolean {
	return value >= min && value <= max;
}

function compiles(pattern: string): boolean {
	try {
		return new RegExp(pattern, "u") instanceof RegExp;
	} catch {
		// What it does not compile to is the caller's message.
		return false;
	}
}
