/** The options of `quorate run --protocol crdt`. */
import { usageErrors } from "./errors.ts";
import { describeOptions, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import { helpOption, jsonOption, seedOption, storageOption, textOption } from "./shared-options.ts";

export interface CrdtRunOptions {
	readonly nodes: number;
	/** A trace, `-` for standard input, or null: seeded typists. */
	readonly input: string | null;
	/** Null: all of a trace, or {@link TYPED_EDITS_DEFAULT}. */
	readonly edits: number | null;
	/** Edits per second over all replicas. */
	readonly rate: number | "max";
	/** Milliseconds between two kills, two cuts, two collections; null for none. */
	readonly killMs: number | null;
	readonly cutMs: number | null;
	readonly collectMs: number | null;
	readonly storage: "memory" | "lmdb";
	/** Null: a temporary directory. */
	readonly data: string | null;
	/** Null: until all edits are made. */
	readonly forMs: number | null;
	readonly seed: number;
	readonly json: boolean;
	readonly help: boolean;
}

/** Edits of typists if nothing else is said. */
export const TYPED_EDITS_DEFAULT = 20_000;
const EDITS_MAX = 100_000_000;
const NODES_MIN = 2;
const NODES_MAX = 16;
const RATE_MAX = 1_000_000;
const INTERVAL_MS_MIN = 200;

const interval = (what: string, fallback: number, text: string): OptionSpec<number | null> => ({
	value: "TIME",
	help: `${what}; off for never (default ${text})`,
	fallback,
	parse: (given) => (given === "off" ? null : duration(given, INTERVAL_MS_MIN, "or off")),
});

const options = {
	protocol: {
		value: "NAME",
		help: "crdt; see quorate run --help for the others",
		fallback: "crdt",
		parse: (text) => oneOf(text, ["crdt"]),
	} satisfies OptionSpec<"crdt">,
	nodes: {
		value: "N",
		help: `replicas, ${NODES_MIN} to ${NODES_MAX}, each an actor in a thread of its own (default 5)`,
		fallback: 5,
		parse: (text) => integer(text, NODES_MIN, NODES_MAX),
	} satisfies OptionSpec<number>,
	input: textOption(
		"FILE",
		"an editing trace in the form of josephg/editing-traces, also gzip; - reads standard\ninput (default: a seeded typist at each replica)",
	),
	edits: {
		value: "N",
		help: `edits in all (default: all of the trace, or ${TYPED_EDITS_DEFAULT})`,
		fallback: null,
		parse: (text) => integer(text, 1, EDITS_MAX),
	} satisfies OptionSpec<number | null>,
	rate: {
		value: "R",
		help: "edits per second over all replicas, or max (default 2000)",
		fallback: 2_000,
		parse: (text) => (text === "max" ? "max" : integer(text, 1, RATE_MAX, "or max")),
	} satisfies OptionSpec<number | "max">,
	kill: interval("kill a replica's thread this often, such as 3s", 3_000, "3s"),
	cut: interval("cut the replicas into two halves this often, for half of the time", 2_000, "2s"),
	collect: interval("free deleted text this often, if all replicas agree on a point", 4_000, "4s"),
	storage: storageOption,
	data: textOption(
		"DIR",
		"keep the data here; the next run with it goes on where this one was (default: a\ntemporary directory)",
	),
	for: {
		value: "TIME",
		help: "edit for so long at most (default: until all edits are made)",
		fallback: null,
		parse: (text) => duration(text, 100),
	} satisfies OptionSpec<number | null>,
	seed: seedOption("seeds the typists, who is killed and where is cut"),
	json: jsonOption,
	help: helpOption,
};

/** @throws QuorateError as `parseOptions`, and `conflicting-options` */
export function parseCrdtRunOptions(args: readonly string[]): CrdtRunOptions {
	const values: OptionValues<typeof options> = parseOptions(options, args, "quorate run --protocol crdt");
	const { kill, cut, collect, protocol: _protocol, for: forMs, ...rest } = values;
	if (rest.data !== null && rest.storage === "memory") {
		throw usageErrors.conflictingOptions({
			option: "--data",
			other: "--storage memory",
			reason: "memory keeps nothing in a directory",
		});
	}
	return { ...rest, forMs, killMs: kill, cutMs: cut, collectMs: collect };
}

export function crdtRunHelp(): string {
	return `quorate run --protocol crdt: replicas of one text in worker threads are edited at once, while links between them are
cut, threads are killed and deleted text is freed; in the end all have the same bytes.

Usage: quorate run --protocol crdt [options]

${describeOptions(options).join("\n")}

A trace has one writer, who knew the whole text; here each replica takes every n-th stretch of 40 edits, and what lies beyond the end
of its text is moved there. So the text in the end is not that of the trace.

The run succeeds (exit code 0) only if all replicas have the same bytes, and among their operations every one that was
acknowledged. With --kill it is vacuous (exit code 1) when no thread died and came back, with --cut when no message was lost
to a cut, and always when no edit was acknowledged.

Examples:
  quorate run --protocol crdt
  quorate run --protocol crdt --input automerge-paper.json.gz --rate max --for 60s
`;
}
