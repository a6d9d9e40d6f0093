/** The options of `quorate simulate`. */
import { isAttack, type VotingModes } from "../byzantine-coordinator/index.ts";
import { isSimulatedAttack } from "../experiment/index.ts";
import { usageErrors } from "./errors.ts";
import { describeOptions, expected, type OptionSpec, type OptionValues, parseOptions } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import { helpOption, jsonOption, singleSeedOption, textOption, threadsOption } from "./shared-options.ts";
import { certificatesOption, modesOf, requireAttackable, requireModes, votesOption } from "./voting-options.ts";

/** Seeds from the first to the last, both included. */
export interface SeedRange {
	readonly first: number;
	readonly last: number;
}

export interface SimulateOptions {
	readonly protocol: "raft" | "pbft";
	readonly seeds: SeedRange;
	/** One seed was asked for, and not a range. */
	readonly isSingle: boolean;
	readonly nodes: number;
	/** So many of them vote and keep no commands. */
	readonly witnesses: number;
	/** Members that lie, also more than can be borne; null: each seed draws how many, within what can. */
	readonly byzantine: number | null;
	/** What they do; null: each seed draws. */
	readonly attacks: readonly string[] | null;
	readonly modes: VotingModes;
	/** Virtual milliseconds. */
	readonly forMs: number;
	/** `all`, `none` or kinds with commas. */
	readonly faults: string;
	/** A file whose experiment is run instead of the seeds' own ones. */
	readonly experiment: string | null;
	readonly threads: number | null;
	readonly json: boolean;
	readonly trace: boolean;
	readonly shrink: boolean;
	/** Where a shrunk experiment is written. */
	readonly out: string | null;
	readonly help: boolean;
}

/** Members of a simulated group; more are as many threads in one. */
const NODES_MAX = 25;
const NODES_MIN_PBFT = 4;
const NODES_DEFAULT = { raft: 5, pbft: NODES_MIN_PBFT } as const;
const SEEDS_MAX = 1_000_000;

const options = {
	protocol: {
		value: "NAME",
		help: "which protocol is simulated: raft; pbft, where members lie; or gossip or crdt, which have options\nof their own: quorate simulate --protocol NAME --help (default raft)",
		fallback: "raft",
		parse: (text) => oneOf(text, ["raft", "pbft"], ["gossip", "crdt"]),
	} satisfies OptionSpec<"raft" | "pbft">,
	seeds: {
		value: "A..B",
		help: `run the seeds from A to B, at most ${SEEDS_MAX.toLocaleString("en-US")} (default 1..100)`,
		fallback: null,
		parse: seedRange,
	} satisfies OptionSpec<SeedRange | null>,
	seed: singleSeedOption,
	nodes: {
		value: "N",
		help: `members of the group, 3 to ${NODES_MAX}, with pbft from 4 (default 5; pbft: 4)`,
		fallback: null,
		parse: (text) => integer(text, 3, NODES_MAX),
	} satisfies OptionSpec<number | null>,
	witnesses: {
		value: "N",
		help: "raft: so many of these are witnesses, which vote and keep no commands; fewer than a majority (default 0)",
		fallback: null,
		parse: (text) => integer(text, 0, Math.floor(NODES_MAX / 2)),
	} satisfies OptionSpec<number | null>,
	byzantine: {
		value: "N",
		help: "pbft: so many members lie; with more than (nodes - 1) / 3 the group is seen to break\n(default: each seed draws how many, up to these)",
		fallback: null,
		parse: (text) => integer(text, 0, NODES_MAX),
	} satisfies OptionSpec<number | null>,
	attack: {
		value: "LIST",
		help: "pbft: what each liar does, names joined by commas as quorate run --attack list tells them, or\ntwins, two correct machines under one name (default: each seed draws; twins beyond the bound)",
		fallback: null,
		parse: attacksOf,
	} satisfies OptionSpec<readonly string[] | null>,
	votes: votesOption,
	certificates: certificatesOption,
	for: {
		value: "TIME",
		help: "virtual time in which operations and faults begin (default 60s)",
		fallback: 60_000,
		parse: (text) => duration(text, 1_000),
	} satisfies OptionSpec<number>,
	faults: {
		value: "LIST",
		help: "kinds of faults to draw from, with commas, or all or none; see quorate chaos list\n(default all)",
		fallback: "all",
		parse: (text) => text,
	} satisfies OptionSpec<string>,
	experiment: textOption("FILE", "run this experiment with each seed, instead of the one that a seed becomes"),
	threads: threadsOption,
	trace: {
		value: null,
		help: "of one seed: print what happened, and a space-time diagram of its end",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	shrink: {
		value: null,
		help: "of one seed that fails: make its experiment as small as it still fails, and write it",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	out: textOption("FILE", "where --shrink writes (default seed-N.yaml in the working directory)"),
	json: jsonOption,
	help: helpOption,
};

const COMMAND = "quorate simulate";
const SEEDS_DEFAULT: SeedRange = { first: 1, last: 100 };

/**
 * What `quorate simulate` was asked to do.
 * @throws QuorateError as `parseOptions`, and `conflicting-options`
 */
export function parseSimulateOptions(args: readonly string[]): SimulateOptions {
	const values: OptionValues<typeof options> = parseOptions(options, args, COMMAND);
	const { seed, seeds, trace, shrink, out, json, experiment } = values;
	const conflict = (option: string, other: string, reason: string): Error =>
		usageErrors.conflictingOptions({ option, other, reason });
	if (seed !== null && seeds !== null) throw conflict("--seed", "--seeds", "the one is of a single seed");
	if (seed === null && trace) throw conflict("--trace", "--seeds", "a trace is of one seed: give --seed N");
	if (seed === null && shrink) throw conflict("--shrink", "--seeds", "one seed is shrunk: give --seed N");
	if (out !== null && !shrink) throw conflict("--out", "a run without --shrink", "it names what --shrink writes");
	if (trace && json) throw conflict("--trace", "--json", "a trace is for readers");
	if (experiment !== null && args.some((arg) => /^--(nodes|witnesses|for|faults)(=|$)/.test(arg))) {
		throw conflict("--experiment", "--nodes, --witnesses, --for and --faults", "the file says it");
	}
	const { protocol } = values;
	const nodes = values.nodes ?? NODES_DEFAULT[protocol];
	checkProtocol(values, nodes);
	return {
		protocol,
		seeds: seed === null ? (seeds ?? SEEDS_DEFAULT) : { first: seed, last: seed },
		isSingle: seed !== null,
		nodes,
		witnesses: values.witnesses ?? 0,
		byzantine: values.byzantine,
		attacks: values.attack,
		modes: modesOf(values),
		forMs: values.for,
		faults: values.faults,
		experiment,
		threads: values.threads,
		json,
		trace,
		shrink,
		out,
		help: values.help,
	};
}

/** @throws QuorateError `conflicting-options` */
function checkProtocol(values: OptionValues<typeof options>, nodes: number): void {
	const { protocol, byzantine, experiment, shrink, attack, witnesses } = values;
	const conflict = (option: string, other: string, reason: string): Error =>
		usageErrors.conflictingOptions({ option, other, reason });
	if (witnesses !== null && protocol !== "raft")
		throw conflict("--witnesses", `--protocol ${protocol}`, "only Raft has them");
	if (witnesses !== null && 2 * witnesses > nodes)
		throw conflict(`--witnesses ${witnesses}`, `--nodes ${nodes}`, "they must be fewer than a majority");
	if (protocol === "raft") {
		const given = (["byzantine", "attack", "votes", "certificates"] as const).find((name) => values[name] !== null);
		if (given === undefined) return;
		throw conflict(`--${given}`, "--protocol raft", "Raft bears members that crash, not members that lie");
	}
	if (nodes < NODES_MIN_PBFT) {
		throw conflict(`--nodes ${nodes}`, "--protocol pbft", `${NODES_MIN_PBFT} members are the least that bear a liar`);
	}
	if (byzantine !== null && byzantine > nodes) {
		throw conflict(`--byzantine ${byzantine}`, `--nodes ${nodes}`, "more members lie than there are");
	}
	if (attack !== null && byzantine === 0) throw conflict("--attack", "--byzantine 0", "nobody lies");
	if (experiment !== null) throw conflict("--experiment", "--protocol pbft", "no file says who lies");
	if (shrink) throw conflict("--shrink", "--protocol pbft", "no file says who lies");
	requireModes(values);
	requireAttackable((attack ?? []).filter(isAttack), modesOf(values));
}

function attacksOf(text: string): readonly string[] {
	const names = text.split(",").map((name) => name.trim());
	if (names.every(isSimulatedAttack) && (names.length === 1 || names.every(isAttack))) return names;
	throw expected("names of attacks joined by commas (quorate run --attack list tells them), or twins alone");
}

/** The text of `quorate simulate --help`. */
export function simulateHelp(): string {
	return `quorate simulate: runs the very code that runs on threads (participants, mailboxes, supervisors, storage) on virtual
time, each seed with faults of its own, and judges what came of it.

Usage: quorate simulate [options]

${describeOptions(options).join("\n")}

A seed becomes an experiment: a random part of the kinds of faults, at random times, within the fault budget of the
protocol. Clients put, get, compare-and-set and append meanwhile. Then all faults are removed, and the group must answer
everything and agree. Properties of the protocol are watched after every step of every member; the clients' history is
judged for linearizability. The same seed gives the same run, event by event.

With --protocol pbft up to f members lie, in ways that the seed draws, while the correct ones are under faults, too. Nothing that a
liar holds or says is judged. With more liars than the group bears it must be seen to break: the run fails and says what was violated.

Verdicts: pass; fail (a property was violated, or the group did not recover); inconclusive (a checker ran out of its
budget); vacuous (nothing was shown); aborted. The exit code is 0 only if every seed passes. Other exit codes: 1 for
anything else, 2 for a wrong call, 130 after Ctrl-C and 143 after SIGTERM.

Examples:
  quorate simulate --seeds 1..500
  quorate simulate --seeds 1..50 --nodes 3 --for 20s --faults partition,kill,restart-power-loss
  quorate simulate --seed 17 --trace
  quorate simulate --seed 17 --shrink --out smaller.yaml
`;
}

export function seedRange(text: string): SeedRange {
	const match = /^([0-9]+)\.\.([0-9]+)$/.exec(text);
	const [first, last] = [Number(match?.[1]), Number(match?.[2])];
	if (match === null || !Number.isSafeInteger(last) || first > last || last - first >= SEEDS_MAX) {
		throw expected(`a range of seeds such as 1..500, at most ${SEEDS_MAX.toLocaleString("en-US")} of them`);
	}
	return { first, last };
}
