/**
 * Cuts a stream of text into the JSON values it holds: the elements of one array, or one value a line. Which of the two
 * it is shows in the first character. Values are handed on one by one with their place, so that a file of any size
 * needs the memory of its largest element.
 */
import { describeCharacter, findJsonFault } from "../../protocols/core/index.ts";

/** Where something stands in the input; both from 1, columns in UTF-16 units. */
export interface Place {
	readonly line: number;
	readonly column: number;
}

export interface ScannerPorts {
	element(value: unknown, place: Place): void;
	/** Never returns: the scanner has no way to go on. */
	malformed(place: Place, expected: string, found: string): never;
	tooLarge(place: Place, limit: number): never;
}

/** The largest element that is read; a flight has some 60 characters. */
export const ELEMENT_LENGTH_MAX = 65_536;

type State = "start" | "first-or-end" | "value" | "separator" | "end" | "line";

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export class ElementScanner {
	readonly #ports: ScannerPorts;
	#state: State = "start";
	/** Behind which state a value goes on: `separator` in an array, `line` in lines. */
	#lines = false;

	#line = 1;
	/** The column of the next character. */
	#column = 1;

	/** The value being read; null between values. */
	#text: string | null = null;
	#place: Place = { line: 1, column: 1 };
	#depth = 0;
	#inString = false;
	#escaped = false;

	constructor(ports: ScannerPorts) {
		this.#ports = ports;
	}

	write(chunk: string): void {
		let at = 0;
		while (at < chunk.length) at = this.#text === null ? this.#between(chunk, at) : this.#inside(chunk, at);
	}

	end(): void {
		if (this.#text !== null) {
			if (this.#lines) this.#finish();
			else this.#refuseUnfinished();
		}
		if (this.#state === "first-or-end") this.#refuse('a JSON value or "]"', "");
		if (this.#state === "value") this.#refuse("a JSON value", "");
		if (this.#state === "separator") this.#refuse('"," or "]"', "");
	}

	/** Between two values: reads one character. */
	#between(chunk: string, at: number): number {
		const code = chunk.charCodeAt(at);
		if (isBlank(code)) {
			this.#step(code);
			return at + 1;
		}
		switch (this.#state) {
			case "start":
				if (code === OPEN_BRACKET) {
					this.#state = "first-or-end";
					break;
				}
				if (code !== OPEN_BRACE) this.#refuse('"[" (an array) or "{" (one record a line)', chunk.slice(at, at + 2));
				this.#lines = true;
				this.#open();
				return at;
			case "line":
				this.#open();
				return at;
			case "first-or-end":
				if (code === CLOSE_BRACKET) {
					this.#state = "end";
					break;
				}
				return this.#openAt(chunk, at, code);
			case "value":
				return this.#openAt(chunk, at, code);
			case "separator":
				if (code !== COMMA && code !== CLOSE_BRACKET) this.#refuse('"," or "]"', chunk.slice(at, at + 2));
				this.#state = code === COMMA ? "value" : "end";
				break;
			case "end":
				this.#refuse("the end of the input", chunk.slice(at, at + 2));
		}
		this.#step(code);
		return at + 1;
	}

	#openAt(chunk: string, at: number, code: number): number {
		if (code === COMMA || code === CLOSE_BRACKET) this.#refuse("a JSON value", chunk.slice(at, at + 2));
		this.#open();
		return at;
	}

	/** Inside a value: reads to its end or the chunk's. */
	#inside(chunk: string, start: number): number {
		for (let at = start; at < chunk.length; at++) {
			const code = chunk.charCodeAt(at);
			if (this.#lines ? code === NEWLINE : this.#endsBefore(code)) {
				this.#take(chunk, start, at);
				this.#finish();
				return at;
			}
			this.#step(code);
			if (!this.#lines && this.#endsWith(code)) {
				this.#take(chunk, start, at + 1);
				this.#finish();
				return at + 1;
			}
		}
		this.#take(chunk, start, chunk.length);
		return chunk.length;
	}

	/** A number or a word at the top ends before what follows it. */
	#endsBefore(code: number): boolean {
		if (this.#depth > 0 || this.#inString) return false;
		return isBlank(code) || code === COMMA || code === CLOSE_BRACKET;
	}

	/** Follows strings and brackets; true for the character that closes the value. */
	#endsWith(code: number): boolean {
		if (this.#inString) {
			if (this.#escaped) this.#escaped = false;
			else if (code === BACKSLASH) this.#escaped = true;
			else if (code === QUOTE) this.#inString = false;
			return !this.#inString && this.#depth === 0;
		}
		if (code === QUOTE) this.#inString = true;
		else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++;
		else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
			this.#depth--;
			return this.#depth <= 0;
		}
		return false;
	}

	#open(): void {
		this.#text = "";
		this.#place = { line: this.#line, column: this.#column };
		this.#depth = 0;
		this.#inString = false;
		this.#escaped = false;
	}

	#take(chunk: string, start: number, end: number): void {
		this.#text += chunk.slice(start, end);
		if (this.#text!.length > ELEMENT_LENGTH_MAX) this.#ports.tooLarge(this.#place, ELEMENT_LENGTH_MAX);
	}

	#finish(): void {
		const text = this.#text ?? "";
		this.#text = null;
		this.#state = this.#lines ? "line" : "separator";
		let value: unknown;
		try {
			value = JSON.parse(text);
		} catch {
			this.#refuseInside(text);
		}
		this.#ports.element(value, this.#place);
	}

	#refuseUnfinished(): never {
		this.#refuseInside(this.#text ?? "");
	}

	#refuseInside(text: string): never {
		const fault = findJsonFault(text) ?? { offset: text.length, expected: "a JSON value", found: "another one" };
		const before = text.slice(0, fault.offset).split("\n");
		const last = before.at(-1) ?? "";
		const place = {
			line: this.#place.line + before.length - 1,
			column: (before.length === 1 ? this.#place.column : 1) + last.length,
		};
		const endOfLine = this.#lines && fault.offset === text.length;
		this.#ports.malformed(place, fault.expected, endOfLine ? "the end of the line" : fault.found);
	}

	#refuse(expected: string, rest: string): never {
		this.#ports.malformed({ line: this.#line, column: this.#column }, expected, describeCharacter(rest, 0));
	}

	#step(code: number): void {
		if (code === NEWLINE) {
			this.#line++;
			this.#column = 1;
		} else {
			this.#column++;
		}
	}
}

function isBlank(code: number): boolean {
	return code === 0x20 || code === NEWLINE || code === 0x0d || code === 0x09;
}
