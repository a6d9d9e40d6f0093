/** A simulated Byzantine group as the target of an experiment. Of members that lie nothing is asked and nothing believed. */
import type { NodeId } from "../../../protocols/core/index.ts";
import type { TargetEvent } from "../../../supervisors/index.ts";
import type { ByzantineEvent, ByzantineGroup } from "../../byzantine-coordinator/index.ts";
import type { ProbedGroup } from "../probes.ts";
import { CLIENT_TIMEOUT_MS, StagedTarget, type TargetStage } from "../staged-target.ts";
import { restartsText } from "../swarm-target.ts";
import type { Liars } from "./byzantine-plan.ts";

export class ByzantineTarget extends StagedTarget {
	readonly #group: ByzantineGroup;
	readonly #liars: Liars;
	#primary: NodeId | null = null;

	constructor(
		group: ByzantineGroup,
		stage: TargetStage,
		liars: Liars,
		seed: number,
		observe: (event: TargetEvent) => void,
	) {
		const target = {
			client: () => group.client({ window: 1, timeoutMs: CLIENT_TIMEOUT_MS }),
			leader: () => group.primary.primary,
			leads: (node: string) => node === group.primary.primary,
			probed: probedGroup(group, liars),
			inspect: (node: string, query: unknown) => group.inspect(node, query),
		};
		super(stage, target, seed, observe);
		this.#group = group;
		this.#liars = liars;
		group.events$.subscribe((event) => this.#heard(event));
		for (const [node, attacks] of liars) this.tell(node, "lies", `lies: ${attacks.join(", ")}`);
		const { primary, view } = group.primary;
		this.#leads(primary, view);
	}

	get nodes(): readonly string[] {
		return this.#group.nodes;
	}

	/** All correct members run, have executed the same history, and answer each question alike. */
	protected async areEqual(): Promise<boolean> {
		const correct = (await this.#group.status()).filter(({ node }) => !this.#liars.has(node));
		if (correct.some(({ state, isHalted }) => state !== "running" || isHalted)) return false;
		const [first] = correct;
		if (!correct.every(({ executed, chain }) => executed === first?.executed && chain === first.chain)) return false;
		return this.holdTheSame(correct.map(({ node }) => node));
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
