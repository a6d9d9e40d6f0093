/**
 * Whether a method stays within the fault model that the properties assume. An upper bound: members that can not be
 * told apart before the run (leader, any) count each for themselves.
 */

import { faultKind } from "./catalogue.ts";
import { experimentBeyondBudget } from "./errors.ts";
import type { Experiment, FaultBudget, FaultSpec, TimedFault } from "./experiment.ts";
import { TARGET_WORDS } from "./fault-kind.ts";

/**
 * So long a member counts as down after it was killed or its disk failed: restart, recovery and catching up. One that was
 * only cut off is back with the next message.
 */
export const RECOVERY_MS = 1_000;

const PARTS: readonly (keyof FaultBudget)[] = ["crash", "byzantine", "damage"];

/** Members that a fault takes out at one time: by name where they are known, else how many. */
interface Claim {
	readonly fromMs: number;
	readonly toMs: number;
	readonly against: keyof FaultBudget;
	readonly names: readonly string[];
	readonly unnamed: number;
	readonly kind: string;
}

type Planned = Pick<Experiment, "topology" | "budget" | "method" | "workload">;

/** Why the experiment is beyond the fault model, one sentence; null if it is within it. */
export function beyondBudget(experiment: Planned): string | null {
	const { budget, topology, method } = experiment;
	const isDamaging = method.some(({ fault }) => faultKind(fault.kind).counts === "damage");
	if (isDamaging && 2 * budget.damage >= topology.nodes) {
		return `the disks of ${budget.damage} of ${topology.nodes} members may be damaged at one time: no minority of the copies`;
	}
	return excessOf(experiment, ["crash", "byzantine"]);
}

/**
 * Refuses a method that damages more disks at one time than the budget has: no engine would apply it.
 * @throws QuorateError `experiment-beyond-budget`
 */
export function requireDamageWithin(experiment: Planned): void {
	const excess = excessOf(experiment, ["damage"]);
	if (excess !== null) throw experimentBeyondBudget({ excess });
}

function excessOf(experiment: Planned, parts: readonly (keyof FaultBudget)[]): string | null {
	const endMs = methodLengthMs(experiment);
	const claims = experiment.method.flatMap((timed) => claimOf(timed, experiment.topology.nodes, endMs) ?? []);
	for (const { fromMs } of claims) {
		const excess = excessAt(fromMs, claims, experiment, parts);
		if (excess !== null) return excess;
	}
	return null;
}

/** Whether one more fault keeps a method that is within the budget within it. */
export function fitsBudget(experiment: Planned, added: TimedFault): boolean {
	const endMs = methodLengthMs(experiment);
	const claim = claimOf(added, experiment.topology.nodes, endMs);
	if (claim === null) return true;
	const overlapping = experiment.method
		.flatMap((timed) => claimOf(timed, experiment.topology.nodes, endMs) ?? [])
		.filter(({ fromMs, toMs }) => fromMs < claim.toMs && claim.fromMs < toMs);
	// A count only grows where a claim begins.
	const begins = [claim.fromMs, ...overlapping.map(({ fromMs }) => fromMs).filter((fromMs) => fromMs > claim.fromMs)];
	return begins.every((atMs) => excessAt(atMs, [...overlapping, claim], experiment, PARTS) === null);
}

/** How long a method is: until its last fault is over and its workload begins nothing more. */
export function methodLengthMs({ method, workload }: Pick<Experiment, "method" | "workload">): number {
	return Math.max(workload.forMs, ...method.map(({ atMs, forMs }) => atMs + (forMs ?? 0)));
}

function excessAt(
	atMs: number,
	claims: readonly Claim[],
	{ topology, budget }: Planned,
	parts: readonly (keyof FaultBudget)[],
): string | null {
	for (const against of parts) {
		const counts = (claim: Claim): boolean =>
			claim.against === against || (against === "crash" && claim.against === "damage");
		const active = claims.filter((claim) => counts(claim) && claim.fromMs <= atMs && atMs < claim.toMs);
		const named = new Set(active.flatMap(({ names }) => names)).size;
		const count = Math.min(
			topology.nodes,
			active.reduce((sum, { unnamed }) => sum + unnamed, named),
		);
		if (count <= budget[against]) continue;
		const kinds = [...new Set(active.map(({ kind }) => kind))].join(", ");
		return (
			`${atMs} ms into the method up to ${count} of ${topology.nodes} members may be out at one time ` +
			`(${kinds}); the ${against} budget is ${budget[against]}`
		);
	}
	return null;
}

function claimOf({ atMs, fault, forMs }: TimedFault, nodes: number, endMs: number): Claim | null {
	const { kind, counts, concerns, lasts, category } = faultKind(fault.kind);
	if (counts === null) return null;
	const overMs = lasts ? atMs + (forMs ?? Math.max(endMs - atMs, 0)) : atMs;
	const toMs = category === "network" ? overMs : overMs + RECOVERY_MS;
	const base = { fromMs: atMs, toMs, against: counts, kind };
	const target = String(fault.arguments["target"] ?? "any");
	if (concerns === "all" || (concerns === "target" && target === "all")) return { ...base, names: [], unnamed: nodes };
	if (concerns === "cut-off" && !cutsOffTarget(fault)) return { ...base, names: [], unnamed: cutOff(fault, nodes) };
	return TARGET_WORDS.includes(target) ? { ...base, names: [], unnamed: 1 } : { ...base, names: [target], unnamed: 0 };
}

function cutsOffTarget({ arguments: given }: FaultSpec): boolean {
	return given["shape"] === "isolate" || given["shape"] === "one-way";
}

/** How many members a partition leaves without a majority, at most. */
function cutOff({ arguments: given }: FaultSpec, nodes: number): number {
	const majority = Math.floor(nodes / 2) + 1;
	const without = (largestSide: number): number => (largestSide >= majority ? nodes - largestSide : nodes);
	switch (given["shape"]) {
		case "leader-vs-rest":
			return without(nodes - 1);
		// Every member still sees a majority, if no two the same.
		case "majorities-ring":
			return nodes >= 3 ? 0 : nodes;
		// Each half sees a majority together with the bridge; of an even number the smaller half does not.
		case "bridge":
			return nodes % 2 === 1 ? 0 : Math.floor((nodes - 1) / 2);
		default: {
			const side = given["side"];
			const smaller = Array.isArray(side) ? Math.min(side.length, nodes - side.length) : Math.floor(nodes / 2);
			return without(nodes - smaller);
		}
	}
}
