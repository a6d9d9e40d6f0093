/** What every target of an experiment does alike: time, faults and findings are its stage's, and clients work on keys and values. */
import { isDeepStrictEqual } from "node:util";
import { assert, Generator, QuorateError } from "../../protocols/core/index.ts";
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
import type { KeyValueAnswer } from "../swarm/index.ts";
import { KEY_VALUE_WORKLOAD, KeyValueWorkload, type KeyValueWorkloadOptions } from "./key-value-workload.ts";
import { type ProbedGroup, Probes } from "./probes.ts";

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

/** How long a client tries one operation before it gives it up as unanswered. */
export const CLIENT_TIMEOUT_MS = 5_000;

/** The group of a target, as clients and probes see it. */
export interface TargetGroup extends Pick<KeyValueWorkloadOptions, "client" | "leader" | "leads"> {
	readonly probed: ProbedGroup;
	/** What one member answers by itself. */
	inspect(node: string, query: unknown): Promise<unknown>;
}

export abstract class StagedTarget implements ExperimentTarget {
	readonly #stage: TargetStage;
	readonly #observe: (event: TargetEvent) => void;
	readonly #group: TargetGroup;
	readonly #generator: Generator;
	readonly #probes: Probes;
	#workload: KeyValueWorkload | null = null;
	#workloads = 0;
	readonly #active = new Map<number, string>();
	#faults = 0;

	constructor(stage: TargetStage, group: TargetGroup, seed: number, observe: (event: TargetEvent) => void) {
		this.#stage = stage;
		this.#group = group;
		this.#generator = new Generator(seed, "experiment");
		this.#observe = observe;
		this.#probes = new Probes(
			group.probed,
			() => this.nowMs(),
			() => this.#workload,
		);
	}

	abstract get nodes(): readonly string[];
	/** All members that count run, have done the same, and answer alike. */
	protected abstract areEqual(): Promise<boolean>;

	async probe(spec: ProbeSpec): Promise<ProbeValue> {
		return this.#stage.settle(this.#probes.measure(spec));
	}

	startWorkload(spec: WorkloadSpec): Workload {
		assert(spec.kind === KEY_VALUE_WORKLOAD, "the runner has refused other workloads", { workload: spec.kind });
		const { clock, originMs } = this.#stage;
		const { client, leader, leads } = this.#group;
		this.#workloads += 1;
		this.#workload = new KeyValueWorkload({
			spec,
			client,
			members: () => this.nodes,
			leader,
			leads,
			clock,
			generator: this.#generator.fork(`workload-${this.#workloads}`),
			originMs,
			unanswered: (who, reason) => this.tell(`client-${who}`, "operation-unanswered", reason),
		});
		return this.#workload;
	}

	async hasConverged(): Promise<boolean> {
		return this.#stage.settle(this.areEqual());
	}

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

	/** Whether these members hold the same. */
	protected async holdTheSame(nodes: readonly string[]): Promise<boolean> {
		try {
			const contents = await Promise.all(nodes.map((node) => this.#contentOf(node)));
			return contents.every((content) => isDeepStrictEqual(content, contents[0]));
		} catch (error) {
			// One that died meanwhile has not converged yet.
			if (error instanceof QuorateError) return false;
			throw error;
		}
	}

	async #contentOf(node: string): Promise<unknown> {
		const all = (await this.#group.inspect(node, { type: "keys" })) as KeyValueAnswer;
		const keys = "keys" in all ? all.keys : [];
		return Promise.all(keys.map(async (key) => [key, await this.#group.inspect(node, { type: "get", key })]));
	}

	/** One line for the report. */
	protected tell(origin: string | null, type: string, text: string, values?: TargetEvent["values"]): void {
		this.#observe({ atMs: this.nowMs(), origin, type, text, ...(values === undefined ? {} : { values }) });
	}
}
