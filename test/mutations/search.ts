/** Finds the attempt that notices a mutation, among many, cheap and telling ones first. */
import { type Attempt, isBroken, type Trial } from "./attempt.ts";
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

/** The unmutated tree must pass whatever is found: the gate looks at that, which is run afterwards. */
export async function searchKillers(order: SearchOrder): Promise<void> {
	const { mutations, attempts, laboratories, found } = order;
	await spread(mutations, laboratories, async (mutation, laboratory) => {
		try {
			await laboratory.plant(mutation);
			found(mutation, await firstKiller(laboratory, attempts));
		} finally {
			laboratory.restore();
		}
	});
}

async function firstKiller(laboratory: Laboratory, attempts: readonly Attempt[]): Promise<Trial | null> {
	let from = 0;
	while (from < attempts.length) {
		const trials = await laboratory.try(attempts.slice(from));
		const last = trials.at(-1);
		if (last === undefined || !last.outcome.isNoticed || isBroken(last.outcome)) return null;
		from += trials.length;
		// What hangs is noticed late: something else may do it sooner.
		if (last.outcome.by === "hangs") continue;
		return narrowed(laboratory, last);
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
