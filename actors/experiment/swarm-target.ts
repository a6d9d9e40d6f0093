/**
 * A swarm as the target of an experiment. What differs between simulation and threads (how time passes, how faults are
 * applied, what is observed) is a {@link TargetStage}; the rest is here, once for both.
 */
import { isDeepStrictEqual } from "node:util";
import { assert, Generator, QuorateError } from "../../protocols/core/index.ts";
import type { ProbeSpec, ProbeValue, TargetEvent, Workload, WorkloadSpec } from "../../supervisors/index.ts";
import type { KeyValueAnswer, Swarm, SwarmEvent } from "../swarm/index.ts";
import { KEY_VALUE_WORKLOAD, KeyValueWorkload } from "./key-value-workload.ts";
import { Probes } from "./probes.ts";
import { StagedTarget, type TargetStage } from "./staged-target.ts";

/** How long a client tries one operation before it gives it up as unanswered. */
export const CLIENT_TIMEOUT_MS = 5_000;

export class SwarmTarget extends StagedTarget {
	readonly #swarm: Swarm;
	readonly #stage: TargetStage;
	readonly #generator: Generator;
	readonly #probes: Probes;
	#workload: KeyValueWorkload | null = null;
	#workloads = 0;
	/** The terms that members lead. */
	readonly #leading = new Map<string, number>();

	constructor(swarm: Swarm, stage: TargetStage, seed: number, observe: (event: TargetEvent) => void) {
		super(stage, observe);
		this.#swarm = swarm;
		this.#stage = stage;
		this.#generator = new Generator(seed, "experiment");
		this.#probes = new Probes(
			swarm,
			() => this.nowMs(),
			() => this.#workload,
		);
		swarm.events$.subscribe((event) => this.#heard(event));
		const leadership = swarm.leader;
		if (leadership !== null) this.#roleChanged(leadership.leader, "leader", leadership.term);
	}

	get nodes(): readonly string[] {
		return this.#swarm.nodes.map(({ node }) => node);
	}

	async probe(spec: ProbeSpec): Promise<ProbeValue> {
		return this.#stage.settle(this.#probes.measure(spec));
	}

	startWorkload(spec: WorkloadSpec): Workload {
		assert(spec.kind === KEY_VALUE_WORKLOAD, "the runner has refused other workloads", { workload: spec.kind });
		const { clock, originMs } = this.#stage;
		this.#workloads += 1;
		this.#workload = new KeyValueWorkload({
			spec,
			client: () => this.#swarm.client({ window: 1, timeoutMs: CLIENT_TIMEOUT_MS }),
			members: () => this.nodes,
			leader: () => this.#swarm.leader?.leader ?? null,
			leads: (node) => this.#swarm.nodes.some((status) => status.node === node && status.role === "leader"),
			clock,
			generator: this.#generator.fork(`workload-${this.#workloads}`),
			originMs,
			unanswered: (client, reason) => this.tell(`client-${client}`, "operation-unanswered", reason),
		});
		return this.#workload;
	}

	async hasConverged(): Promise<boolean> {
		return this.#stage.settle(this.#areEqual());
	}

	/** All members run, have applied all there is, and answer each question alike. */
	async #areEqual(): Promise<boolean> {
		const swarm = this.#swarm;
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
		const swarm = this.#swarm;
		const all = await swarm.inspect<KeyValueAnswer>(node, { type: "keys" });
		const keys = "keys" in all ? all.keys : [];
		return Promise.all(keys.map(async (key) => [key, await swarm.inspect(node, { type: "get", key })]));
	}

	#heard(event: SwarmEvent): void {
		const { node, origin } = event;
		if (event.type === "role-changed" && node !== null) this.#roleChanged(node, event.role, event.term);
		else if (event.type === "participant-started") this.tell(node, "started", restartsText(event.restarts));
		else if (event.type === "thread-ended") {
			// The end of the experiment itself.
			if (event.end.cause === "stopped") return;
			this.#leading.delete(origin);
			this.tell(node ?? origin, "ended", `thread ended: ${event.end.cause}`);
		} else {
			const text = textOf(event);
			if (text !== null) this.tell(node ?? origin, event.type, text);
		}
	}

	#roleChanged(node: string, role: string, term: number): void {
		const led = this.#leading.get(node);
		if (led !== undefined) {
			this.#leading.delete(node);
			this.tell(node, "leader-lost", `leads term ${led} no more`, { term: led });
		}
		if (role !== "leader") {
			this.tell(node, "term", `${role} in term ${term}`, { term });
			return;
		}
		this.#leading.set(node, term);
		this.tell(node, "leader-elected", `leads term ${term}`, { term });
	}
}

/** A start in words. */
export function restartsText(restarts: number): string {
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
