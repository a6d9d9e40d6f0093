/** Which members a fault hits: `leader`, `follower`, `all`, or a name. What else is to be drawn, the runner has drawn. */
import type { Generator } from "../../protocols/core/index.ts";
import { faultNotApplicable } from "../../supervisors/index.ts";
import type { Leadership } from "../swarm/index.ts";

/** Members that were selected, and how a reader is told. */
export interface Selection {
	readonly nodes: readonly string[];
	readonly text: string;
}

/** A group of members of which one may lead. */
export interface SelectableGroup {
	readonly nodes: readonly { readonly node: string }[];
	readonly leader: Leadership | null;
}

export class TargetSelection {
	readonly #swarm: SelectableGroup;
	readonly #generator: Generator;

	constructor(swarm: SelectableGroup, generator: Generator) {
		this.#swarm = swarm;
		this.#generator = generator;
	}

	get all(): readonly string[] {
		return this.#swarm.nodes.map(({ node }) => node);
	}

	/** @throws QuorateError `fault-not-applicable` when nobody fits */
	select(fault: string, target: string): Selection {
		if (target === "all") return { nodes: this.all, text: "all members" };
		const node = this.one(fault, target);
		return { nodes: [node], text: this.describe(node) };
	}

	/** One member. @throws QuorateError `fault-not-applicable` */
	one(fault: string, target: string): string {
		const leader = this.#swarm.leader?.leader ?? null;
		const others = this.all.filter((node) => node !== leader);
		switch (target) {
			case "leader":
				if (leader === null) throw faultNotApplicable({ fault, reason: "nobody leads" });
				return leader;
			case "follower":
				if (others.length === 0) throw faultNotApplicable({ fault, reason: "there is no follower" });
				return this.#generator.pick(others);
			default:
				if (this.all.includes(target)) return target;
				throw faultNotApplicable({ fault, reason: `there is no member ${target} (${this.all.join(", ")})` });
		}
	}

	describe(node: string): string {
		const leadership = this.#swarm.leader;
		return leadership?.leader === node ? `${node} (leader of term ${leadership.term})` : node;
	}
}
