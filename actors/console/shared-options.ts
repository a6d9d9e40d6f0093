/** Options that several commands have: the same words do the same everywhere. */
import { expected, type OptionSpec } from "./option-table.ts";
import { integer, oneOf } from "./option-values.ts";

const LOSS_MAX = 0.9;
/** Threads that run seeds side by side. */
const THREADS_MAX = 64;

/** An option without a value. */
export function flag(help: string): OptionSpec<boolean> {
	return { value: null, help, fallback: false, parse: () => true };
}

export const jsonOption: OptionSpec<boolean> = flag("print the result as one JSON object, nothing else");
export const helpOption: OptionSpec<boolean> = flag("print this");

/** A text that is taken as it is, such as the name of a file. */
export function textOption(value: string, help: string): OptionSpec<string | null> {
	return { value, help, fallback: null, parse: (text) => text };
}

/** @param decides what of a run follows from it, as the help says it */
export function seedOption(decides: string): OptionSpec<number> {
	const parse = (text: string): number => integer(text, 0, Number.MAX_SAFE_INTEGER);
	return { value: "N", help: `${decides} (default 1)`, fallback: 1, parse };
}

/** Of commands that run many seeds: one of them. */
export const singleSeedOption: OptionSpec<number | null> = {
	value: "N",
	help: "run one seed only",
	fallback: null,
	parse: (text) => integer(text, 0, Number.MAX_SAFE_INTEGER),
};

export const threadsOption: OptionSpec<number | null> = {
	value: "N",
	help: `threads that run seeds, 1 to ${THREADS_MAX} (default: the cores)`,
	fallback: null,
	parse: (text) => integer(text, 1, THREADS_MAX),
};

export const storageOption: OptionSpec<"memory" | "lmdb"> = {
	value: "KIND",
	help: "lmdb flushes to the disk before anything is acknowledged; memory outlives a thread,\nnot the process (default lmdb)",
	fallback: "lmdb",
	parse: (text) => oneOf(text, ["memory", "lmdb"]),
};

/** The times that a gossip group keeps to. */
export const profileOption: OptionSpec<"lan" | "wan" | "local"> = {
	value: "NAME",
	help: "times of memberlist's profiles: lan, wan or local (default lan)",
	fallback: "lan",
	parse: (text) => oneOf(text, ["lan", "wan", "local"]),
};

export const lossOption: OptionSpec<number> = {
	value: "SHARE",
	help: `share of messages that are lost, 0 to ${LOSS_MAX} (default 0)`,
	fallback: 0,
	parse: (text) => {
		const value = Number(text);
		if (!/^[0-9.]+$/.test(text) || !(value >= 0 && value <= LOSS_MAX)) throw expected(`a share from 0 to ${LOSS_MAX}`);
		return value;
	},
};
