/** What a kind of fault is, and the arguments that many of them share. */
import type { FaultBudget } from "./experiment.ts";
import { choice, duration, type Field, integer, list, number, type Shape, text } from "./shape.ts";

export type FaultCategory = "process" | "network" | "storage" | "clock" | "membership";

/** One kind of fault. */
export interface FaultKind {
	/** Kebab-case; what experiments name. */
	readonly kind: string;
	readonly category: FaultCategory;
	/** One sentence that a reader can hold against an engine. */
	readonly means: string;
	/** Whether it lasts until it is removed; else it is over at once and takes no `for`. */
	readonly lasts: boolean;
	/**
	 * Against which part of the budget the members it concerns count while it lasts; null: none. `damage` counts against `crash`,
	 * too: whose disk has lost something is out until it has it again.
	 */
	readonly counts: keyof FaultBudget | null;
	/**
	 * Which members it concerns: its `target`; those that a partition cuts off from the majority; or `all` (whatever its
	 * target).
	 */
	readonly concerns: "target" | "cut-off" | "all";
	readonly arguments: readonly Field[];
}

/** Longest duration of anything in an experiment: a day. */
export const DURATION_MS_MAX = 86_400_000;

/** What a name of a node may be, and the words that select one. */
export const targetShape: Shape = text(1, 64, {
	source: "^[A-Za-z0-9][A-Za-z0-9_.:-]*$",
	expected: "leader, follower, any, all or the name of a node",
});

/** The words that select members; every other target is a name. */
export const TARGET_WORDS: readonly string[] = ["leader", "follower", "any", "all"];

/** `target` with this default. */
export const target = (byDefault: string, means = "The member that is hit."): Field => ({
	key: "target",
	name: "target",
	shape: targetShape,
	means,
	default: byDefault,
});

export const probability = (means: string, byDefault: number): Field => ({
	key: "probability",
	name: "probability",
	shape: number(0, 1),
	means,
	default: byDefault,
	typical: { min: 0.01, max: 0.4 },
});

interface Range {
	readonly default: number;
	readonly typical: { readonly min: number; readonly max: number };
}

/** A duration argument; `key` in files, `keyMs` in data. */
export const durationArgument = (key: string, means: string, range: Range): Field => ({
	key,
	name: `${key}Ms`,
	shape: duration(0, DURATION_MS_MAX),
	means,
	...range,
});

export const countArgument = (key: string, means: string, max: number, range: Range): Field => ({
	key,
	name: key,
	shape: integer(1, max),
	means,
	...range,
});

export const factorArgument = (key: string, means: string, max: number, range: Range): Field => ({
	key,
	name: key,
	shape: number(1, max),
	means,
	...range,
});

export const choiceArgument = (key: string, of: readonly string[], byDefault: string, means: string): Field => ({
	key,
	name: key,
	shape: choice(of),
	means,
	default: byDefault,
});

/** Names of nodes; left out, the runner draws them. */
export const nodesArgument = (key: string, means: string): Field => ({
	key,
	name: key,
	shape: list(targetShape, 1, 64),
	means,
	optional: true,
});
