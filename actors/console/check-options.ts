/** The options of `quorate check`. */
import type { RaftModelOptions } from "../../protocols/raft/model/index.ts";
import {
	BUDGET_MAX,
	IN_FLIGHT_MAX,
	STATES_MAX,
	SYMMETRIC_MEMBERS_MAX,
} from "../../protocols/verification/model-checker/index.ts";
import { usageErrors } from "./errors.ts";
import { describeOptions, type OptionSpec, type OptionValues, parseCall } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";

export const checkModels = ["raft"] as const;
const networks = ["cumulative", "set", "multiset"] as const;

export interface CheckOptions {
	readonly model: (typeof checkModels)[number];
	readonly raft: RaftModelOptions;
	readonly statesMax: number;
	/** Null: until everything is explored. */
	readonly forMs: number | null;
	readonly json: boolean;
}

const COMMAND = "quorate check";
const STATES_DEFAULT = 50_000_000;
const TERMS_MAX = 100;

function count(value: string, help: string, fallback: number, min: number, max: number): OptionSpec<number> {
	return {
		value,
		help: `${help}, ${min} to ${max} (default ${fallback})`,
		fallback,
		parse: (text) => integer(text, min, max),
	};
}

function onOff(help: string, fallback: boolean): OptionSpec<boolean> {
	return {
		value: "on|off",
		help: `${help} (default ${fallback ? "on" : "off"})`,
		fallback,
		parse: (text) => oneOf(text, ["on", "off"]) === "on",
	};
}

const options = {
	nodes: count("N", "members of the group", 3, 1, SYMMETRIC_MEMBERS_MAX),
	terms: count("N", "terms", 2, 1, TERMS_MAX),
	log: count("N", "entries in a log", 2, 1, TERMS_MAX),
	"in-flight": {
		value: "N",
		help: `messages under way at once, 1 to ${IN_FLIGHT_MAX} (default 4 where they are bounded)`,
		fallback: null,
		parse: (text) => integer(text, 1, IN_FLIGHT_MAX),
	} satisfies OptionSpec<number | null>,
	crashes: count("N", "crashes, each with a restart", 1, 0, BUDGET_MAX),
	losses: {
		value: "N",
		help: `messages lost, 0 to ${BUDGET_MAX}, or any (default 1 where they are bounded)`,
		fallback: null,
		parse: (text): number | "any" => (text === "any" ? "any" : integer(text, 0, BUDGET_MAX, "or any")),
	} satisfies OptionSpec<number | "any" | null>,
	duplicates: {
		value: "N",
		help: `messages delivered twice, 0 to ${BUDGET_MAX} (default 1 where they are bounded)`,
		fallback: null,
		parse: (text) => integer(text, 0, BUDGET_MAX),
	} satisfies OptionSpec<number | null>,
	requests: count("N", "commands that clients propose", 1, 0, BUDGET_MAX),
	"pre-vote": onOff("ask before campaigning in a new term", false),
	disk: {
		value: "KIND",
		help: "synchronous: a member's writes are done before its next input; asynchronous: at any\nlater time, which makes many more states (default synchronous)",
		fallback: "synchronous",
		parse: (text) => oneOf(text, ["synchronous", "asynchronous"]),
	} satisfies OptionSpec<"synchronous" | "asynchronous">,
	network: {
		value: "KIND",
		help: "cumulative: any number of messages under way, lost and delivered again; set: as many as\n--in-flight, --losses and --duplicates say, a message equal to one under way adds\nnothing; multiset: it takes a place of its own (default cumulative, set with one of these)",
		fallback: null,
		parse: (text): RaftModelOptions["network"] => oneOf(text, networks),
	} satisfies OptionSpec<"cumulative" | "set" | "multiset" | null>,
	symmetry: onOff("explore states that differ by the names of nodes only once", true),
	reduction: onOff("leave out states that can do nothing which others can not do", true),
	eventually: {
		value: null,
		help: "judge what must be true in the end, on every fair run that goes on for ever within the bounds\n(a leader exists), instead of what must always be; implies --symmetry off, --reduction off\nand a network with bounds",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	"states-max": count("N", "end after so many distinct states", STATES_DEFAULT, 1, STATES_MAX),
	for: {
		value: "TIME",
		help: "end after this time, such as 60s (default: when everything is explored)",
		fallback: null,
		parse: (text) => duration(text, 1),
	} satisfies OptionSpec<number | null>,
	json: {
		value: null,
		help: "print the result as one JSON object, nothing else",
		fallback: false,
		parse: () => true,
	} satisfies OptionSpec<boolean>,
	help: { value: null, help: "print this", fallback: false, parse: () => true } satisfies OptionSpec<boolean>,
};

/**
 * What `quorate check` was asked to do; null for its help.
 * @throws QuorateError as `parseCall`, and `missing-operand`, `invalid-value`, `unexpected-argument`
 */
export function parseCheckOptions(args: readonly string[]): CheckOptions | null {
	const call: { readonly values: OptionValues<typeof options>; readonly operands: readonly string[] } = parseCall(
		options,
		args,
		COMMAND,
	);
	if (call.values.help) return null;
	// Cycles, on which alone it can be judged, are kept neither under symmetry nor under reduction.
	const values = call.values.eventually ? { ...call.values, symmetry: false, reduction: false } : call.values;
	const [named, stray] = call.operands;
	if (named === undefined) {
		throw usageErrors.missingOperand({ command: COMMAND, expected: `a model: ${checkModels.join(", ")}` });
	}
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command: COMMAND });
	const model = checkModels.find((name) => name === named);
	if (model === undefined) {
		throw usageErrors.invalidValue({ option: "MODEL", expected: checkModels.join(" or "), actual: named });
	}
	return {
		model,
		raft: {
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
		},
		statesMax: values["states-max"],
		forMs: values.for,
		json: values.json,
	};
}

type NetworkOptions = Pick<RaftModelOptions, "network" | "inFlight" | "losses" | "duplicates">;

/**
 * The network that was asked for: one with bounds if any of them was given.
 * @throws QuorateError `invalid-value` for a bound of a network that has none
 */
function networkOf(values: OptionValues<typeof options>): NetworkOptions {
	const given = { "in-flight": values["in-flight"], losses: values.losses, duplicates: values.duplicates };
	const bounds = Object.entries(given).filter(([, value]) => value !== null);
	const network = values.network ?? (bounds.length > 0 || !values.reduction ? "set" : "cumulative");
	if (network !== "cumulative") {
		return { network, inFlight: given["in-flight"] ?? 4, losses: given.losses ?? 1, duplicates: given.duplicates ?? 1 };
	}
	const [bound] = bounds;
	if (bound !== undefined || !values.reduction) {
		const [option, actual] = bound === undefined ? ["reduction", "off"] : [bound[0], String(bound[1])];
		throw usageErrors.invalidValue({ option: `--${option}`, expected: "none with --network cumulative", actual });
	}
	return { network, inFlight: "any", losses: "any", duplicates: "any" };
}

/** The text of `quorate check --help`. */
export function checkHelp(): string {
	return `quorate check: explores every interleaving of a protocol's shipped code within bounds, and shows a way to a violation,
the shortest if messages are bounded.

Usage: quorate check MODEL [options]

MODEL is ${checkModels.join(" or ")}: one group of the machines that run on threads, a network, disks, crashes and clients.

${describeOptions(options).join("\n")}

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
`;
}
