/** The options of `quorate run`. */
import { NODES_MAX } from "../swarm/index.ts";
import { usageErrors } from "./errors.ts";
import { describeOptions, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";

export interface RunOptions {
	readonly protocol: "raft";
	readonly nodes: number;
	/** A file, `-` for standard input, or null: the data set if it is installed, else generated records. */
	readonly input: string | null;
	/** Records per second. */
	readonly rate: number | "max";
	readonly clients: number;
	/** Milliseconds between kills; null kills nobody. */
	readonly killLeaderMs: number | null;
	readonly storage: "memory" | "lmdb";
	/** Null: a fresh temporary directory. */
	readonly data: string | null;
	readonly history: string | null;
	readonly seed: number;
	/** Null: until the input has been applied. */
	readonly forMs: number | null;
	readonly json: boolean;
	readonly help: boolean;
}

const RATE_MAX = 1_000_000;
const CLIENTS_MAX = 256;
const KILL_INTERVAL_MS_MIN = 500;

const options = {
	protocol: {
		value: "NAME",
		help: "which protocol: raft, or gossip, which has options of its own: quorate run --protocol\ngossip --help",
		fallback: "raft",
		parse: (text) => oneOf(text, ["raft"]),
	} satisfies OptionSpec<"raft">,
	nodes: {
		value: "N",
		help: `members of the group, 1 to ${NODES_MAX}, each an actor in a thread of its own (default 5)`,
		fallback: 5,
		parse: (text) => integer(text, 1, NODES_MAX),
	} satisfies OptionSpec<number>,
	input: {
		value: "FILE",
		help: "records to apply: a JSON array or one JSON record a line, also gzip; - reads\nstandard input (default: the data set vega-datasets if installed, else generated)",
		fallback: null,
		parse: (text) => text,
	} satisfies OptionSpec<string | null>,
	rate: {
		value: "R",
		help: "records per second over all clients, or max (default 10000)",
		fallback: 10_000,
		parse: (text) => (text === "max" ? "max" : integer(text, 1, RATE_MAX, "or max")),
	} satisfies OptionSpec<number | "max">,
	clients: {
		value: "N",
		help: `clients, each with an exactly-once session, 1 to ${CLIENTS_MAX} (default 8)`,
		fallback: 8,
		parse: (text) => integer(text, 1, CLIENTS_MAX),
	} satisfies OptionSpec<number>,
	"kill-leader": {
		value: "TIME",
		help: "kill the leader's thread this often while the load runs, such as 4s; off kills\nnobody (default 4s)",
		fallback: 4_000,
		parse: (text) => (text === "off" ? null : duration(text, KILL_INTERVAL_MS_MIN, "or off")),
	} satisfies OptionSpec<number | null>,
	storage: {
		value: "KIND",
		help: "lmdb flushes to the disk before anything is acknowledged; memory outlives a thread,\nnot the process (default lmdb)",
		fallback: "lmdb",
		parse: (text) => oneOf(text, ["memory", "lmdb"]),
	} satisfies OptionSpec<"memory" | "lmdb">,
	data: {
		value: "DIR",
		help: "keep the data here; the next run with it goes on where this one was (default: a\ntemporary directory, removed after success)",
		fallback: null,
		parse: (text) => text,
	} satisfies OptionSpec<string | null>,
	history: {
		value: "FILE",
		help: "write each client operation as a JSON line, for a linearizability checker",
		fallback: null,
		parse: (text) => text,
	} satisfies OptionSpec<string | null>,
	seed: {
		value: "N",
		help: "seeds election timeouts and generated records (default 1)",
		fallback: 1,
		parse: (text) => integer(text, 0, Number.MAX_SAFE_INTEGER),
	} satisfies OptionSpec<number>,
	for: {
		value: "TIME",
		help: "propose nothing more after this time, such as 30s (default: until all is applied)",
		fallback: null,
		parse: (text) => duration(text, 1),
	} satisfies OptionSpec<number | null>,
	json: {
		value: null,
		help: "print the result as one JSON object; standard output holds nothing else, notes go\nto standard error",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	help: { value: null, help: "print this", fallback: false, parse: () => true } satisfies OptionSpec<boolean>,
};

/**
 * What `quorate run` was asked to do.
 * @throws QuorateError as `parseOptions`, and `conflicting-options`
 */
export function parseRunOptions(args: readonly string[]): RunOptions {
	const values: OptionValues<typeof options> = parseOptions(options, args, "quorate run");
	if (values.data !== null && values.storage === "memory") {
		throw usageErrors.conflictingOptions({
			option: "--data",
			other: "--storage memory",
			reason: "memory keeps nothing in a directory",
		});
	}
	return {
		protocol: values.protocol,
		nodes: values.nodes,
		input: values.input,
		rate: values.rate,
		clients: values.clients,
		killLeaderMs: values["kill-leader"],
		storage: values.storage,
		data: values.data,
		history: values.history,
		seed: values.seed,
		forMs: values.for,
		json: values.json,
		help: values.help,
	};
}

/** The text of `quorate run --help`. */
export function runHelp(): string {
	return `quorate run: starts a swarm, applies records through it while its leaders are killed, and proves that all
replicas agree.

Usage: quorate run [options]

${describeOptions(options).join("\n")}

A record is {"delay": minutes, "distance": miles, "time": hour of day from 0 to below 24}.

The run succeeds (exit code 0) only if every replica applied the same records in the same order and these are exactly
the ones that were acknowledged, each once, as a plain sequential run in the same process confirms. With --kill-leader
it is vacuous (exit code 1) when fewer leaders were killed and replaced than the schedule asked for: one less than the
intervals that passed while the load ran, at most 3 (time in which a due kill waited for the last killed node to come
back does not count). Other exit codes: 1 for a failure, 2 for a wrong call, 130 after Ctrl-C and 143 after SIGTERM,
which end the run in order (a second one ends it at once); a reader that closes the pipe counts as Ctrl-C.

With --data an interrupted run goes on: a second run with the same input proposes only what is not applied yet. When
the input was complete, or is another one, the ledger begins its next run and its hash of the order goes on.

Examples:
  quorate run --nodes 3 --rate max
  quorate run --input flights.json.gz --kill-leader 2s --history history.jsonl
  zcat flights.jsonl.gz | quorate run --input - --data ./quorate-data
`;
}
