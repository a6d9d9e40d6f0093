/** An engine that follows a script, on a clock that the runner drives: no threads, no waiting, the same every time. */

import type {
	AppliedFault,
	Experiment,
	ExperimentEngine,
	ExperimentTarget,
	FaultSpec,
	ProbeSpec,
	ProbeValue,
	PropertyFinding,
	TargetEvent,
	TargetOrder,
	Workload,
	WorkloadJudgement,
	WorkloadSpec,
} from "../../../supervisors/index.ts";
import { FAULT_KINDS, parseExperiment, probeFailed } from "../../../supervisors/index.ts";

/** How finely the script's time moves. */
const STEP_MS = 5;

export interface Script {
	readonly nodes: number;
	readonly properties: Readonly<Record<string, "always" | "sometimes" | "eventually">>;
	readonly faults: ReadonlySet<string>;
	/** Faults that it refuses, and why. */
	readonly refusals: ReadonlyMap<string, string>;
	/** By probe, what it shows now. */
	readonly probes: Readonly<Record<string, (target: ScriptedTarget) => ProbeValue>>;
	/** By property, what is found now; evaluations are counted by the target. */
	readonly finding: (id: string, target: ScriptedTarget) => { atMs: number; text: string } | null;
	/** How often a property was evaluated. */
	readonly evaluations: (id: string) => number;
	/** Called before a fault is applied, and may throw. */
	readonly onApply: (fault: FaultSpec, target: ScriptedTarget) => void;
	readonly onRemove: (fault: FaultSpec, target: ScriptedTarget) => void;
	/** Called on each step of time. */
	readonly onStep: (target: ScriptedTarget) => void;
	/** Whether an operation that is begun now is answered, and when. Null: never. */
	readonly latencyMs: (target: ScriptedTarget) => number | null;
	readonly converged: (target: ScriptedTarget) => boolean;
	readonly judgement: WorkloadJudgement;
	/** What is still in force although it was removed. */
	readonly leftOver: readonly string[];
}

const calm: Script = {
	nodes: 5,
	properties: {
		safe: "always",
		calm: "always",
		settled: "eventually",
		moved: "sometimes",
		"leader-changed": "sometimes",
	},
	faults: new Set(FAULT_KINDS.map(({ kind }) => kind)),
	refusals: new Map(),
	probes: { leaders: () => 1, memory: () => 100 },
	finding: (id, target) => (id === "moved" ? { atMs: target.methodFromMs ?? 0, text: "it moved" } : null),
	evaluations: () => 10,
	onApply: () => undefined,
	onRemove: () => undefined,
	onStep: () => undefined,
	latencyMs: () => 10,
	converged: () => true,
	judgement: { verdict: "ok", check: "linearizable", explanation: null, history: '{"op":1}\n{"op":2}\n' },
	leftOver: [],
};

export class ScriptedEngine implements ExperimentEngine {
	readonly name = "script";
	readonly script: Script;
	readonly faults: ReadonlySet<string>;
	readonly refusals: ReadonlyMap<string, string>;
	readonly disks: ExperimentEngine["disks"] = new Set(["shared", "own"]);
	readonly probes: ReadonlySet<string>;
	readonly workloads: ReadonlySet<string> = new Set(["key-value"]);
	readonly properties: ReadonlyMap<string, "always" | "sometimes" | "eventually">;
	started = 0;
	/** The last one that was started. */
	target: ScriptedTarget | null = null;

	constructor(script: Partial<Script> = {}) {
		this.script = { ...calm, ...script };
		this.faults = this.script.faults;
		this.refusals = this.script.refusals;
		this.probes = new Set(Object.keys(this.script.probes));
		this.properties = new Map(Object.entries(this.script.properties));
	}

	start(order: TargetOrder): Promise<ExperimentTarget> {
		this.started++;
		this.target = new ScriptedTarget(this.script, order);
		return Promise.resolve(this.target);
	}
}

export class ScriptedTarget implements ExperimentTarget {
	readonly nodes: readonly string[];
	readonly order: TargetOrder;
	/** What was done to it, in order: `kill node-1 @1000`. */
	readonly log: string[] = [];
	readonly active: FaultSpec[] = [];
	readonly traceHash = "00c0ffee";
	steps = 0;
	methodFromMs: number | null = null;
	workload: ScriptedWorkload | null = null;
	isStopped = false;
	readonly #script: Script;
	#nowMs = 0;

	constructor(script: Script, order: TargetOrder) {
		this.#script = script;
		this.order = order;
		this.nodes = Array.from({ length: script.nodes }, (_, index) => `node-${index + 1}`);
	}

	get activeFaults(): readonly string[] {
		return [...this.active.map(({ kind }) => kind), ...this.#script.leftOver];
	}

	nowMs(): number {
		return this.#nowMs;
	}

	/** Since the method began. */
	get methodMs(): number {
		return this.methodFromMs === null ? -1 : this.#nowMs - this.methodFromMs;
	}

	say(event: Omit<TargetEvent, "atMs">): void {
		this.order.observe({ atMs: this.#nowMs, ...event });
	}

	pass(durationMs: number, until?: () => boolean): Promise<boolean> {
		const endMs = this.#nowMs + durationMs;
		while (this.#nowMs < endMs) {
			this.#nowMs = Math.min(endMs, this.#nowMs + STEP_MS);
			this.steps++;
			this.#script.onStep(this);
			this.workload?.step(this);
			if (until?.() === true) return Promise.resolve(true);
		}
		return Promise.resolve(false);
	}

	apply(fault: FaultSpec): Promise<AppliedFault> {
		const lasts = FAULT_KINDS.find(({ kind }) => kind === fault.kind)?.lasts === true;
		const target = String(fault.arguments["target"] ?? "");
		try {
			this.#script.onApply(fault, this);
		} catch (thrown) {
			return Promise.reject(thrown as Error);
		}
		this.log.push(`${fault.kind} ${target} @${this.methodMs}`);
		if (lasts) this.active.push(fault);
		return Promise.resolve({
			description: `${fault.kind} of ${target}`,
			remove: () => {
				if (!lasts) return Promise.resolve();
				this.log.push(`remove ${fault.kind} @${this.methodMs}`);
				this.active.splice(this.active.indexOf(fault), 1);
				try {
					this.#script.onRemove(fault, this);
				} catch (thrown) {
					return Promise.reject(thrown as Error);
				}
				return Promise.resolve();
			},
		});
	}

	probe({ probe }: ProbeSpec): Promise<ProbeValue> {
		try {
			return Promise.resolve((this.#script.probes[probe] as (target: ScriptedTarget) => ProbeValue)(this));
		} catch (thrown) {
			return Promise.reject(thrown as Error);
		}
	}

	startWorkload(spec: WorkloadSpec): Workload {
		this.methodFromMs = this.#nowMs;
		this.workload = new ScriptedWorkload(spec, this.#script, this.#nowMs);
		return this.workload;
	}

	findings(): readonly PropertyFinding[] {
		return [...this.order.properties].map((id) => ({
			id,
			kind: this.#script.properties[id] ?? "always",
			evaluations: this.#script.evaluations(id),
			first: this.#script.finding(id, this),
		}));
	}

	hasConverged(): Promise<boolean> {
		return Promise.resolve(this.#script.converged(this));
	}

	stop(): Promise<void> {
		this.isStopped = true;
		this.log.push("stop");
		return Promise.resolve();
	}
}

class ScriptedWorkload implements Workload {
	readonly counts = { begun: 0, ok: 0, failed: 0, unknown: 0 };
	readonly latencies: { atMs: number; latencyMs: number }[] = [];
	readonly #spec: WorkloadSpec;
	readonly #script: Script;
	readonly #fromMs: number;
	readonly #waiting: { readonly dueMs: number; readonly latencyMs: number }[] = [];
	#lost = 0;
	#finished = false;

	constructor(spec: WorkloadSpec, script: Script, fromMs: number) {
		this.#spec = spec;
		this.#script = script;
		this.#fromMs = fromMs;
	}

	get isIdle(): boolean {
		return this.#finished && this.#waiting.length === 0 && this.#lost === 0;
	}

	step(target: ScriptedTarget): void {
		const nowMs = target.nowMs();
		const elapsedMs = Math.min(nowMs - this.#fromMs, this.#spec.forMs);
		const due = Math.floor((elapsedMs * this.#spec.ratePerSecond) / 1_000);
		while (!this.#finished && this.counts.begun < due) {
			this.counts.begun++;
			const latencyMs = this.#script.latencyMs(target);
			if (latencyMs === null) this.#lost++;
			else this.#waiting.push({ dueMs: nowMs + latencyMs, latencyMs });
		}
		for (const operation of this.#waiting.filter(({ dueMs }) => dueMs <= nowMs)) {
			this.#waiting.splice(this.#waiting.indexOf(operation), 1);
			this.counts.ok++;
			this.latencies.push({ atMs: nowMs, latencyMs: operation.latencyMs });
		}
	}

	finish(): void {
		this.#finished = true;
	}

	judge(): WorkloadJudgement | null {
		return this.isIdle ? this.#script.judgement : null;
	}
}

/** A probe that can not be asked. */
export function unanswered(probe: string): never {
	throw probeFailed({ probe, reason: "nobody answers" });
}

/** A small experiment with these lines added or put in the place of its own. */
export function experimentOf(more: Readonly<Record<string, string>> = {}): Experiment {
	const lines: Record<string, string> = {
		apiVersion: "quorate/chaos/v1",
		title: "a test",
		seed: "7",
		topology: "{protocol: none, nodes: 5}",
		workload: "{kind: key-value, rate: 20/s, for: 3s}",
		"steady-state": "{title: one leader, probes: [{probe: leaders, tolerance: 1}]}",
		method: "[{at: 1s, fault: kill, target: leader}]",
		liveness: "5s",
		properties: "{always: [all], sometimes: [moved]}",
		...more,
	};
	const text = Object.entries(lines)
		.map(([key, value]) => `${key}: ${value}`)
		.join("\n");
	return parseExperiment(text, "test.yaml");
}
