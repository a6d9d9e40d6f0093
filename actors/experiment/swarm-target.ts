/**
 * A swarm as the target of an experiment. What differs between simulation and threads (how time passes, how faults are
 * applied, what is observed) is a {@link SwarmStage}; the rest is here, once for both.
 */
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
import type { KeyValueAnswer, Swarm, SwarmEvent } from "../swarm/index.ts";
import { KEY_VALUE_WORKLOAD, KeyValueWorkload } from "./key-value-workload.ts";
import { Probes } from "./probes.ts";

/** How long a client tries one operation before it gives it up as unanswered. */
const CLIENT_TIMEOUT_MS = 5_000;

/** A fault in force, or one that was over at once. */
export interface InjectedFault {
	readonly description: string;
	/** Null for what is over at once. */
	readonly remove: (() => Promise<void>) | null;
}

/** One engine's part of a target. */
export interface SwarmStage {
	readonly swarm: Swarm;
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

export class SwarmTarget implements ExperimentTarget {
	readonly #stage: SwarmStage;
	readonly #generator: Generator;
	readonly #observe: (event: TargetEvent) => void;
	readonly #probes: Probes;
	#workload: KeyValueWorkload | null = null;
	#workloads = 0;
	readonly #active = new Map<number, string>();
	#faults = 0;
	/** The terms that members lead. */
	readonly #leading = new Map<string, number>();

	constructor(stage: SwarmStage, seed: number, observe: (event: TargetEvent) => void) {
		this.#stage = stage;
		this.#generator = new Generator(seed, "experiment");
		this.#observe = observe;
		this.#probes = new Probes(
			stage.swarm,
			() => this.nowMs(),
			() => this.#workload,
		);
		stage.swarm.events$.subscribe((event) => this.#heard(event));
		const leadership = stage.swarm.leader;
		if (leadership !== null) this.#roleChanged(leadership.leader, "leader", leadership.term);
	}

	get nodes(): readonly string[] {
		return this.#stage.swarm.nodes.map(({ node }) => node);
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

	async probe(spec: ProbeSpec): Promise<ProbeValue> {
		return this.#stage.settle(this.#probes.measure(spec));
	}

	startWorkload(spec: WorkloadSpec): Workload {
		assert(spec.kind === KEY_VALUE_WORKLOAD, "the runner has refused other workloads", { workload: spec.kind });
		const { swarm, clock, originMs } = this.#stage;
		this.#workloads += 1;
		this.#workload = new KeyValueWorkload({
			spec,
			client: () => swarm.client({ window: 1, timeoutMs: CLIENT_TIMEOUT_MS }),
			members: () => this.nodes,
			leader: () => swarm.leader?.leader ?? null,
			leads: (node) => swarm.nodes.some((status) => status.node === node && status.role === "leader"),
			clock,
			generator: this.#generator.fork(`workload-${this.#workloads}`),
			originMs,
			unanswered: (client, reason) => this.#tell(`client-${client}`, "operation-unanswered", reason),
		});
		return this.#workload;
	}

	get activeFaults(): readonly string[] {
		return [...this.#active.values()];
	}

	findings(): readonly PropertyFinding[] {
		return this.#stage.findings();
	}

	async hasConverged(): Promise<boolean> {
		return this.#stage.settle(this.#areEqual());
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

	/** All members run, have applied all there is, and answer each question alike. */
	async #areEqual(): Promise<boolean> {
		const { swarm } = this.#stage;
		// One that was refused its name for good has nothing to agree to.
		const members = (await swarm.status()).filter(({ state }) => state !== "refused");
		if (members.some(({ state }) => state !== "running")) return false;
		if (!members.some(({ role }) => role === "leader")) return false;
		const [first] = members;
		const isAtRest = members.every(
			({ appliedIndex, lastIndex }) => appliedIndex === first?.lastIndex && lastIndex === first.lastIndex,
		);
		if (!isAtRest) return false;
		try {
			const contents = await Promise.all(members.map(({ node }) => this.#contentOf(node)));
			return contents.every((content) => isDeepStrictEqual(content, contents[0]));
		} catch (error) {
			// One that died meanwhile has not converged yet.
			if (error instanceof QuorateError) return false;
			throw error;
		}
	}

	async #contentOf(node: string): Promise<unknown> {
		const { swarm } = this.#stage;
		const all = await swarm.inspect<KeyValueAnswer>(node, { type: "keys" });
		const keys = "keys" in all ? all.keys : [];
		return Promise.all(keys.map(async (key) => [key, await swarm.inspect(node, { type: "get", key })]));
	}

	#heard(event: SwarmEvent): void {
		const { node, origin } = event;
		if (event.type === "role-changed" && node !== null) this.#roleChanged(node, event.role, event.term);
		else if (event.type === "participant-started") this.#tell(node, "started", restartsText(event.restarts));
		else if (event.type === "thread-ended") {
			// The end of the experiment itself.
			if (event.end.cause === "stopped") return;
			this.#leading.delete(origin);
			this.#tell(node ?? origin, "ended", `thread ended: ${event.end.cause}`);
		} else {
			const text = textOf(event);
			if (text !== null) this.#tell(node ?? origin, event.type, text);
		}
	}

	#roleChanged(node: string, role: string, term: number): void {
		const led = this.#leading.get(node);
		if (led !== undefined) {
			this.#leading.delete(node);
			this.#tell(node, "leader-lost", `leads term ${led} no more`, { term: led });
		}
		if (role !== "leader") {
			this.#tell(node, "term", `${role} in term ${term}`, { term });
			return;
		}
		this.#leading.set(node, term);
		this.#tell(node, "leader-elected", `leads term ${term}`, { term });
	}

	#tell(origin: string | null, type: string, text: string, values?: TargetEvent["values"]): void {
		this.#observe({ atMs: this.nowMs(), origin, type, text, ...(values === undefined ? {} : { values }) });
	}
}

function restartsText(restarts: number): string {
	return restarts === 0 ? "started" : `started again, ${restarts} times so far`;
}

/** One line for readers; null for what is worth none. */
function textOf(event: SwarmEvent): string | null {
	switch (event.type) {
		case "snapshot-installed":
			return `installed the snapshot of ${event.lastIndex}`;
		case "log-compacted":
			return `compacted its log through ${event.throughIndex}`;
		case "quorum-lost":
			return `heard of no quorum in term ${event.term}`;
		case "child-failed":
			return event.reason.type === "failed" ? `failed: ${event.reason.error.message}` : `ended: ${event.reason.type}`;
		case "thread-gave-up":
		case "supervisor-gave-up":
			return "given up: failed more often than is tolerated";
		case "thread-stalled":
			return `stalled ${event.detail}`;
		case "storage-failed":
		case "swarm-failed":
		case "member-failed":
		case "member-refused":
			return event.error.message;
		default:
			return null;
	}
}
