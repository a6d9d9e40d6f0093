/**
 * The steps of shrinking. Each is a generator: it yields a candidate and is told what became of it (the kept experiment,
 * or null), so that halving and delta debugging can go by the answers without knowing who gives them.
 */
import { faultKind } from "./catalogue.ts";
import type { Experiment, FaultArgument, TimedFault, WorkloadSpec } from "./experiment.ts";

export type Candidates = Generator<Experiment, void, Experiment | null>;
export type Step = (experiment: Experiment) => Candidates;

/** How often the way between what fails to fail and what fails is halved: to about a hundredth of it. */
const HALVINGS_MAX = 7;

/** Fewer faults, by delta debugging: halves first, then smaller parts, at last each single one; then merged neighbours. */
export const fewerFaults: Step = function* (experiment) {
	let best = experiment;
	let size = best.method.length;
	while (size >= 1) {
		let removed = false;
		for (let from = 0; from < best.method.length; ) {
			const kept = yield { ...best, method: best.method.toSpliced(from, size) };
			if (kept === null) from += size;
			else {
				best = kept;
				removed = true;
			}
		}
		if (size === 1 && !removed) break;
		size = removed && size === 1 ? 1 : Math.min(Math.floor(size / 2), Math.max(best.method.length, 1));
	}
	for (let index = 0; index + 1 < best.method.length; ) {
		const merged = mergeAt(best.method, index);
		const kept = merged === null ? null : yield { ...best, method: merged };
		if (kept === null) index++;
		else best = kept;
	}
};

/** A fault and the next of its kind with the same arguments as one that lasts over both; null if there is none. */
function mergeAt(method: readonly TimedFault[], index: number): readonly TimedFault[] | null {
	const first = method[index] as TimedFault;
	const same = (other: TimedFault): boolean =>
		other.fault.kind === first.fault.kind &&
		JSON.stringify(other.fault.arguments) === JSON.stringify(first.fault.arguments);
	const second = method.findIndex((other, at) => at > index && same(other));
	const next = method[second];
	if (next === undefined || !faultKind(first.fault.kind).lasts || next.forMs === null || first.forMs === null)
		return null;
	const forMs = Math.max(first.atMs + first.forMs, next.atMs + next.forMs) - first.atMs;
	return method.toSpliced(second, 1).with(index, { ...first, forMs });
}

/**
 * Less of everything around the faults: an earlier end, fewer operations, clients, keys and nodes. Never less time to
 * recover: with too little of it any group fails to.
 */
export const smallerRun: Step = function* (experiment) {
	let best = experiment;
	const lengthMs = (of: Experiment): number =>
		Math.max(of.workload.forMs, ...of.method.map(({ atMs, forMs }) => atMs + (forMs ?? 1)));
	best = yield* less(best, lengthMs(best), 1, cutAfter);
	const operations = Math.ceil((best.workload.ratePerSecond * best.workload.forMs) / 1_000);
	best = yield* less(best, operations, 1, withOperations);
	best = yield* less(best, best.workload.clients, 1, (of, clients) => ({
		...of,
		workload: { ...of.workload, clients },
	}));
	best = yield* less(best, best.workload.keys, 1, (of, keys) => ({ ...of, workload: { ...of.workload, keys } }));
	yield* less(best, best.topology.nodes, 1, withNodes);
};

/** Nothing out of the ordinary that the failure does not need: bursts, kinds of reads, whom they ask, settings of the protocol. */
export const plainerRun: Step = function* (experiment) {
	let best = experiment;
	best = yield* less(best, best.workload.burst ?? 1, 1, (of, burst) => withWorkload(of, { burst }));
	if (best.workload.burst === 1) best = (yield withoutOf(best, "burst")) ?? best;
	if (best.workload.ask !== undefined) best = (yield withoutOf(best, "ask")) ?? best;
	if (best.workload.reads !== undefined) best = (yield withoutOf(best, "reads")) ?? best;
	for (const level of best.workload.reads ?? []) {
		const reads = (best.workload.reads ?? []).filter((other) => other !== level);
		if (reads.length > 0) best = (yield withWorkload(best, { reads })) ?? best;
	}
	for (const name of Object.keys(best.topology.config)) {
		const { [name]: _, ...config } = best.topology.config;
		best = (yield { ...best, topology: { ...best.topology, config } }) ?? best;
	}
};

/** Each fault shorter, weaker and sooner after the one before. */
export const smallerFaults: Step = function* (experiment) {
	let best = experiment;
	for (let index = 0; index < best.method.length; index++) {
		const current = best.method[index] as TimedFault;
		const change = (of: Experiment, part: Partial<TimedFault>): Experiment => ({
			...of,
			method: of.method.with(index, { ...(of.method[index] as TimedFault), ...part }),
		});
		if (current.forMs !== null) best = yield* less(best, current.forMs, 1, (of, forMs) => change(of, { forMs }));
		for (const [name, weakest] of weakenable(current)) {
			const now = current.fault.arguments[name] as number;
			best = yield* less(best, now, weakest, (of, value) =>
				change(of, { fault: withArgument(of, index, name, value) }),
			);
		}
		const previousMs = best.method[index - 1]?.atMs ?? 0;
		const gapMs = current.atMs - previousMs;
		best = yield* less(best, gapMs, 0, (of, gap) => sooner(of, index, previousMs + gap));
	}
};

/** The least amount between `least` and `now` that still fails, by halving: whole numbers, else to three digits. */
function* less(
	best: Experiment,
	now: number,
	least: number,
	change: (of: Experiment, amount: number) => Experiment,
): Generator<Experiment, Experiment, Experiment | null> {
	let current = best;
	if (now <= least) return current;
	const first = yield change(current, least);
	if (first !== null) return first;
	const whole = Number.isInteger(now) && Number.isInteger(least);
	let tooLittle = least;
	let enough = now;
	for (let halvings = 0; halvings < HALVINGS_MAX; halvings++) {
		const middle = (tooLittle + enough) / 2;
		const amount = whole ? Math.floor(middle) : Number(middle.toPrecision(3));
		if (amount <= tooLittle || amount >= enough) break;
		const kept = yield change(current, amount);
		if (kept === null) tooLittle = amount;
		else {
			current = kept;
			enough = amount;
		}
	}
	return current;
}

/** Nothing begins after this time, and everything is over by then. */
function cutAfter(experiment: Experiment, endMs: number): Experiment {
	const method = experiment.method
		.filter(({ atMs }) => atMs < endMs)
		.map((timed) => ({ ...timed, forMs: timed.forMs === null ? null : Math.min(timed.forMs, endMs - timed.atMs) }));
	const { ratePerSecond, forMs } = experiment.workload;
	const workload = { ...experiment.workload, ratePerSecond, forMs: Math.min(forMs, endMs) };
	return { ...experiment, method, workload };
}

function withWorkload(experiment: Experiment, part: Partial<WorkloadSpec>): Experiment {
	return { ...experiment, workload: { ...experiment.workload, ...part } };
}

function withoutOf(experiment: Experiment, name: "burst" | "ask" | "reads"): Experiment {
	const { [name]: _, ...workload } = experiment.workload;
	return { ...experiment, workload };
}

/** So many operations, spread over the same time. */
function withOperations(experiment: Experiment, operations: number): Experiment {
	const ratePerSecond = Math.max(0.001, Number(((operations * 1_000) / experiment.workload.forMs).toPrecision(6)));
	return { ...experiment, workload: { ...experiment.workload, ratePerSecond } };
}

function withNodes(experiment: Experiment, nodes: number): Experiment {
	const { topology, budget } = experiment;
	return {
		...experiment,
		topology: { ...topology, nodes },
		budget: {
			crash: Math.min(budget.crash, nodes),
			byzantine: Math.min(budget.byzantine, nodes),
			damage: Math.min(budget.damage, Math.ceil(nodes / 2) - 1),
		},
	};
}

/** Moves a fault to an earlier time, and all after it by as much. */
function sooner(experiment: Experiment, index: number, atMs: number): Experiment {
	const byMs = (experiment.method[index] as TimedFault).atMs - atMs;
	const method = experiment.method.map((timed, at) => (at < index ? timed : { ...timed, atMs: timed.atMs - byMs }));
	return { ...experiment, method };
}

/** Numbers of a fault, and the least that they sensibly are. */
function* weakenable({ fault }: TimedFault): Generator<readonly [name: string, weakest: number]> {
	for (const { name, typical } of faultKind(fault.kind).arguments) {
		const value = fault.arguments[name];
		if (typical === undefined || typeof value !== "number" || typical.min < 0) continue;
		if (value > typical.min) yield [name, typical.min];
	}
}

function withArgument(experiment: Experiment, index: number, name: string, value: FaultArgument): TimedFault["fault"] {
	const { fault } = experiment.method[index] as TimedFault;
	return { ...fault, arguments: { ...fault.arguments, [name]: value } };
}
