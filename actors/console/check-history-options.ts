/** The options of `quorate check-history`. */
import { usageErrors } from "./errors.ts";
import { describeOptions, type OptionSpec, type OptionValues, parseCall } from "./option-table.ts";
import { duration, oneOf } from "./option-values.ts";
import { helpOption, jsonOption, textOption } from "./shared-options.ts";

/** What a history can be held against. */
export const historyModels = [
	"kv",
	"register",
	"cas-register",
	"counter",
	"queue",
	"lock",
	"set",
	"sessions",
	"list-append",
] as const;
export type HistoryModel = (typeof historyModels)[number];

/** Not judged by an order of all operations, so that there is no prefix to be drawn. */
const unordered: ReadonlySet<HistoryModel> = new Set(["set", "sessions", "list-append"]);

export interface CheckHistoryOptions {
	/** A file, or `-` for standard input. */
	readonly file: string;
	readonly model: HistoryModel;
	readonly budgetMs: number;
	readonly json: boolean;
	/** Where a picture is written; null: nowhere. */
	readonly svg: string | null;
}

const COMMAND = "quorate check-history";
const BUDGET_MS_DEFAULT = 60_000;

const options = {
	model: {
		value: "NAME",
		help: `what to hold it against: ${historyModels.slice(0, 6).join(", ")},\n${historyModels.slice(6).join(", ")} (default kv)`,
		fallback: "kv",
		parse: (text) => oneOf(text, historyModels),
	} satisfies OptionSpec<HistoryModel>,
	budget: {
		value: "TIME",
		help: "give up after this time of checking, such as 10s or 5m (default 60s)",
		fallback: BUDGET_MS_DEFAULT,
		parse: (text) => duration(text, 1),
	} satisfies OptionSpec<number>,
	json: jsonOption,
	svg: textOption(
		"FILE",
		"draw the operations by client, with the longest linearizable prefix and the one that ends it",
	),
	help: helpOption,
};

/**
 * What `quorate check-history` was asked to do; null for its help.
 * @throws QuorateError as `parseCall`, and `missing-operand`, `unexpected-argument`
 */
export function parseCheckHistoryOptions(args: readonly string[]): CheckHistoryOptions | null {
	const call: { readonly values: OptionValues<typeof options>; readonly operands: readonly string[] } = parseCall(
		options,
		args,
		COMMAND,
	);
	const { model, budget, json, svg, help } = call.values;
	if (help) return null;
	const [file, stray] = call.operands;
	if (file === undefined) {
		throw usageErrors.missingOperand({ command: COMMAND, expected: "the file of a history, or - for standard input" });
	}
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command: COMMAND });
	if (svg !== null && unordered.has(model)) {
		const models = historyModels.filter((name) => !unordered.has(name)).join(", ");
		throw usageErrors.invalidValue({ option: "--svg", expected: `one of the models ${models}`, actual: model });
	}
	return { file, model, budgetMs: budget, json, svg };
}

/** The text of `quorate check-history --help`. */
export function checkHistoryHelp(): string {
	return `quorate check-history: judges what the clients of a system saw, whoever wrote it down.

Usage: quorate check-history FILE [options]

FILE holds JSON lines in real-time order, also gzip; - reads standard input. One line when an operation is invoked, one
when it ends:

  {"t":"invoke","id":7,"client":3,"op":"put","key":"a","value":1,"ns":1843000}
  {"t":"ok","id":7,"ns":4120000}        answered; with "value" what it answered, with "ok" whether it was not refused
  {"t":"fail","id":8,"ns":9000000}      certainly without effect
  {"t":"info","id":9,"ns":9000000}      nobody knows: it may take effect at any later time

The order of the lines is the clock; "ns" may be left out. A client has one operation at a time, and none after "info".

${describeOptions(options).join("\n")}

Linearizability, by key; keys that one transaction joins are judged together:
  kv            put, get, append, delete, cas ("from"), txn (a list of such steps); what an answer says is judged: a put's
                or delete's "value" is the former one, an append's the new length, a cas says "ok"
  register      put, get
  cas-register  put, get, cas
  counter       add, get
  queue         enqueue, dequeue (null: it was empty)
  lock          acquire (its "value" is the fencing token), release, expire, write (with a token)
Other judges:
  set           add, get: elements that are lost, stale, duplicated or were never added
  sessions      put or append, get: read your writes, monotonic reads and writes, writes follow reads, by key
  list-append   txn of get and append: Adya's G0, G1a, G1b, G1c, G-single, G2, also with real time (as Elle does)

What is not linearizable is shown with its longest linearizable prefix and the operation that ends it.

Exit code 0 only if the history is as it must be. 1 if it is not (illegal) and if nothing could be decided (unknown: the
budget ended, or nothing was answered), and for what can not be read; 2 for a wrong call, 130 after Ctrl-C, 143 after
SIGTERM.

Examples:
  quorate run --history history.jsonl && quorate check-history history.jsonl --svg history.svg
  zcat history.jsonl.gz | quorate check-history - --model list-append --json
`;
}
