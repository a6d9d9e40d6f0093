/** Finds the attempt that notices a mutation, among many, cheap and telling ones first. */
import { type Attempt, isBroken, keyOf, type Trial } from "./attempt.ts";
import { spread } from "./gate.ts";
import type { Laboratory } from "./laboratory.ts";
import type { Mutation } from "./mutation.ts";

export interface SearchOrder {
	readonly mutations: readonly Mutation[];
	/** In the order in which they are made. */
	readonly attempts: readonly Attempt[];
	readonly laboratories: readonly Laboratory[];
	/** Hears of each mutation when its search is over; null if nothing has noticed it. */
	readonly found: (mutation: Mutation, trial: Trial | null) => void;
}

/** Whether attempts find nothing without a bug, by their keys; the others are no attempts at all. */
type Soundness = Map<string, boolean>;

export async function searchKillers(order: SearchOrder): Promise<void> {
	const { mutations, attempts, laboratories, found } = order;
	const soundness: Soundness = new Map();
	await spread(mutations, laboratories, async (mutation, laboratory) => {
		try {
			await laboratory.plant(mutation);
			found(mutation, await firstKiller(mutation, laboratory, attemptsAt(mutation, attempts), soundness));
		} finally {
			laboratory.restore();
		}
	});
}

function attemptsAt({ test }: Mutation, attempts: readonly Attempt[]): readonly Attempt[] {
	return test === undefined ? attempts : [["unit", test], ...attempts];
}

async function firstKiller(
	mutation: Mutation,
	laboratory: Laboratory,
	attempts: readonly Attempt[],
	soundness: Soundness,
): Promise<Trial | null> {
	let from = 0;
	while (from < attempts.length) {
		const trials = await laboratory.try(attempts.slice(from));
		const last = trials.at(-1);
		if (last === undefined || !last.outcome.isNoticed || isBroken(last.outcome)) return null;
		from += trials.length;
		// What hangs is noticed late: something else may do it sooner.
		if (last.outcome.by === "hangs") continue;
		const trial = await narrowed(laboratory, last);
		if (await isSound(laboratory, trial.attempt, soundness)) return trial;
		await laboratory.plant(mutation);
	}
	return null;
}

/** One test instead of a whole folder, if it notices the bug on its own. */
async function narrowed(laboratory: Laboratory, trial: Trial): Promise<Trial> {
	const { narrower } = trial.outcome;
	if (narrower === undefined) return trial;
	const [alone] = await laboratory.try([narrower]);
	return alone?.outcome.isNoticed === true ? alone : trial;
}

/** Takes the bug out to see. */
async function isSound(laboratory: Laboratory, attempt: Attempt, soundness: Soundness): Promise<boolean> {
	const known = soundness.get(keyOf(attempt));
	if (known !== undefined) return known;
	laboratory.restore();
	const [trial] = await laboratory.try([attempt]);
	const sound = trial?.outcome.isNoticed === false;
	soundness.set(keyOf(attempt), sound);
	return sound;
}
