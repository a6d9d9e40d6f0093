/** The options of `quorate chaos` and its subcommands. */
import { describeOptions, type OptionSpec } from "./option-table.ts";
import { integer, oneOf } from "./option-values.ts";
import { flag, helpOption, jsonOption, textOption } from "./shared-options.ts";

export interface ChaosRunOptions {
	readonly engine: "sim" | "threads";
	readonly seed: number | null;
	readonly report: string | null;
	readonly junit: string | null;
	readonly json: boolean;
	readonly help: boolean;
}
export interface ChaosListOptions {
	readonly json: boolean;
	readonly help: boolean;
}
export interface PlainOptions {
	readonly help: boolean;
}

type TableOf<Values> = { readonly [K in keyof Values]: OptionSpec<Values[K]> };

export const chaosRunOptions: TableOf<ChaosRunOptions> = {
	engine: {
		value: "NAME",
		help: "sim: virtual time, decided by the seed; threads: worker threads and the real clock\n(default sim)",
		fallback: "sim",
		parse: (text) => oneOf(text, ["sim", "threads"]),
	},
	seed: {
		value: "N",
		help: "another seed than the experiment's own",
		fallback: null,
		parse: (text) => integer(text, 0, Number.MAX_SAFE_INTEGER),
	},
	report: textOption("DIR", "write journal.json, report.html and history.jsonl here; the directory is made"),
	junit: textOption("FILE", "write the verdict as JUnit XML"),
	json: jsonOption,
	help: helpOption,
};

export const chaosListOptions: TableOf<ChaosListOptions> = {
	json: flag("print the catalogue as one JSON array, nothing else"),
	help: helpOption,
};

/** Of subcommands that take nothing else. */
export const plainOptions: TableOf<PlainOptions> = { help: helpOption };

/** The text of `quorate chaos --help`. */
export function chaosHelp(): string {
	return `quorate chaos: breaks a group on purpose, as an experiment file says, and judges what came of it.

Usage: quorate chaos run FILE [options]
       quorate chaos list [--json]     the catalogue of faults, probes and properties
       quorate chaos schema            the JSON Schema of experiment files
       quorate chaos validate FILE     check a file, run nothing

Options of run:
${describeOptions(chaosRunOptions).join("\n")}

An experiment waits for a steady state, applies faults while clients work, removes them, and waits until the group has
answered everything and agrees. The same file runs on both engines. Ready ones are in examples/experiments.

Verdicts: pass; fail (a property was violated, the history is wrong, or the group did not recover); inconclusive;
vacuous (nothing was shown); aborted. The exit code is 0 only for pass. Other exit codes: 1 for anything else, 2 for a
wrong call or a malformed file, 130 after Ctrl-C and 143 after SIGTERM, after everything was rolled back.

Examples:
  quorate chaos run examples/experiments/leader-dies.yaml
  quorate chaos run examples/experiments/leader-dies.yaml --engine threads --report ./report
  quorate chaos list
`;
}
