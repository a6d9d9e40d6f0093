/** Tries at noticing a planted bug: data, so that one that notices it can be stored and made again. */

/**
 * - `simulate`, `check`, `chaos`: the command of that name; the rest are its arguments.
 * - `machines`: seeded runs of bare machines in the tests' own deterministic driver. Arguments: a module of the tests that
 *   exports `runSeed(seed)`, which throws if something is wrong, and the seed.
 * - `unit`: the last resort. Arguments: test files or folders, with commas, and the full name of one test, if only one is run.
 */
export type Tool = "simulate" | "check" | "chaos" | "machines" | "unit";

/** A tool and its arguments, as on a command line. */
export type Attempt = readonly [tool: Tool, ...args: string[]];

/** What an attempt came to. */
export interface Outcome {
	/** Something was found wrong. */
	readonly isNoticed: boolean;
	/** What found it: the id of a property, a verdict, a test's name, the message of an assertion. */
	readonly by: string;
	/** One sentence. */
	readonly reason: string;
	/** What it took, such as `1 seed` or `412 states`. */
	readonly effort: string;
	/** An attempt that is cheaper than this one and must come to the same: a test of a whole folder. */
	readonly narrower?: Attempt;
}

export interface Trial {
	readonly attempt: Attempt;
	readonly outcome: Outcome;
	readonly elapsedMs: number;
}

/** The command by which a person repeats an attempt, in a tree that has the bug. */
export function commandOf([tool, ...args]: Attempt): string {
	switch (tool) {
		case "machines":
			return `runSeed(${args[1]}) of ${args[0]}`;
		case "unit":
			return `npx vitest run ${(args[0] ?? "").replaceAll(",", " ")}${args[1] === undefined ? "" : ` -t ${JSON.stringify(args[1])}`}`;
		default:
			return ["quorate", tool, ...args].join(" ");
	}
}

/** Whether an attempt is of a seed, a model's bounds or an experiment, and not of a test that knows what to look for. */
export function isOfSeeds([tool]: Attempt): boolean {
	return tool !== "unit";
}

/** Whether two attempts are the same one. */
export function keyOf(attempt: Attempt): string {
	return JSON.stringify(attempt);
}

/**
 * The edit names something that is not there, so that whatever loads it fails: such a mutant is no bug that somebody could
 * make, and to notice it proves nothing.
 */
export function isBroken({ isNoticed, by, reason }: Outcome): boolean {
	return (
		isNoticed && /\b(?:SyntaxError|ReferenceError|ERR_MODULE_NOT_FOUND)\b| is not defined\b/.test(`${by}: ${reason}`)
	);
}
