/** The options of `quorate run --protocol gossip`. */
import { namedProtocol } from "./named-protocol.ts";
import { describeOptions, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import { helpOption, jsonOption, lossOption, profileOption, seedOption } from "./shared-options.ts";

export interface GossipRunOptions {
	readonly nodes: number;
	readonly threads: number;
	readonly profile: "lan" | "wan" | "local";
	/** Milliseconds between kills; null kills nobody. */
	readonly killMs: number | null;
	/** Milliseconds between kills of a thread, with all members on it; null kills none. */
	readonly killThreadMs: number | null;
	readonly lossChance: number;
	/** Whether members sign what they say of members. */
	readonly signed: boolean;
	readonly forMs: number;
	/** Milliseconds between messages to all. */
	readonly spreadMs: number;
	readonly seed: number;
	readonly json: boolean;
	readonly help: boolean;
}

const NODES_MIN = 3;
const NODES_MAX = 512;
const THREADS_MAX = 32;

const options = {
	protocol: {
		value: "NAME",
		help: "gossip; see quorate run --help for the others",
		fallback: "gossip",
		parse: (text) => oneOf(text, ["gossip"]),
	} satisfies OptionSpec<"gossip">,
	nodes: {
		value: "N",
		help: `members, ${NODES_MIN} to ${NODES_MAX}, many to a thread (default 64)`,
		fallback: 64,
		parse: (text) => integer(text, NODES_MIN, NODES_MAX),
	} satisfies OptionSpec<number>,
	threads: {
		value: "N",
		help: `worker threads that they share, 1 to ${THREADS_MAX} (default 2)`,
		fallback: 2,
		parse: (text) => integer(text, 1, THREADS_MAX),
	} satisfies OptionSpec<number>,
	profile: profileOption,
	kill: {
		value: "TIME",
		help: "kill a member this often, such as 5s, and start it again when all hold it dead; off\nkills nobody (default 5s)",
		fallback: 5_000,
		parse: (text) => (text === "off" ? null : duration(text, 500, "or off")),
	} satisfies OptionSpec<number | null>,
	"kill-thread": {
		value: "TIME",
		help: "kill a thread with all members on it this often; supervision brings them back (default off)",
		fallback: null,
		parse: (text) => (text === "off" ? null : duration(text, 1_000, "or off")),
	} satisfies OptionSpec<number | null>,
	signed: {
		value: null,
		help: "let members sign what they say of members (Ed25519)",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	loss: lossOption,
	spread: {
		value: "TIME",
		help: "let some member tell all something this often (default 500ms)",
		fallback: 500,
		parse: (text) => duration(text, 10),
	} satisfies OptionSpec<number>,
	for: {
		value: "TIME",
		help: "kill and spread for so long (default 20s)",
		fallback: 20_000,
		parse: (text) => duration(text, 1_000),
	} satisfies OptionSpec<number>,
	seed: seedOption("seeds who is killed and who is spoken to"),
	json: jsonOption,
	help: helpOption,
};

/** Whether a call is about gossip: its last `--protocol` says so. */
export function namesGossip(args: readonly string[]): boolean {
	return namedProtocol(args) === "gossip";
}

/** @throws QuorateError as `parseOptions` */
export function parseGossipRunOptions(args: readonly string[]): GossipRunOptions {
	const values: OptionValues<typeof options> = parseOptions(options, args, "quorate run --protocol gossip");
	const { nodes, threads, profile, kill, loss, signed, spread, seed, json, help } = values;
	return {
		nodes,
		threads,
		profile,
		killMs: kill,
		killThreadMs: values["kill-thread"],
		lossChance: loss,
		signed,
		forMs: values.for,
		spreadMs: spread,
		seed,
		json,
		help,
	};
}

export function gossipRunHelp(): string {
	return `quorate run --protocol gossip: members in worker threads meet through seeds, find out who has crashed, and tell
all what one of them says.

Usage: quorate run --protocol gossip [options]

${describeOptions(options).join("\n")}

The run succeeds (exit code 0) only if every killed member was held dead by all that lived, at least 99 % of what was
spread reached the members that lived through it, and in the end every view is whole. A false positive is a live member that
somebody holds dead; it is counted, and no failure as long as it is made up for. With --kill it is vacuous (exit code 1)
when nobody was killed and detected; with --kill-thread, all members of each killed thread must have come back.

Examples:
  quorate run --protocol gossip --nodes 64 --kill 5s
  quorate run --protocol gossip --nodes 64 --loss 0.1 --for 60s
`;
}
