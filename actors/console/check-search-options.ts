/** What the models of `quorate check` have in common: bounds of the world, how the search goes, how it is told. */
import { BUDGET_MAX, IN_FLIGHT_MAX, STATES_MAX } from "../../protocols/verification/model-checker/index.ts";
import { usageErrors } from "./errors.ts";
import type { OptionSpec, OptionValues } from "./option-table.ts";
import { duration, integer, oneOf } from "./option-values.ts";
import { helpOption, jsonOption } from "./shared-options.ts";

/** How a search goes, whatever is searched. */
export interface SearchOptions {
	readonly statesMax: number;
	/** Null: until everything is explored. */
	readonly forMs: number | null;
	readonly json: boolean;
}

/** What may happen to messages. */
export interface NetworkBounds {
	readonly network: "cumulative" | "set" | "multiset";
	readonly inFlight: number | "any";
	readonly losses: number | "any";
	readonly duplicates: number | "any";
}

const STATES_DEFAULT = 50_000_000;
const networks = ["cumulative", "set", "multiset"] as const;

/** A number of things, with its range and default in the help. */
export function count(value: string, help: string, fallback: number, min: number, max: number): OptionSpec<number> {
	return {
		value,
		help: `${help}, ${min} to ${max} (default ${fallback})`,
		fallback,
		parse: (text) => integer(text, min, max),
	};
}

export function onOff(help: string, fallback: boolean): OptionSpec<boolean> {
	return {
		value: "on|off",
		help: `${help} (default ${fallback ? "on" : "off"})`,
		fallback,
		parse: (text) => oneOf(text, ["on", "off"]) === "on",
	};
}

export const messageOptions: {
	readonly "in-flight": OptionSpec<number | null>;
	readonly losses: OptionSpec<number | "any" | null>;
	readonly duplicates: OptionSpec<number | null>;
} = {
	"in-flight": {
		value: "N",
		help: `messages under way at once, 1 to ${IN_FLIGHT_MAX} (default 4 where they are bounded)`,
		fallback: null,
		parse: (text) => integer(text, 1, IN_FLIGHT_MAX),
	},
	losses: {
		value: "N",
		help: `messages lost, 0 to ${BUDGET_MAX}, or any (default 1 where they are bounded)`,
		fallback: null,
		parse: (text): number | "any" => (text === "any" ? "any" : integer(text, 0, BUDGET_MAX, "or any")),
	},
	duplicates: {
		value: "N",
		help: `messages delivered twice, 0 to ${BUDGET_MAX} (default 1 where they are bounded)`,
		fallback: null,
		parse: (text) => integer(text, 0, BUDGET_MAX),
	},
};

export const worldOptions: {
	readonly disk: OptionSpec<"synchronous" | "asynchronous">;
	readonly network: OptionSpec<NetworkBounds["network"] | null>;
} = {
	disk: {
		value: "KIND",
		help: "synchronous: a member's writes are done before its next input; asynchronous: at any\nlater time, which makes many more states (default synchronous)",
		fallback: "synchronous",
		parse: (text) => oneOf(text, ["synchronous", "asynchronous"]),
	},
	network: {
		value: "KIND",
		help: "cumulative: any number of messages under way, lost and delivered again; set: as many as\n--in-flight, --losses and --duplicates say, a message equal to one under way adds\nnothing; multiset: it takes a place of its own (default cumulative, set with one of these)",
		fallback: null,
		parse: (text): NetworkBounds["network"] => oneOf(text, networks),
	},
};

export const searchOptions: {
	readonly reduction: OptionSpec<boolean>;
	readonly "states-max": OptionSpec<number>;
	readonly for: OptionSpec<number | null>;
	readonly json: OptionSpec<boolean>;
	readonly help: OptionSpec<boolean>;
} = {
	reduction: onOff("leave out states that can do nothing which others can not do", true),
	"states-max": count("N", "end after so many distinct states", STATES_DEFAULT, 1, STATES_MAX),
	for: {
		value: "TIME",
		help: "end after this time, such as 60s (default: when everything is explored)",
		fallback: null,
		parse: (text) => duration(text, 1),
	},
	json: jsonOption,
	help: helpOption,
};

type NetworkValues = OptionValues<typeof messageOptions & Pick<typeof worldOptions, "network">> &
	Pick<OptionValues<typeof searchOptions>, "reduction">;

/**
 * The network that was asked for: one with bounds if any of them was given.
 * @throws QuorateError `invalid-value` for a bound of a network that has none
 */
export function networkOf(values: NetworkValues): NetworkBounds {
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

export function searchOf(values: OptionValues<typeof searchOptions>): SearchOptions {
	return { statesMax: values["states-max"], forMs: values.for, json: values.json };
}
