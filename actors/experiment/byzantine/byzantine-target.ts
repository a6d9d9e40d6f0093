/** A simulated Byzantine group as the target of an experiment. Of members that lie nothing is asked and nothing believed. */
import { isDeepStrictEqual } from "node:util";
import { assert, Generator, type NodeId, QuorateError } from "../../../protocols/core/index.ts";
import type { ProbeSpec, ProbeValue, TargetEvent, Workload, WorkloadSpec } from "../../../supervisors/index.ts";
import type { ByzantineEvent, ByzantineGroup } from "../../byzantine-coordinator/index.ts";
import type { KeyValueAnswer } from "../../swarm/index.ts";
import { KEY_VALUE_WORKLOAD, KeyValueWorkload } from "../key-value-workload.ts";
import { type ProbedGroup, Probes } from "../probes.ts";
import { StagedTarget, type TargetStage } from "../staged-target.ts";
import { CLIENT_TIMEOUT_MS, restartsText } from "../swarm-target.ts";
import type { Liars } from "./byzantine-plan.ts";

export class ByzantineTarget extends StagedTarget {
	readonly #group: ByzantineGroup;
	readonly #stage: TargetStage;
	readonly #liars: Liars;
	readonly #generator: Generator;
	readonly #probes: Probes;
	#workload: KeyValueWorkload | null = null;
	#workloads = 0;
	#primary: NodeId | null = null;

	constructor(
		group: ByzantineGroup,
		stage: TargetStage,
		liars: Liars,
		seed: number,
		observe: (event: TargetEvent) => void,
	) {
		super(stage, observe);
		this.#group = group;
		this.#stage = stage;
		this.#liars = liars;
		this.#generator = new Generator(seed, "experiment");
		this.#probes = new Probes(
			probedGroup(group, liars),
			() => this.nowMs(),
			() => this.#workload,
		);
		group.events$.subscribe((event) => this.#heard(event));
		for (const [node, attacks] of liars) this.tell(node, "lies", `lies: ${attacks.join(", ")}`);
		const { primary, view } = group.primary;
		this.#leads(primary, view);
	}

	get nodes(): readonly string[] {
		return this.#group.nodes;
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
			client: () => this.#group.client({ window: 1, timeoutMs: CLIENT_TIMEOUT_MS }),
			members: () => this.nodes,
			leader: () => this.#group.primary.primary,
			leads: (node) => node === this.#group.primary.primary,
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

	/** All correct members run, have executed the same history, and answer each question alike. */
	async #areEqual(): Promise<boolean> {
		const correct = (await this.#group.status()).filter(({ node }) => !this.#liars.has(node));
		if (correct.some(({ state, isHalted }) => state !== "running" || isHalted)) return false;
		const [first] = correct;
		if (!correct.every(({ executed, chain }) => executed === first?.executed && chain === first.chain)) return false;
		try {
			const contents = await Promise.all(correct.map(({ node }) => this.#contentOf(node)));
			return contents.every((content) => isDeepStrictEqual(content, contents[0]));
		} catch (error) {
			// One that died meanwhile has not converged yet.
			if (error instanceof QuorateError) return false;
			throw error;
		}
	}

	async #contentOf(node: string): Promise<unknown> {
		const all = await this.#group.inspect<KeyValueAnswer>(node, { type: "keys" });
		const keys = "keys" in all ? all.keys : [];
		return Promise.all(keys.map(async (key) => [key, await this.#group.inspect(node, { type: "get", key })]));
	}

	#heard(event: ByzantineEvent): void {
		const { node, origin } = event;
		if (event.type === "primary-changed") this.#leads(event.primary, event.view);
		else if (event.type === "participant-started") this.tell(node, "started", restartsText(event.restarts));
		else if (event.type === "thread-ended") {
			// The end of the experiment itself.
			if (event.cause !== "stopped") this.tell(node ?? origin, "ended", `thread ended: ${event.cause}`);
		} else {
			const text = textOf(event);
			if (text !== null) this.tell(node ?? origin, event.type, text);
		}
	}

	#leads(primary: NodeId, view: number): void {
		if (this.#primary !== null) this.tell(this.#primary, "leader-lost", "leads no more", { term: view });
		this.#primary = primary;
		this.tell(primary, "leader-elected", `is the primary of view ${view}`, { term: view });
	}
}

/** The correct members in the words of probes: a primary leads, and views are terms. */
function probedGroup(group: ByzantineGroup, liars: Liars): ProbedGroup {
	return {
		get nodes() {
			const { primary, view } = group.primary;
			return group.figures
				.filter(({ node }) => !liars.has(node))
				.map(({ node, isDown, lives }) => ({
					state: isDown ? "down" : "running",
					role: node === primary ? "leader" : "follower",
					term: view,
					threadLives: lives,
				}));
		},
		status: async () => (await group.status()).filter(({ node }) => !liars.has(node)),
	};
}

/** One line for readers; null for what is worth none. */
function textOf(event: ByzantineEvent): string | null {
	switch (event.type) {
		case "view-entered":
			return `entered view ${event.view}`;
		case "quorum-lost":
			return "hears no quorum of the members";
		case "quorum-regained":
			return "hears a quorum of the members again";
		case "member-convicted":
			return `${event.conviction.culprit} is convicted: ${event.conviction.evidence.type}`;
		case "alarm":
			return `two decisions of slot ${event.conflict.first.sequence}: more members lie than can be borne`;
		case "member-given-up":
			return "given up: failed more often than is tolerated";
		case "group-failed":
			return event.error.message;
		default:
			return null;
	}
}
