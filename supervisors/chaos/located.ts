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
const TOO_DEEP = `more than ${DEPTH_MAX} levels of nesting`;

/**
 * Reads one YAML 1.2 document; JSON is one too. Keys must be texts and unique. Anchors, aliases and tags are refused:
 * an experiment says what it is where it stands.
 * @throws QuorateError `experiment-malformed`
 */
export function locateText(source: string, file: string | null): Located {
	if (source.length > EXPERIMENT_LENGTH_MAX) {
		const reason = `the text is longer than ${EXPERIMENT_LENGTH_MAX} characters`;
		throw experimentMalformed({ file, line: null, column: null, reason });
	}
	const deep = deepNesting(source);
	if (deep !== null) {
		const before = source.slice(0, deep).split("\n");
		const place = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
		throw experimentMalformed({ file, ...place, reason: TOO_DEEP });
	}
	const lines = new LineCounter();
	const document = parseDocument(source, { lineCounter: lines, prettyErrors: false, stringKeys: true });
	const locator = new Locator(file, lines);
	const fault = document.errors[0] ?? document.warnings[0];
	if (fault !== undefined) {
		const several = fault.code === "MULTIPLE_DOCS";
		throw locator.refusal(fault.pos[0], several ? "the text holds more than one document" : firstLine(fault.message));
	}
	if (document.contents === null) throw locator.refusal(0, "the text holds no experiment");
	return locator.locate(document.contents, 0, 0);
}

/** Turns the parser's nodes into located values. */
class Locator {
	readonly #file: string | null;
	readonly #lines: LineCounter;

	constructor(file: string | null, lines: LineCounter) {
		this.#file = file;
		this.#lines = lines;
	}

	refusal(offset: number, reason: string): Error {
		return experimentMalformed({ file: this.#file, ...this.#place(offset), reason });
	}

	/** @param holder where the node's key stands, for a node that was left out */
	locate(node: Node | null, depth: number, holder: number): Located {
		const offset = node?.range?.[0] ?? holder;
		const place = this.#place(offset);
		if (depth > DEPTH_MAX) throw this.refusal(offset, TOO_DEEP);
		if (isAlias(node)) throw this.refusal(offset, `aliases are not supported: *${node.source}`);
		if (node !== null && "anchor" in node && node.anchor !== undefined) {
			throw this.refusal(offset, `anchors are not supported: &${node.anchor}`);
		}
		if (node?.tag !== undefined) throw this.refusal(offset, `tags are not supported: ${node.tag}`);
		if (isSeq(node)) {
			const items = node.items.map((item) => this.locate(item as Node | null, depth + 1, offset));
			return { kind: "list", place, items };
		}
		if (isMap(node)) {
			return { kind: "mapping", place, entries: node.items.map((pair) => this.#entry(pair, depth, offset)) };
		}
		return { kind: "scalar", place, value: this.#scalar(node, offset) };
	}

	#entry(pair: unknown, depth: number, holder: number): LocatedEntry {
		if (!isPair(pair) || !isScalar(pair.key)) throw this.refusal(holder, "keys must be texts");
		const offset = pair.key.range?.[0] ?? holder;
		const value = this.locate(pair.value as Node | null, depth + 1, offset);
		return { key: String(pair.key.value), place: this.#place(offset), value };
	}

	#scalar(node: unknown, offset: number): string | number | boolean | null {
		const value = isScalar(node) ? node.value : null;
		if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
			return value;
		}
		throw this.refusal(offset, "expected a text, a number, true, false or null");
	}

	#place(offset: number): Place {
		const { line, col } = this.#lines.linePos(offset);
		return { line, column: col };
	}
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
