/** Writes data in the form of files: the inverse of `read-shape.ts`, by the same tables. */
import { must } from "../../protocols/core/index.ts";
import type { Field, Shape } from "./shape.ts";
import { formatDuration, formatRate } from "./units.ts";

/**
 * The value as files have it. What was not checked before is passed on as it is, for the reader to refuse.
 */
export function writeShape(data: unknown, shape: Shape): unknown {
	if (data === undefined || data === null) return data;
	switch (shape.type) {
		case "record":
			return isRecord(data) ? writeFields(data, shape.fields) : data;
		case "variants": {
			if (!isRecord(data) || !isRecord(data[shape.on])) return data;
			const { kind, arguments: given } = data[shape.on] as { kind: unknown; arguments: unknown };
			const variant = shape.variants.find(({ name }) => name === kind);
			if (variant === undefined || !isRecord(given)) return { [shape.on]: kind };
			const common = writeFields(without(data, shape.on), variant.common);
			return { ...pick(common, "at"), [shape.on]: kind, ...writeFields(given, variant.arguments), ...common };
		}
		case "either": {
			if (shape.forms.every(({ shape: { type } }) => type === "record") && !isRecord(data)) return data;
			for (const form of shape.forms) {
				const written = form.toFile(data);
				if (written !== undefined) return writeShape(written, form.shape);
			}
			return data;
		}
		case "list":
			return Array.isArray(data) ? data.map((item) => writeShape(item, shape.of)) : data;
		case "map":
			return isRecord(data)
				? Object.fromEntries(Object.entries(data).map(([key, value]) => [key, writeShape(value, shape.of)]))
				: data;
		case "duration":
			return typeof data === "number" ? formatDuration(data) : data;
		case "rate":
			return typeof data === "number" ? formatRate(data) : data;
		default:
			return data;
	}
}

/** Fields in the table's order; what it does not know keeps its name, for the reader to refuse. */
function writeFields(data: Record<string, unknown>, fields: readonly Field[]): Record<string, unknown> {
	const written: Record<string, unknown> = {};
	for (const { key, name, shape, default: byDefault } of fields) {
		const value = data[name];
		// What is not there, and what says nothing, is not written.
		if (value === undefined || (value === null && byDefault === null)) continue;
		if (isBound(value) && value === byDefault) continue;
		written[key] = writeShape(value, shape);
	}
	const known = new Set(fields.map(({ name }) => name));
	for (const [name, value] of Object.entries(data)) {
		if (!known.has(name) && name !== "type") written[name] = value;
	}
	return written;
}

/** The bounds that stand for "none". */
function isBound(value: unknown): boolean {
	return value === Number.MAX_VALUE || value === -Number.MAX_VALUE;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function without(data: Record<string, unknown>, key: string): Record<string, unknown> {
	return Object.fromEntries(Object.entries(data).filter(([name]) => name !== key));
}

function pick(data: Record<string, unknown>, key: string): Record<string, unknown> {
	return key in data ? { [key]: must(data[key], "a written key has a value") } : {};
}
