/**
 * Reads a history from JSON lines, as `quorate run --history` writes it and anybody else may: one line when an operation
 * is invoked, one when it ends, in real-time order.
 *
 * ```
 * {"t":"invoke","id":7,"client":3,"op":"put","key":"a","value":1,"ns":1843000}
 * {"t":"ok","id":7,"ns":4120000}
 * {"t":"invoke","id":8,"client":3,"op":"cas","key":"a","from":1,"value":2,"ns":4130000}
 * {"t":"ok","id":8,"ok":true,"ns":6000000}
 * {"t":"fail","id":9,"ns":9000000}
 * {"t":"info","id":10,"ns":9000000}
 * ```
 *
 * `ok` ends an operation with what it was answered (`value`, and `ok` where it may be refused), `fail` says that it
 * certainly had no effect, `info` that nobody knows. `ns` counts from the start of the run and may be left out. A
 * transaction has `"op":"txn"` and a list of steps as its `value`. Fields with other names are not read.
 */
import { findJsonFault, must } from "../../core/index.ts";
import { historyErrors } from "./errors.ts";
import { type History, HistoryRecorder } from "./history-recorder.ts";
import { DEPTH_MAX, isShallow, type Json, jsonText } from "./json-value.ts";

/** In UTF-16 units: room for a read of some million numbers. */
const LINE_LENGTH_MAX = 16 * 1024 * 1024;

type Fields = Readonly<Record<string, Json | undefined>>;

/**
 * Incremental: {@link write} takes text in pieces of any size, {@link end} gives the history. What it throws names the
 * line, and ends the parsing.
 */
export class HistoryParser {
	readonly #recorder = new HistoryRecorder();
	/** The beginning of a line whose end has not come yet. */
	#pieces: string[] = [];
	#pendingLength = 0;
	#line = 0;

	/**
	 * @throws QuorateError `history-malformed` (not JSON: line and column), `history-line-invalid` (not an event: line and
	 *   field), `history-hole` (an end without its invocation, an id used twice, a client with two operations at once, time
	 *   going back), `history-line-too-long`, `history-too-large`
	 */
	write(text: string): void {
		let start = 0;
		for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
			this.#take(text.slice(start, end));
			this.#finishLine();
			start = end + 1;
		}
		if (start < text.length) this.#take(text.slice(start));
	}

	/** The whole history. @throws QuorateError as {@link write} */
	end(): History {
		if (this.#pendingLength > 0) this.#finishLine();
		return this.#recorder.history;
	}

	#take(piece: string): void {
		this.#pieces.push(piece);
		this.#pendingLength += piece.length;
		if (this.#pendingLength > LINE_LENGTH_MAX) {
			throw historyErrors.lineTooLong({ line: this.#line + 1, limit: LINE_LENGTH_MAX });
		}
	}

	#finishLine(): void {
		const text = this.#pieces.length === 1 ? must(this.#pieces[0], "there is one") : this.#pieces.join("");
		this.#pieces = [];
		this.#pendingLength = 0;
		this.#line++;
		if (text.trim() !== "") this.#event(text);
	}

	#event(text: string): void {
		const value = this.#parsed(text);
		if (typeof value !== "object" || value === null || Array.isArray(value)) {
			throw this.#invalid("the line", "an object", value);
		}
		const fields = value as Fields;
		const ns = fields["ns"] === undefined ? null : this.#whole(fields, "ns");
		const id = this.#whole(fields, "id");
		switch (fields["t"]) {
			case "invoke":
				this.#invoke(id, fields, ns);
				break;
			case "ok":
				this.#ok(id, fields, ns);
				break;
			case "fail":
				this.#recorder.fail(id, ns, this.#line);
				break;
			case "info":
				this.#recorder.info(id, ns, this.#line);
				break;
			default:
				throw this.#invalid("t", '"invoke", "ok", "fail" or "info"', fields["t"]);
		}
	}

	#invoke(id: number, fields: Fields, ns: number | null): void {
		const client = this.#whole(fields, "client");
		const { op, key, value, from } = fields as { [name in "op" | "key" | "value" | "from"]?: Json };
		if (typeof op !== "string" || op === "") throw this.#invalid("op", "the name of an operation", op);
		if (key !== undefined && typeof key !== "string") throw this.#invalid("key", "a text", key);
		const invocation = {
			id,
			client,
			op,
			...(key === undefined ? {} : { key }),
			...(value === undefined ? {} : { value }),
			...(from === undefined ? {} : { from }),
		};
		this.#recorder.invoke(invocation, ns, this.#line);
	}

	#ok(id: number, fields: Fields, ns: number | null): void {
		const { value, ok } = fields as { [name in "value" | "ok"]?: Json };
		if (ok !== undefined && typeof ok !== "boolean") throw this.#invalid("ok", "true or false", ok);
		const answer = { ...(value === undefined ? {} : { value }), ...(ok === undefined ? {} : { ok }) };
		this.#recorder.ok(id, answer, ns, this.#line);
	}

	#parsed(text: string): Json {
		let value: Json;
		try {
			value = JSON.parse(text) as Json;
		} catch {
			const fault = must(findJsonFault(text) ?? undefined, "what JSON.parse refuses has a fault");
			const found = fault.offset === text.length ? "the end of the line" : fault.found;
			throw historyErrors.malformed({ line: this.#line, column: fault.offset + 1, expected: fault.expected, found });
		}
		if (isShallow(value)) return value;
		throw this.#invalid("the line", `lists and objects at most ${DEPTH_MAX} deep`, "deeper ones");
	}

	#whole(fields: Fields, key: string): number {
		const value = fields[key];
		if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
		throw this.#invalid(key, "a whole number from 0", value);
	}

	#invalid(key: string, expected: string, found: Json | undefined): Error {
		return historyErrors.lineInvalid({ line: this.#line, key, expected, found: jsonText(found) });
	}
}

/** The history in a text. @throws QuorateError as {@link HistoryParser.write} */
export function parseHistory(text: string): History {
	const parser = new HistoryParser();
	parser.write(text);
	return parser.end();
}
