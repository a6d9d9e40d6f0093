/**
 * Finds where a text stops being JSON (RFC 8259). Node 20's `JSON.parse` often names no position, so this reads the
 * text once more, strictly, and only after `JSON.parse` has refused it.
 */

/** The first offset at which no JSON value can go on, and what could. */
export interface JsonFault {
	readonly offset: number;
	readonly expected: string;
	/** The character there, quoted, or `the end of the input`. */
	readonly found: string;
}

/** Deeper nesting than this is reported as a fault, so that hostile input can not exhaust the stack. */
const DEPTH_MAX = 256;

/** The first fault of `text` as one JSON value; null if there is none. */
export function findJsonFault(text: string): JsonFault | null {
	try {
		const end = skipBlanks(text, value(text, skipBlanks(text, 0), 0));
		return end === text.length ? null : faultAt(text, end, "the end of the value");
	} catch (thrown) {
		if (thrown instanceof Fault) return faultAt(text, thrown.offset, thrown.expected);
		throw thrown;
	}
}

/** How a character is named in a message. */
export function describeCharacter(text: string, offset: number): string {
	const code = text.codePointAt(offset);
	return code === undefined ? "the end of the input" : JSON.stringify(String.fromCodePoint(code));
}

class Fault extends Error {
	readonly offset: number;
	readonly expected: string;
	constructor(offset: number, expected: string) {
		super(expected);
		this.offset = offset;
		this.expected = expected;
	}
}

function faultAt(text: string, offset: number, expected: string): JsonFault {
	return { offset, expected, found: describeCharacter(text, offset) };
}

// Each of these reads one thing at `at` and returns the offset behind it.

function value(text: string, at: number, depth: number): number {
	if (depth > DEPTH_MAX) throw new Fault(at, `at most ${DEPTH_MAX} levels of nesting`);
	const first = text[at];
	if (first === "{") return list(text, at, "}", (next) => member(text, next, depth));
	if (first === "[") return list(text, at, "]", (next) => value(text, next, depth + 1));
	if (first === '"') return string(text, at);
	if (first === "-" || isDigit(first)) return number(text, at);
	for (const word of ["true", "false", "null"]) if (text.startsWith(word, at)) return at + word.length;
	throw new Fault(at, "a JSON value");
}

function list(text: string, start: number, close: string, item: (at: number) => number): number {
	let at = skipBlanks(text, start + 1);
	if (text[at] === close) return at + 1;
	for (;;) {
		at = skipBlanks(text, item(at));
		if (text[at] === close) return at + 1;
		if (text[at] !== ",") throw new Fault(at, `"," or "${close}"`);
		at = skipBlanks(text, at + 1);
	}
}

function member(text: string, start: number, depth: number): number {
	if (text[start] !== '"') throw new Fault(start, "a name in quotes");
	const colon = skipBlanks(text, string(text, start));
	if (text[colon] !== ":") throw new Fault(colon, '":"');
	return value(text, skipBlanks(text, colon + 1), depth + 1);
}

function string(text: string, start: number): number {
	for (let at = start + 1; at < text.length; at++) {
		const code = text.charCodeAt(at);
		if (code === 0x22) return at + 1;
		if (code < 0x20) throw new Fault(at, "an escaped control character");
		if (code === 0x5c) {
			const sequence = /^(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/.exec(text.slice(at + 1, at + 6));
			if (sequence === null) throw new Fault(at + 1, "an escape sequence");
			at += sequence[0].length;
		}
	}
	throw new Fault(text.length, 'the closing "');
}

function number(text: string, start: number): number {
	let at = text[start] === "-" ? start + 1 : start;
	at = text[at] === "0" ? at + 1 : digits(text, at);
	if (text[at] === ".") at = digits(text, at + 1);
	if (text[at] === "e" || text[at] === "E") {
		const sign = text[at + 1];
		at = digits(text, sign === "+" || sign === "-" ? at + 2 : at + 1);
	}
	return at;
}

function digits(text: string, start: number): number {
	if (!isDigit(text[start])) throw new Fault(start, "a digit");
	let at = start;
	while (isDigit(text[at])) at++;
	return at;
}

function isDigit(character: string | undefined): boolean {
	return character !== undefined && character >= "0" && character <= "9";
}

function skipBlanks(text: string, start: number): number {
	let at = start;
	while (text[at] === " " || text[at] === "\t" || text[at] === "\n" || text[at] === "\r") at++;
	return at;
}
