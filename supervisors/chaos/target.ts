/**
 * What experiments act on: a port. `actors/experiment` supplies it for swarms, in simulation and on threads; a test
 * supplies a script. The runner knows nothing else of what it breaks.
 */

import type { FaultBudget, FaultSpec, ProbeSpec, ProbeValue, Topology, WorkloadSpec } from "./experiment.ts";
import type { HistoryChart } from "./report/history-chart.ts";

/** One way of running experiments. */
export interface ExperimentEngine {
	/** `simulation` or `threads`. */
	readonly name: string;
	/** Fault kinds this engine can apply; anything else is refused before the start. */
	readonly faults: ReadonlySet<string>;
	/** Every other kind of the catalogue, and why this engine can not apply it: one clause. */
	readonly refusals: ReadonlyMap<string, string>;
	/** Whether members can have disks of their own. */
	readonly disks: ReadonlySet<Topology["disks"]>;
	readonly probes: ReadonlySet<string>;
	readonly workloads: ReadonlySet<string>;
	/** All properties that it can watch, by id, with their kind. */
	readonly properties: ReadonlyMap<string, "always" | "sometimes" | "eventually">;
	start(order: TargetOrder): Promise<ExperimentTarget>;
}

export interface TargetOrder {
	readonly topology: Topology;
	/** What faults may come to at one time; an engine holds damage of disks to it, of which nobody knows before when it is over. */
	readonly budget: FaultBudget;
	readonly seed: number;
	/** Property ids to be watched from the first event on. */
	readonly properties: ReadonlySet<string>;
	/** Hears everything worth a line in a report, in order. */
	readonly observe: (event: TargetEvent) => void;
}

/** What happened to the target, for timelines. */
export interface TargetEvent {
	readonly atMs: number;
	/** The member, thread or client concerned; null for the whole. */
	readonly origin: string | null;
	readonly type: string;
	/** One line for readers. */
	readonly text: string;
	/** What reports draw from, for the well-known types: see {@link TargetEventType}. */
	readonly values?: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * Types of events that the runner and the reports understand, with the `values` they read. Engines may report any other.
 * - `leader-elected` {term}, `leader-lost` {term}: `origin` leads from now on, or no longer.
 * - `term` {term}: `origin` has entered this term.
 * - `started`, `ended`: `origin`'s life begins, or is over.
 * - `delivered` {from, sentAtMs, message}: a message of that kind has reached `origin`.
 * - `lost` {to, message}: a message that `origin` sent now will not arrive.
 * - `violated` {property}: it was just found violated; the runner then ends the method.
 */
export type TargetEventType =
	| "leader-elected"
	| "leader-lost"
	| "term"
	| "started"
	| "ended"
	| "delivered"
	| "lost"
	| "violated";

/** A running system under experiment. */
export interface ExperimentTarget {
	readonly nodes: readonly string[];
	/** Milliseconds since its start, on its own clock (virtual in simulation). */
	nowMs(): number;
	/**
	 * Lets time pass; resolves earlier when `until` holds. Returns whether it does.
	 * @throws QuorateError `property-threw`, or whatever the engine says, if a watched property threw
	 */
	pass(durationMs: number, until?: () => boolean): Promise<boolean>;
	/**
	 * Applies a fault: checked, with all arguments, `any` and the side of a partition already drawn.
	 * @throws QuorateError `fault-not-applicable` if it makes no sense now (no leader to kill)
	 */
	apply(fault: FaultSpec): Promise<AppliedFault>;
	/** @throws QuorateError `probe-failed` */
	probe(spec: ProbeSpec): Promise<ProbeValue>;
	startWorkload(spec: WorkloadSpec): Workload;
	/** Faults that are still in force; empty when all were removed. */
	readonly activeFaults: readonly string[];
	/** What the watched properties came to so far, also those that were never evaluated. */
	findings(): readonly PropertyFinding[];
	/** Whether all members have the same content and nothing is under way. */
	hasConverged(): Promise<boolean>;
	/** A hash over everything that happened; null where runs are not repeatable. */
	readonly traceHash: string | null;
	/** Events of the engine so far (simulation: steps). */
	readonly steps: number;
	stop(): Promise<void>;
}

export interface AppliedFault {
	/** What it hit in the end, such as `node-2 (leader of term 3)`. */
	readonly description: string;
	/** Ends it. Does nothing for what is over at once. */
	remove(): Promise<void>;
}

export interface Workload {
	/** Ends the beginning of operations before its time. */
	finish(): void;
	/** Every operation has ended or its client has given up. */
	readonly isIdle: boolean;
	readonly counts: { readonly begun: number; readonly ok: number; readonly failed: number; readonly unknown: number };
	/** Milliseconds from due to answered, of answered operations, in order of completion, with the time of completion. */
	readonly latencies: readonly { readonly atMs: number; readonly latencyMs: number }[];
	/** Judges its history; null while it runs (operations left open by a target that stops answering do not count). */
	judge(): WorkloadJudgement | null;
}

export interface WorkloadJudgement {
	readonly verdict: "ok" | "violated" | "unknown";
	/** What was checked, such as `linearizable (key-value)`; and what was found, if anything. */
	readonly check: string;
	readonly explanation: string | null;
	/** The history as JSON lines. */
	readonly history: string;
	/** Of a violated one: the lines around the anomaly, and a picture of the operations there. */
	readonly around?: readonly string[];
	readonly chart?: HistoryChart;
}

export interface PropertyFinding {
	readonly id: string;
	readonly kind: "always" | "sometimes" | "eventually";
	/** How often it was evaluated. */
	readonly evaluations: number;
	/** The first violation (or, of a `sometimes`, the first witness): when, and the values. */
	readonly first: { readonly atMs: number; readonly text: string } | null;
}
