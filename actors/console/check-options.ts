/** The options of `quorate check`: which model, and its bounds. */
import type { PbftModelOptions } from "../../protocols/pbft/model/index.ts";
import type { RaftModelOptions } from "../../protocols/raft/model/index.ts";
import { BUDGET_MAX, SYMMETRIC_MEMBERS_MAX } from "../../protocols/verification/model-checker/index.ts";
import {
	count,
	messageOptions,
	networkOf,
	onOff,
	type SearchOptions,
	searchOf,
	searchOptions,
	worldOptions,
} from "./check-search-options.ts";
import { usageErrors } from "./errors.ts";
import { describeOptions, type OptionSpec, type OptionTable, type OptionValues, parseCall } from "./option-table.ts";
import { integer, oneOf } from "./option-values.ts";

export const checkModels = ["raft", "pbft"] as const;

export type CheckOptions = SearchOptions &
	(
		| { readonly model: "raft"; readonly raft: RaftModelOptions }
		| { readonly model: "pbft"; readonly pbft: PbftModelOptions }
	);

const COMMAND = "quorate check";
const TERMS_MAX = 100;
const PBFT_NODES_MAX = 7;

const raftOptions = {
	nodes: count("N", "members of the group", 3, 1, SYMMETRIC_MEMBERS_MAX),
	terms: count("N", "terms", 2, 1, TERMS_MAX),
	log: count("N", "entries in a log", 2, 1, TERMS_MAX),
	"in-flight": messageOptions["in-flight"],
	crashes: count("N", "crashes, each with a restart", 1, 0, BUDGET_MAX),
	losses: messageOptions.losses,
	duplicates: messageOptions.duplicates,
	requests: count("N", "commands that clients propose", 1, 0, BUDGET_MAX),
	"pre-vote": onOff("ask before campaigning in a new term", false),
	...worldOptions,
	symmetry: onOff("explore states that differ by the names of nodes only once", true),
	eventually: {
		value: null,
		help: "judge what must be true in the end, on every fair run that goes on for ever within the bounds\n(a leader exists), instead of what must always be; implies --symmetry off, --reduction off\nand a network with bounds",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	...searchOptions,
};

const pbftOptions = {
	nodes: count("N", "members of the group, of whom (N - 1) / 3 may be faulty", 4, 1, PBFT_NODES_MAX),
	liars: {
		value: "LIST",
		help: "members that lie, by number with commas: 1 leads view 0, 2 leads view 1; or none\n(default 1)",
		fallback: [1],
		parse: (text) =>
			text === "none" ? [] : text.split(",").map((number) => integer(number, 1, PBFT_NODES_MAX, "or none")),
	} satisfies OptionSpec<readonly number[]>,
	shown: {
		value: "WHAT",
		help: "one: a liar speaks to each member for one batch, to every other one for another;\nall: it may say everything to everyone, which makes many more states (default one)",
		fallback: "one",
		parse: (text) => oneOf(text, ["one", "all"]),
	} satisfies OptionSpec<"one" | "all">,
	forgeries: {
		value: "N",
		help: `what liars say in one run, 0 to ${BUDGET_MAX} messages, or any (default any on a cumulative\nnetwork, else 4)`,
		fallback: null,
		parse: (text): number | "any" => (text === "any" ? "any" : integer(text, 0, BUDGET_MAX, "or any")),
	} satisfies OptionSpec<number | "any" | null>,
	votes: {
		value: "WHAT",
		help: "what votes carry: signed, or authenticated, where view changes claim and prove nothing\n(default signed)",
		fallback: "signed",
		parse: (text) => oneOf(text, ["signed", "authenticated"]),
	} satisfies OptionSpec<"signed" | "authenticated">,
	views: count("N", "the last view", 1, 0, TERMS_MAX),
	slots: count("N", "slots of the order", 1, 1, TERMS_MAX),
	"in-flight": messageOptions["in-flight"],
	crashes: count("N", "crashes, each with a restart", 0, 0, BUDGET_MAX),
	losses: messageOptions.losses,
	duplicates: messageOptions.duplicates,
	requests: count("N", "requests that a client makes", 1, 0, BUDGET_MAX),
	...worldOptions,
	...searchOptions,
};

/**
 * What `quorate check` was asked to do; null for its help.
 * @throws QuorateError as `parseCall`, and `missing-operand`, `invalid-value`, `unexpected-argument`
 */
export function parseCheckOptions(args: readonly string[]): CheckOptions | null {
	// No option takes such a value, so wherever it stands it is the model.
	return args.includes("pbft") ? parsePbft(args) : parseRaft(args);
}

function parseRaft(args: readonly string[]): CheckOptions | null {
	const given = valuesOf(raftOptions, args, "raft");
	if (given === null) return null;
	// Cycles, on which alone it can be judged, are kept neither under symmetry nor under reduction.
	const values = given.eventually ? { ...given, symmetry: false, reduction: false } : given;
	const raft = {
		nodes: values.nodes,
		terms: values.terms,
		log: values.log,
		crashes: values.crashes,
		...networkOf(values),
		requests: values.requests,
		preVote: values["pre-vote"],
		disk: values.disk,
		isSymmetric: values.symmetry,
		isReduced: values.reduction,
		isEventual: values.eventually,
	};
	return { model: "raft", raft, ...searchOf(values) };
}

function parsePbft(args: readonly string[]): CheckOptions | null {
	const values = valuesOf(pbftOptions, args, "pbft");
	if (values === null) return null;
	const { nodes, liars, shown, votes, views, slots, crashes, requests, disk, forgeries } = values;
	const stranger = liars.find((liar) => liar > nodes);
	if (stranger !== undefined || new Set(liars).size < liars.length) {
		throw usageErrors.invalidValue({
			option: "--liars",
			expected: `numbers from 1 to ${nodes}, each once`,
			actual: liars.join(),
		});
	}
	const bounds = networkOf(values);
	const isBounded = bounds.network !== "cumulative";
	if (isBounded && forgeries === "any") {
		throw usageErrors.invalidValue({ option: "--forgeries", expected: "a number on such a network", actual: "any" });
	}
	const pbft = {
		...{ nodes, liars, shown, votes, views, slots, crashes, requests, disk },
		...bounds,
		forgeries: forgeries ?? (isBounded ? FORGERIES_BOUNDED : "any"),
		isReduced: values.reduction,
	};
	return { model: "pbft", pbft, ...searchOf(values) };
}

/** What a liar says where messages are bounded, if nothing else is said. */
const FORGERIES_BOUNDED = 4;

/** The values of a model's options; null for the help. */
function valuesOf<Table extends OptionTable & typeof searchOptions>(
	table: Table,
	args: readonly string[],
	model: (typeof checkModels)[number],
): OptionValues<Table> | null {
	const { values, operands } = parseCall(table, args, COMMAND);
	if ((values as { readonly help: boolean }).help) return null;
	const [named, stray] = operands;
	if (named === undefined) {
		throw usageErrors.missingOperand({ command: COMMAND, expected: `a model: ${checkModels.join(", ")}` });
	}
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command: COMMAND });
	if (named !== model) {
		throw usageErrors.invalidValue({ option: "MODEL", expected: checkModels.join(" or "), actual: named });
	}
	return values;
}

/** The text of `quorate check --help`. */
export function checkHelp(): string {
	return `quorate check: explores every interleaving of a protocol's shipped code within bounds, and shows a way to a violation,
the shortest if messages are bounded.

Usage: quorate check MODEL [options]

MODEL is ${checkModels.join(" or ")}: one group of the machines that run on threads, a network, disks, crashes and clients.

Options of raft:
${describeOptions(raftOptions).join("\n")}

Options of pbft, where members lie with their own keys:
${describeOptions(pbftOptions).join("\n")}

Every property of the protocol is judged at every step. The last line says what the search is worth:
  proved    every state within the bounds was explored, and no property is violated (but for fingerprints that collide)
  bounded   no violation in what was explored before --states-max, --for or memory ended it: no proof
  violated  with the steps that lead there; if messages are bounded there is no way with fewer
  vacuous   something that must happen for the rest to mean anything never did

Exit code 0 for proved and bounded; 1 for violated and vacuous; 2 for a wrong call, 130 after Ctrl-C, 143 after SIGTERM.

Examples:
  quorate check raft
  quorate check raft --in-flight 3 --disk asynchronous --for 60s
  quorate check raft --terms 3 --for 10m --json
  quorate check raft --eventually --nodes 2 --in-flight 2 --duplicates 0 --requests 0
  quorate check pbft
  quorate check pbft --liars 1,2 --views 0
`;
}
