/** What every target of an experiment does alike: time, faults and findings are its stage's. */
import type { Clock } from "../../runtime/index.ts";
import type {
	AppliedFault,
	ExperimentTarget,
	FaultSpec,
	ProbeSpec,
	ProbeValue,
	PropertyFinding,
	TargetEvent,
	Workload,
	WorkloadSpec,
} from "../../supervisors/index.ts";

/** A fault in force, or one that was over at once. */
export interface InjectedFault {
	readonly description: string;
	/** Null for what is over at once. */
	readonly remove: (() => Promise<void>) | null;
}

/** One engine's part of a target. */
export interface TargetStage {
	readonly clock: Clock;
	/** When the target's time began, on that clock. */
	readonly originMs: number;
	pass(durationMs: number, until?: () => boolean): Promise<boolean>;
	/** Lets time pass until the promise settles. */
	settle<T>(promise: Promise<T>): Promise<T>;
	/** @throws QuorateError `fault-not-applicable` */
	inject(fault: FaultSpec): Promise<InjectedFault>;
	findings(): readonly PropertyFinding[];
	readonly traceHash: string | null;
	readonly steps: number;
	stop(): Promise<void>;
}

export abstract class StagedTarget implements ExperimentTarget {
	readonly #stage: TargetStage;
	readonly #observe: (event: TargetEvent) => void;
	readonly #active = new Map<number, string>();
	#faults = 0;

	constructor(stage: TargetStage, observe: (event: TargetEvent) => void) {
		this.#stage = stage;
		this.#observe = observe;
	}

	abstract get nodes(): readonly string[];
	abstract probe(spec: ProbeSpec): Promise<ProbeValue>;
	abstract startWorkload(spec: WorkloadSpec): Workload;
	abstract hasConverged(): Promise<boolean>;

	nowMs(): number {
		return this.#stage.clock.nowMs() - this.#stage.originMs;
	}

	pass(durationMs: number, until?: () => boolean): Promise<boolean> {
		return this.#stage.pass(durationMs, until);
	}

	async apply(fault: FaultSpec): Promise<AppliedFault> {
		const { description, remove } = await this.#stage.inject(fault);
		if (remove === null) return { description, remove: () => Promise.resolve() };
		this.#faults += 1;
		const number = this.#faults;
		this.#active.set(number, `${fault.kind}: ${description}`);
		return {
			description,
			remove: async () => {
				if (!this.#active.has(number)) return;
				await remove();
				this.#active.delete(number);
			},
		};
	}

	get activeFaults(): readonly string[] {
		return [...this.#active.values()];
	}

	findings(): readonly PropertyFinding[] {
		return this.#stage.findings();
	}

	get traceHash(): string | null {
		return this.#stage.traceHash;
	}

	get steps(): number {
		return this.#stage.steps;
	}

	stop(): Promise<void> {
		return this.#stage.stop();
	}

	/** One line for the report. */
	protected tell(origin: string | null, type: string, text: string, values?: TargetEvent["values"]): void {
		this.#observe({ atMs: this.nowMs(), origin, type, text, ...(values === undefined ? {} : { values }) });
	}
}
