/**
 * The gate: every edit matches once, the unmutated copy passes every attempt that is stored, and then each planted bug must
 * be noticed by its own.
 */
import { type Attempt, isBroken, keyOf, type Trial } from "./attempt.ts";
import type { Laboratory } from "./laboratory.ts";
import { faultsOf, type Mutation } from "./mutation.ts";

/** The attempt that notices a mutation, by the mutation's name. */
export type Killers = Readonly<Record<string, Attempt>>;

/**
 * - `killed`: its attempt noticed it;
 * - `survived`: its attempt did not;
 * - `no-attempt`: none is stored;
 * - `broken`: it is no bug, since what has it can not be run at all.
 */
export type MutantState = "killed" | "survived" | "no-attempt" | "broken";

export interface MutantResult {
	readonly mutation: Mutation;
	readonly state: MutantState;
	readonly trial: Trial | null;
}

export interface GateResult {
	/** Why nothing was planted: edits that do not match, and what the unmutated tree does not pass; one sentence each. */
	readonly baseline: readonly string[];
	/** In the order of the mutations; empty if the baseline is not. */
	readonly mutants: readonly MutantResult[];
}

/** Whether every mutant was killed, and there was one. */
export function isPassed({ baseline, mutants }: GateResult): boolean {
	return baseline.length === 0 && mutants.length > 0 && mutants.every(({ state }) => state === "killed");
}

export interface GateOrder {
	readonly mutations: readonly Mutation[];
	/** The present text of a file, from the repository's root. */
	readonly read: (file: string) => string;
	readonly killers: Killers;
	/** Side by side, each with a copy of its own. */
	readonly laboratories: readonly Laboratory[];
	/** Hears of each mutant when it is done, and of the baseline. */
	readonly progress: (event: GateProgress) => void;
}

export type GateProgress =
	| { readonly type: "baseline"; readonly done: number; readonly total: number }
	| { readonly type: "mutant"; readonly done: number; readonly total: number; readonly result: MutantResult };

export async function runGate(order: GateOrder): Promise<GateResult> {
	const { mutations, read, killers, laboratories, progress } = order;
	const faults = faultsOf(mutations, read);
	const baseline = faults.length > 0 ? faults : await runBaseline(order);
	if (baseline.length > 0) return { baseline, mutants: [] };
	let done = 0;
	const mutants = await spread(mutations, laboratories, async (mutation, laboratory) => {
		const result = await runMutant(mutation, killers[mutation.name], laboratory);
		done += 1;
		progress({ type: "mutant", done, total: mutations.length, result });
		return result;
	});
	return { baseline, mutants };
}

/** What the unmutated tree does not pass, of all attempts that are about to be made. */
async function runBaseline({ mutations, killers, laboratories, progress }: GateOrder): Promise<readonly string[]> {
	const list = baselineOf(mutations.flatMap(({ name }) => (killers[name] === undefined ? [] : [killers[name]])));
	let done = 0;
	const faults = await spread(list, laboratories, async (attempt, laboratory) => {
		const [trial] = await laboratory.try([attempt]);
		done += 1;
		progress({ type: "baseline", done, total: list.length });
		if (trial === undefined) return `${attempt.join(" ")} was not made`;
		const { isNoticed, by, reason } = trial.outcome;
		return isNoticed ? `${attempt.join(" ")} finds ${by} without any bug: ${reason}` : null;
	});
	return faults.filter((fault) => fault !== null);
}

/** Each attempt once; the files of all tests together, since most of what one costs is the start. */
function baselineOf(stored: readonly Attempt[]): readonly Attempt[] {
	const attempts = new Map(stored.filter(([tool]) => tool !== "unit").map((attempt) => [keyOf(attempt), attempt]));
	const files = new Set(stored.flatMap(([tool, place = ""]) => (tool === "unit" ? place.split(",") : [])));
	return files.size === 0 ? [...attempts.values()] : [["unit", [...files].join()], ...attempts.values()];
}

async function runMutant(
	mutation: Mutation,
	attempt: Attempt | undefined,
	laboratory: Laboratory,
): Promise<MutantResult> {
	if (attempt === undefined) return { mutation, state: "no-attempt", trial: null };
	try {
		await laboratory.plant(mutation);
		const trial = (await laboratory.try([attempt])).at(-1) ?? null;
		const state = trial?.outcome.isNoticed !== true ? "survived" : isBroken(trial.outcome) ? "broken" : "killed";
		return { mutation, state, trial };
	} finally {
		laboratory.restore();
	}
}

/** Does all work, on as many laboratories as there are; the results are in the order of the work. */
export async function spread<Work, Result>(
	work: readonly Work[],
	laboratories: readonly Laboratory[],
	perform: (work: Work, laboratory: Laboratory) => Promise<Result>,
): Promise<Result[]> {
	const results: Result[] = new Array(work.length);
	let next = 0;
	await Promise.all(
		laboratories.map(async (laboratory) => {
			while (next < work.length) {
				const index = next++;
				results[index] = await perform(work[index] as Work, laboratory);
			}
		}),
	);
	return results;
}
