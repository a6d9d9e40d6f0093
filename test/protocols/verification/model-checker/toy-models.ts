/** Small models whose state spaces are known: mutual exclusion and the dining philosophers. */
import type { Model } from "../../../../protocols/verification/model-checker/index.ts";

/** One process of Peterson's algorithm (1981): 0 idle, 1 flag raised, 2 turn given away and waiting, 3 critical. */
export interface Mutex {
	readonly at: readonly [number, number];
	readonly flag: readonly [boolean, boolean];
	readonly turn: 0 | 1;
}
type Process = 0 | 1;

function changed(state: Mutex, process: Process, at: number, flag: boolean, turn: 0 | 1 = state.turn): Mutex {
	const places: [number, number] = [...state.at];
	const flags: [boolean, boolean] = [...state.flag];
	places[process] = at;
	flags[process] = flag;
	return { at: places, flag: flags, turn };
}

/** Peterson's algorithm; with `isBroken` a process does not wait for the other one's flag. */
export function peterson(isBroken = false): Model<Mutex, Process> {
	return {
		name: "peterson",
		initial: [{ at: [0, 0], flag: [false, false], turn: 0 }],
		actions: () => [0, 1],
		next: (state, process) => {
			const other = (1 - process) as Process;
			switch (state.at[process]) {
				case 0:
					return changed(state, process, 1, true);
				case 1:
					return changed(state, process, 2, true, other);
				case 2: {
					const mayEnter = isBroken || !state.flag[other] || state.turn === process;
					return mayEnter ? changed(state, process, 3, true) : null;
				}
				default:
					return changed(state, process, 0, false);
			}
		},
		properties: [
			{
				id: "exclusion",
				kind: "always",
				statement: "At most one process is critical.",
				holds: ({ at }) => at[0] !== 3 || at[1] !== 3,
			},
			{ id: "entered", kind: "sometimes", statement: "A process is critical.", holds: ({ at }) => at[0] === 3 },
		],
		isWithin: () => true,
		fairness: (process) => `process ${process}`,
	};
}

/** By philosopher: how many forks are in hand. Left first; the last one is left-handed if `isMixed`. */
export type Table = readonly number[];

/** Philosophers at a round table, each fair. Without a left-handed one they may wait for each other for ever. */
export function philosophers(count: number, isMixed: boolean): Model<Table, number> {
	const first = (who: number): number => (isMixed && who === count - 1 ? (who + 1) % count : who);
	const second = (who: number): number => (isMixed && who === count - 1 ? who : (who + 1) % count);
	const isTaken = (table: Table, fork: number): boolean =>
		table.some((forks, who) => (forks >= 1 && first(who) === fork) || (forks === 2 && second(who) === fork));
	return {
		name: "philosophers",
		initial: [new Array<number>(count).fill(0)],
		actions: (table) => table.map((_, who) => who),
		next: (table, who) => {
			const forks = table[who] ?? 0;
			if (forks < 2 && isTaken(table, forks === 0 ? first(who) : second(who))) return null;
			return table.with(who, (forks + 1) % 3);
		},
		properties: [
			{
				id: "somebody-eats",
				kind: "eventually",
				statement: "Somebody eats in the end.",
				holds: (table) => table.includes(2),
			},
		],
		isWithin: () => true,
		fairness: (who) => `philosopher ${who}`,
	};
}
