/**
 * An experiment as data: what is started, what is done to it, what must hold. The same experiment runs on every engine.
 * A file is parsed and checked once into this form (`parse.ts`); a seed is expanded into it; a failing one is shrunk
 * within it. After Chaos Toolkit's experiments (hypothesis, method, rollbacks), with properties and a liveness phase.
 *
 * All durations are milliseconds: virtual ones in simulation, real ones on threads.
 */

/** The version of the format; another one is refused. */
export const EXPERIMENT_VERSION = "quorate/chaos/v1";

export interface Experiment {
	readonly apiVersion: typeof EXPERIMENT_VERSION;
	readonly title: string;
	readonly description: string;
	/** Decides every draw that the experiment itself leaves open; a safe integer. */
	readonly seed: number;
	readonly topology: Topology;
	readonly budget: FaultBudget;
	readonly workload: WorkloadSpec;
	/** Probed before the method (unmet: `aborted`, nothing is done) and after the liveness phase (unmet: `fail`). */
	readonly steadyState: SteadyState;
	/** In order of `atMs`; the order in the file among equal ones. */
	readonly method: readonly TimedFault[];
	/** Looked at every {@link GUARD_EVERY_MS}; one that is not met ends the method: `aborted`. */
	readonly guards: readonly ProbeSpec[];
	/** All faults removed, the group must answer everything and agree within this time. */
	readonly livenessMs: number;
	readonly properties: PropertySelection;
	/** What the run is expected to come to; a regression of a known bug expects its violation. */
	readonly expect: "pass" | { readonly violated: string };
}

/** How often guards are looked at. */
export const GUARD_EVERY_MS = 250;

export interface Topology {
	readonly protocol: string;
	readonly nodes: number;
	readonly storage: "memory" | "durable";
	/** `shared`: all members keep their state on one disk; `own`: each on one of its own. */
	readonly disks: "shared" | "own";
	/** Settings of the protocol that differ from its defaults, by name. */
	readonly config: Readonly<Record<string, number>>;
}

/**
 * The fault model that the properties assume. An experiment whose method exceeds it is `beyond-budget`: availability is
 * not judged, containment is (nothing wrong is ever answered).
 */
export interface FaultBudget {
	/** Members that may be down or cut off from the majority at one time. */
	readonly crash: number;
	readonly byzantine: number;
	/**
	 * Members whose disks may hold damage, or have not got again what it has taken, at one time. An experiment whose method asks
	 * for more is refused, and an engine applies no damage beyond it. As many as a majority may hold all copies of
	 * something that was agreed on: with such a budget the experiment is `beyond-budget`.
	 */
	readonly damage: number;
}

export interface WorkloadSpec {
	/** Named by the engine's supplier, such as `key-value`. */
	readonly kind: string;
	readonly clients: number;
	/** Operations per second of all clients together; open loop. */
	readonly ratePerSecond: number;
	readonly keys: number;
	/** How long operations are begun. */
	readonly forMs: number;
	/** How reads are to be answered, by the words of {@link READ_LEVELS}: each read draws one. Left out: as the group is set up. */
	readonly reads?: readonly (typeof READ_LEVELS)[number][];
	/**
	 * Whom a read goes to first: who leads as far as the process has heard (left out); who this client knows to lead, as long as
	 * that member says so, as with a client far away; or any member.
	 */
	readonly ask?: (typeof ASK_FIRST)[number];
	/** So many operations are due at once, at the same rate; left out, each at a time of its own. */
	readonly burst?: number;
}

/**
 * `as-configured`: the client says nothing. `linearizable`, `lease` and `follower` promise the same, each by means of its own;
 * `stale` promises a state that is no older than a bound.
 */
export const READ_LEVELS = ["as-configured", "linearizable", "lease", "follower", "stale"] as const;
export const ASK_FIRST = ["leader", "remembered", "any"] as const;

export interface SteadyState {
	readonly title: string;
	readonly probes: readonly ProbeSpec[];
}

/** A measurement by name and what it may show. */
export interface ProbeSpec {
	readonly probe: string;
	readonly arguments: Readonly<Record<string, string | number>>;
	readonly tolerance: Tolerance;
}
export type ProbeValue = number | string | boolean | null;
export type Tolerance =
	| { readonly type: "equals"; readonly value: ProbeValue }
	| { readonly type: "range"; readonly min: number; readonly max: number }
	| { readonly type: "one-of"; readonly values: readonly ProbeValue[] }
	| { readonly type: "matches"; readonly pattern: string };

/** A fault, and when it begins, counted from the start of the method. */
export interface TimedFault {
	readonly atMs: number;
	readonly fault: FaultSpec;
	/** When it is removed again; null: at the end of the method, or never for what is over at once (a kill). */
	readonly forMs: number | null;
	/** It may turn out not to be applicable (no leader to kill): it is then left out instead of ending the experiment. */
	readonly optional?: true;
}

/** A fault by name with its arguments, such as `kill` of `leader`. What there is and what each takes: the catalogue. */
export interface FaultSpec {
	readonly kind: string;
	readonly arguments: Readonly<Record<string, FaultArgument>>;
}
export type FaultArgument = string | number | boolean | readonly string[];

export interface PropertySelection {
	/** Ids, of `always` and `eventually` properties; `all` selects every one that the engine's supplier has. */
	readonly always: readonly string[];
	/** Ids that must be witnessed; `all` as above. All others are watched too, for the report, and not required. */
	readonly sometimes: readonly string[];
}

/**
 * - `pass`: everything held, and the run was worth something.
 * - `fail`: a property was violated, or the group did not recover in the liveness phase.
 * - `inconclusive`: a checker ran out of its budget, or a probe could not be asked.
 * - `vacuous`: a required `sometimes` never happened, a property asked for by name was never evaluated, of a method none
 *   of the faults was applied, or no operation was answered.
 * - `aborted`: the hypothesis did not hold before, a guard tripped, a fault could not be applied or was left over, a
 *   property or the target itself failed, or the run was interrupted.
 */
export type ExperimentVerdict = "pass" | "fail" | "inconclusive" | "vacuous" | "aborted";
