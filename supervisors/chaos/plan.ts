/**
 * A seed becomes an experiment. Swarm testing (Groce et al., ISSTA 2012): each seed enables a random subset of the kinds
 * of faults and narrows their ranges, so that rare combinations of few kinds are met as well as everything at once. What
 * comes out is an ordinary experiment: it is what is run, replayed, read and shrunk.
 */
import { Generator } from "../../protocols/core/index.ts";
import { fitsBudget } from "./budget.ts";
import { faultKind } from "./catalogue.ts";
import { experimentUnsupported } from "./errors.ts";
import {
	EXPERIMENT_VERSION,
	type Experiment,
	type FaultArgument,
	type FaultBudget,
	type FaultSpec,
	type ProbeSpec,
	type PropertySelection,
	type SteadyState,
	type TimedFault,
	type Topology,
	type WorkloadSpec,
} from "./experiment.ts";
import type { FaultKind } from "./fault-kind.ts";
import { nearestName } from "./nearest.ts";
import { checkExperiment } from "./parse.ts";
import type { Field } from "./shape.ts";

/** Faults of one plan, at most. */
export const PLANNED_FAULTS_MAX = 500;
/** A seed's mean time between faults is drawn from this range, … */
const GAP_MS = { min: 150, max: 4_000 };
/** … and how long a lasting one lasts from this, evenly over its orders of magnitude. */
const LASTING_MS = { min: 50, max: 10_000 };
/** A fault that would exceed the budget is drawn again so often, then left out. */
const DRAWS_MAX = 5;
/** Each kind of fault is enabled in this part of the seeds. */
const ENABLED = 0.5;

export interface PlanOrder {
	/** Decides everything; also the experiment's own seed. */
	readonly seed: number;
	readonly topology: Topology;
	readonly budget: FaultBudget;
	/** The faults are spread over the time in which it begins operations. */
	readonly workload: WorkloadSpec;
	/** Kinds that may be drawn: see {@link selectFaults}. */
	readonly faults: readonly string[];
	readonly steadyState: SteadyState;
	readonly guards: readonly ProbeSpec[];
	readonly livenessMs: number;
	readonly properties: PropertySelection;
	/**
	 * Values of text arguments by name, such as the kinds of messages for `message` and the labelled points for `point`. A
	 * kind that requires an argument without values here is not drawn.
	 */
	readonly values?: Readonly<Record<string, readonly string[]>>;
}

/**
 * What `--faults` names: `all` that is supported, `none`, or a list with commas.
 * @throws QuorateError `experiment-unsupported`
 */
export function selectFaults(selection: string, engine: string, supported: ReadonlySet<string>): readonly string[] {
	const sorted = [...supported].sort();
	if (selection === "all") return sorted;
	if (selection === "none") return [];
	const names = selection.split(",").map((name) => name.trim());
	for (const name of names) {
		if (supported.has(name)) continue;
		throw experimentUnsupported({ engine, what: "fault", name, nearest: nearestName(name, sorted) });
	}
	return [...new Set(names)].sort();
}

/** The experiment of a seed: the same order always gives the same one. Its method is within the budget. */
export function planExperiment(order: PlanOrder): Experiment {
	const streams = new Generator(order.seed, "plan");
	const kinds = enabledKinds(order, streams.fork("kinds"));
	const empty: Experiment = {
		apiVersion: EXPERIMENT_VERSION,
		title: `Seed ${order.seed}`,
		description: kinds.length === 0 ? "No faults." : `Swarm of: ${kinds.map(({ kind }) => kind).join(", ")}.`,
		seed: order.seed,
		topology: order.topology,
		budget: order.budget,
		workload: order.workload,
		steadyState: order.steadyState,
		method: [],
		guards: order.guards,
		livenessMs: order.livenessMs,
		properties: order.properties,
		expect: "pass",
	};
	const method = kinds.length === 0 ? [] : drawMethod(empty, kinds, order.values ?? {}, streams);
	return checkExperiment({ ...empty, method });
}

function enabledKinds({ faults, values = {} }: PlanOrder, generator: Generator): readonly FaultKind[] {
	const possible = faults
		.map(faultKind)
		.filter(({ arguments: given }) =>
			given.every((field) => "default" in field || field.optional === true || (values[field.name]?.length ?? 0) > 0),
		);
	if (possible.length === 0) return [];
	const enabled = possible.filter(() => generator.chance(ENABLED));
	return enabled.length > 0 ? enabled : [generator.pick(possible)];
}

type Values = Readonly<Record<string, readonly string[]>>;

function drawMethod(
	experiment: Experiment,
	kinds: readonly FaultKind[],
	values: Values,
	streams: Generator,
): readonly TimedFault[] {
	const lengthMs = experiment.workload.forMs;
	const generator = streams.fork("method");
	const gapMs = Math.max(logUniform(GAP_MS, generator), lengthMs / PLANNED_FAULTS_MAX);
	// A seed's faults of one kind are alike: mild in one seed, wild in another.
	const intensities = new Map(kinds.map(({ kind }) => [kind, streams.fork(`intensity/${kind}`).fraction()]));
	const method: TimedFault[] = [];
	for (let atMs = nextGap(gapMs, generator); atMs < lengthMs; atMs += nextGap(gapMs, generator)) {
		for (let draws = 0; draws < DRAWS_MAX && method.length < PLANNED_FAULTS_MAX; draws++) {
			const kind = generator.pick(kinds);
			const fault = drawFault(kind, intensities.get(kind.kind) ?? 1, values, generator);
			const forMs = kind.lasts ? Math.min(Math.round(logUniform(LASTING_MS, generator)), lengthMs - atMs) : null;
			const timed: TimedFault = { atMs, fault, forMs, optional: true };
			if (!fitsBudget({ ...experiment, method }, timed)) continue;
			method.push(timed);
			break;
		}
	}
	return method;
}

function drawFault(kind: FaultKind, intensity: number, values: Values, generator: Generator): FaultSpec {
	const drawn: Record<string, FaultArgument> = {};
	for (const field of kind.arguments) {
		const value = drawArgument(field, intensity, values, generator);
		if (value !== null) drawn[field.name] = value;
	}
	// At most the mean: what is held back for less than nothing arrives at once.
	const { meanMs, jitterMs } = drawn;
	if (typeof meanMs === "number" && typeof jitterMs === "number") drawn["jitterMs"] = Math.min(jitterMs, meanMs);
	return { kind: kind.kind, arguments: drawn };
}

function drawArgument(field: Field, intensity: number, values: Values, generator: Generator): FaultArgument | null {
	const { name, shape, typical } = field;
	const offered = values[name];
	if (offered !== undefined && offered.length > 0) return generator.pick(offered);
	if (shape.type === "choice") return generator.pick(shape.of);
	if (name === "target") return drawTarget(String(field.default), generator);
	if (typical === undefined) return null;
	const reach = typical.min + (typical.max - typical.min) * Math.max(intensity, 0.05);
	const value =
		typical.min > 0
			? logUniform({ min: typical.min, max: Math.max(reach, typical.min) }, generator)
			: typical.min + (typical.max - typical.min) * generator.fraction();
	// Three digits: what a person would write.
	return shape.type === "number" ? Number(value.toPrecision(3)) : Math.round(value);
}

/** Leaders more often than chance would: what hits them is what protocols are for. */
function drawTarget(byDefault: string, generator: Generator): string {
	const drawn = generator.fraction();
	if (byDefault === "all") return drawn < 0.6 ? "all" : drawn < 0.8 ? "leader" : "any";
	return drawn < 0.4 ? "leader" : drawn < 0.6 ? "follower" : "any";
}

function nextGap(meanMs: number, generator: Generator): number {
	return Math.max(1, Math.round(-meanMs * Math.log(1 - generator.fraction())));
}

function logUniform({ min, max }: { readonly min: number; readonly max: number }, generator: Generator): number {
	return min * (max / min) ** generator.fraction();
}
