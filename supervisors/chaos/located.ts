/** Values with the place in a text where they were written. */
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { experimentMalformed } from "./errors.ts";

/** Counted from 1. */
export interface Place {
	readonly line: number;
	readonly column: number;
}

export type Located =
	| { readonly kind: "scalar"; readonly place: Place | null; readonly value: string | number | boolean | null }
	| { readonly kind: "list"; readonly place: Place | null; readonly items: readonly Located[] }
	| { readonly kind: "mapping"; readonly place: Place | null; readonly entries: readonly LocatedEntry[] };

export interface LocatedEntry {
	readonly key: string;
	readonly place: Place | null;
	readonly value: Located;
}

/** Longest text of an experiment; deepest nesting. Bounds, so that hostile input can exhaust neither memory nor stack. */
export const EXPERIMENT_LENGTH_MAX = 1_048_576;
const DEPTH_MAX = 32;
const INDENT_MAX = 256;

/**
 * Reads one YAML 1.2 document; JSON is one too. Keys must be texts and unique. Anchors, aliases and tags are refused:
 * an experiment says what it is where it stands.
 * @throws QuorateError `experiment-malformed`
 */
export function locateText(source: string, file: string | null): Located {
	const refuse = (offset: number, reason: string): never => {
		const { line, col } = lines.linePos(offset);
		throw experimentMalformed({ file, line, column: col, reason });
	};
	const lines = new LineCounter();
	if (source.length > EXPERIMENT_LENGTH_MAX) {
		const reason = `the text is longer than ${EXPERIMENT_LENGTH_MAX} characters`;
		throw experimentMalformed({ file, line: null, column: null, reason });
	}
	const deep = deepNesting(source);
	if (deep !== null) {
		const before = source.slice(0, deep).split("\n");
		const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
		throw experimentMalformed({ file, ...place, reason: `more than ${DEPTH_MAX} levels of nesting` });
	}
	const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, stringKeys: true });
	const fault = document.errors[0] ?? document.warnings[0];
	if (fault !== undefined) {
		const several = fault.code === "MULTIPLE_DOCS";
		refuse(fault.pos[0], several ? "the text holds more than one document" : firstLine(fault.message));
	}
	if (document.contents === null) refuse(0, "the text holds no experiment");

	const locate = (node: Node | null, depth: number): Located => {
		const offset = node?.range?.[0] ?? 0;
		const { line, col } = lines.linePos(offset);
		const place = { line, column: col };
		if (depth > DEPTH_MAX) return refuse(offset, `more than ${DEPTH_MAX} levels of nesting`);
		if (isAlias(node)) return refuse(offset, `aliases are not supported: *${node.source}`);
		if (node !== null && "anchor" in node && node.anchor !== undefined) {
			return refuse(offset, `anchors are not supported: &${node.anchor}`);
		}
		if (node?.tag !== undefined) return refuse(offset, `tags are not supported: ${node.tag}`);
		if (isSeq(node)) {
			return { kind: "list", place, items: node.items.map((item) => locate(item as Node | null, depth + 1)) };
		}
		if (isMap(node)) return { kind: "mapping", place, entries: node.items.map((pair) => entry(pair, depth)) };
		return { kind: "scalar", place, value: scalarOf(node, offset) };
	};
	const entry = (pair: unknown, depth: number): LocatedEntry => {
		if (!isPair(pair) || !isScalar(pair.key)) return refuse(0, "keys must be texts");
		const { line, col } = lines.linePos(pair.key.range?.[0] ?? 0);
		const place = { line, column: col };
		const value = locate(pair.value as Node | null, depth + 1);
		return { key: String(pair.key.value), place, value: value.place === null ? { ...value, place } : value };
	};
	const scalarOf = (node: unknown, offset: number): string | number | boolean | null => {
		const value = isScalar(node) ? node.value : null;
		if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
			return value;
		}
		return refuse(offset, "expected a text, a number, true, false or null");
	};
	return locate(document.contents, 0);
}

/**
 * Where a text nests deeper than any experiment does; null if nowhere. The parser recurses, and where its stack ends it
 * can take the process with it, so this looks first: at brackets (those in texts too, of which no experiment has so many
 * open), and at how far lines are indented.
 */
function deepNesting(source: string): number | null {
	let brackets = 0;
	let indent: number | null = 0;
	for (let at = 0; at < source.length; at++) {
		const character = source[at];
		if (character === "\n") {
			indent = 0;
			continue;
		}
		if (indent !== null) {
			// A dash or a question mark before a blank opens a level on the same line.
			const opens = (character === "-" || character === "?" || character === ":") && source[at + 1] === " ";
			indent = character === " " || character === "\t" || opens ? indent + 1 : null;
			if (indent !== null && indent > INDENT_MAX) return at;
		}
		if (character === "[" || character === "{") brackets++;
		else if (character === "]" || character === "}") brackets = Math.max(0, brackets - 1);
		if (brackets > DEPTH_MAX) return at;
	}
	return null;
}

/** Plain data in the same form, without places. */
export function locateValue(value: unknown): Located {
	if (Array.isArray(value)) return { kind: "list", place: null, items: value.map(locateValue) };
	if (typeof value === "object" && value !== null) {
		const entries = Object.entries(value).filter(([, held]) => held !== undefined);
		return {
			kind: "mapping",
			place: null,
			entries: entries.map(([key, held]) => ({ key, place: null, value: locateValue(held) })),
		};
	}
	return { kind: "scalar", place: null, value: value as string | number | boolean | null };
}

function firstLine(message: string): string {
	return message.split("\n")[0] ?? message;
}
