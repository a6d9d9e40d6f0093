/** The options of `quorate run`. */
import { PBFT_MEMBERS_MAX } from "../../protocols/pbft/index.ts";
import { nearestName } from "../../supervisors/chaos/index.ts";
import { isAttack, knownAttacks, type VotingModes } from "../byzantine-coordinator/index.ts";
import { NODES_MAX } from "../swarm/index.ts";
import { usageErrors } from "./errors.ts";
import { describeOptions, expected, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import { helpOption, seedOption, storageOption, textOption } from "./shared-options.ts";
import { certificatesOption, modesOf, requireAttackable, requireModes, votesOption } from "./voting-options.ts";

export interface RunOptions {
	readonly protocol: "raft" | "pbft";
	readonly nodes: number;
	/** Members that attack: the first of the list. 0 with Raft. */
	readonly byzantine: number;
	/** What each of them does, all at once; empty when nobody attacks. */
	readonly attacks: readonly string[];
	/** How members of a Byzantine group vote and certify; nothing is said of either with Raft. */
	readonly modes: VotingModes;
	/** Where evidence against members is written; null writes none. */
	readonly evidence: string | null;
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
	/** Holds what opens the members' keys in `data`; null: an environment variable does. */
	readonly passphraseFile: string | null;
	readonly history: string | null;
	readonly seed: number;
	/** Null: until the input has been applied. */
	readonly forMs: number | null;
	readonly json: boolean;
	readonly help: boolean;
	/** Only the attacks are to be told. */
	readonly listsAttacks: boolean;
}

/** The environment variable that opens the keys of a data directory. */
export const PASSPHRASE_VARIABLE = "QUORATE_PASSPHRASE";

const NODES_DEFAULT = { raft: 5, pbft: 4 } as const;
const KILL_INTERVAL_MS_DEFAULT = { raft: 4_000, pbft: "off" } as const;
const ATTACK_DEFAULT = "equivocate";
const RATE_MAX = 1_000_000;
const CLIENTS_MAX = 256;
const KILL_INTERVAL_MS_MIN = 500;

const options = {
	protocol: {
		value: "NAME",
		help: "which protocol: raft; pbft, which bears members that lie; or gossip and crdt, which\ndecide nothing and have options of their own: quorate run --protocol crdt --help\n(default raft)",
		fallback: "raft",
		parse: (text) => oneOf(text, ["raft", "pbft"], ["gossip", "crdt"]),
	} satisfies OptionSpec<"raft" | "pbft">,
	nodes: {
		value: "N",
		help: `members of the group, 1 to ${NODES_MAX} (pbft: to ${PBFT_MEMBERS_MAX}), each an actor in a thread of its own\n(default 5; pbft: 4)`,
		fallback: null,
		parse: (text) => integer(text, 1, NODES_MAX),
	} satisfies OptionSpec<number | null>,
	byzantine: {
		value: "N",
		help: "pbft: so many members attack, at most (nodes - 1) / 3 (default 0)",
		fallback: 0,
		parse: (text) => integer(text, 0, PBFT_MEMBERS_MAX),
	} satisfies OptionSpec<number>,
	attack: {
		value: "LIST",
		help: `pbft: what they do, names joined by commas, or list, which tells them (default ${ATTACK_DEFAULT})`,
		fallback: null,
		parse: (text) => (text === "list" ? "list" : attacksOf(text)),
	} satisfies OptionSpec<readonly string[] | "list" | null>,
	votes: votesOption,
	certificates: certificatesOption,
	evidence: textOption("FILE", "pbft: write the proofs against members here; quorate verify-certificate checks them"),
	input: textOption(
		"FILE",
		"records to apply: a JSON array or one JSON record a line, also gzip; - reads\nstandard input (default: the data set vega-datasets if installed, else generated)",
	),
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
		help: "kill the leader's thread this often while the load runs, such as 4s; off kills\nnobody (default 4s; pbft: off)",
		fallback: null,
		parse: (text) => (text === "off" ? "off" : duration(text, KILL_INTERVAL_MS_MIN, "or off")),
	} satisfies OptionSpec<number | "off" | null>,
	storage: storageOption,
	data: textOption(
		"DIR",
		"keep the data here; the next run with it goes on where this one was (default: a\ntemporary directory, removed after success)",
	),
	"passphrase-file": textOption(
		"FILE",
		`pbft: its first line opens the members' keys in --data, which are encrypted (default: the\nvariable ${PASSPHRASE_VARIABLE})`,
	),
	history: textOption("FILE", "write each client operation as a JSON line, for a linearizability checker"),
	seed: seedOption("seeds election timeouts and generated records"),
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
	help: helpOption,
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
	const { protocol } = values;
	const nodes = values.nodes ?? NODES_DEFAULT[protocol];
	checkByzantine(values, nodes);
	const kill = values["kill-leader"] ?? KILL_INTERVAL_MS_DEFAULT[protocol];
	return {
		protocol,
		nodes,
		byzantine: values.byzantine,
		attacks: values.byzantine === 0 || values.attack === "list" ? [] : (values.attack ?? [ATTACK_DEFAULT]),
		modes: modesOf(values),
		evidence: values.evidence,
		listsAttacks: values.attack === "list",
		input: values.input,
		rate: values.rate,
		clients: values.clients,
		killLeaderMs: kill === "off" ? null : kill,
		storage: values.storage,
		data: values.data,
		passphraseFile: values["passphrase-file"],
		history: values.history,
		seed: values.seed,
		forMs: values.for,
		json: values.json,
		help: values.help,
	};
}

/** @throws QuorateError `conflicting-options` */
function checkByzantine(values: OptionValues<typeof options>, nodes: number): void {
	const { protocol, byzantine } = values;
	const conflict = (option: string, other: string, reason: string): Error =>
		usageErrors.conflictingOptions({ option, other, reason });
	if (protocol === "raft") {
		const given = (["byzantine", "attack", "votes", "certificates", "evidence", "passphrase-file"] as const).find(
			(name) => values[name] !== options[name].fallback,
		);
		if (given === undefined || values.attack === "list") return;
		throw conflict(`--${given}`, "--protocol raft", "Raft bears members that crash, not members that lie");
	}
	if (nodes > PBFT_MEMBERS_MAX) {
		throw conflict(`--nodes ${nodes}`, "--protocol pbft", `a group of it has at most ${PBFT_MEMBERS_MAX} members`);
	}
	const faults = Math.floor((nodes - 1) / 3);
	if (byzantine > faults) {
		throw conflict(`--byzantine ${byzantine}`, `--nodes ${nodes}`, `${nodes} members bear at most ${faults} that lie`);
	}
	checkModes(values, conflict);
	if (values["passphrase-file"] !== null && values.data === null) {
		throw conflict("--passphrase-file", "no --data", "nothing is kept that it could open");
	}
}

function checkModes(
	values: OptionValues<typeof options>,
	conflict: (option: string, other: string, reason: string) => Error,
): void {
	const { votes, attack, evidence } = values;
	requireModes(values);
	if (votes === "authenticated" && evidence !== null) {
		throw conflict("--evidence", "--votes authenticated", "without signatures there is nothing to show to others");
	}
	if (attack !== null && attack !== "list") requireAttackable(attack, modesOf(values));
}

function attacksOf(text: string): readonly string[] {
	const names = text.split(",").map((name) => name.trim());
	const unknown = names.find((name) => !isAttack(name));
	if (unknown !== undefined) {
		const near = nearestName(
			unknown,
			knownAttacks().map(({ name }) => name),
		);
		const hint = near === null ? "" : `: did you mean ${near}?`;
		throw expected(`names of attacks joined by commas (none is "${unknown}"${hint}); --attack list tells them`);
	}
	return names;
}

/** The text of `quorate run --attack list`. */
export function attackList(): string {
	const width = Math.max(...knownAttacks().map(({ name }) => name.length));
	return `${knownAttacks()
		.map(({ name, description, needs }) => {
			const where =
				needs === undefined ? "" : needs === "collector" ? " (--certificates collector)" : " (--votes authenticated)";
			return `  ${name.padEnd(width)}  ${description}${where}`;
		})
		.join("\n")}\n`;
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
which end the run in order (a second one ends it at once), as does a reader that closes the pipe (141).

With --protocol pbft the leader is the primary and its terms are views. Members that attack are left out of the
comparison; who was convicted, and by which proof, is part of the summary, and a conviction of a member that does not
attack is a fault.

With --data an interrupted run goes on: a second run with the same input proposes only what is not applied yet. When
the input was complete, or is another one, the ledger begins its next run and its hash of the order goes on.

Examples:
  quorate run --nodes 3 --rate max
  quorate run --protocol pbft --nodes 4 --byzantine 1 --attack equivocate,delay --rate 1000 --for 20s
  quorate run --protocol pbft --nodes 7 --certificates collector --byzantine 2 --attack half-collector --rate 500
  quorate run --input flights.json.gz --kill-leader 2s --history history.jsonl
  zcat flights.jsonl.gz | quorate run --input - --data ./quorate-data
`;
}
