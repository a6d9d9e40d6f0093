/** What a PBFT group comes to when its faults have stopped, but for members that lie. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { hexOf } from "../bytes.ts";
import type { Configuration } from "../entities.ts";
import type { PbftObservation } from "./observation.ts";

export const replicasEqual: Property<PbftObservation> = {
	id: "replicas-equal",
	kind: "eventually",
	statement:
		"Correct members of the latest configuration are up, have executed the same, and know of no request that waits.",
	source: "OSDI'99 §4.5.2 (liveness)",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new ReplicasEqual(new Map()),
};

interface Reach {
	readonly configuration: Configuration;
	readonly executed: number;
	readonly chain: string;
	readonly waiting: number;
}

class ReplicasEqual implements Watcher<PbftObservation> {
	/** Null while it is down. */
	readonly #reaches: Map<NodeId, Reach | null>;

	constructor(reaches: Map<NodeId, Reach | null>) {
		this.#reaches = reaches;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") {
			this.#reaches.set(observation.node, null);
			return null;
		}
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const { configuration, executed, chain, waiting } = machine;
		this.#reaches.set(node, { configuration, executed, chain: hexOf(chain), waiting: waiting.size });
		return this.#compare();
	}

	get state(): unknown {
		return this.#reaches;
	}

	copy(): ReplicasEqual {
		return new ReplicasEqual(new Map(this.#reaches));
	}

	#compare(): Finding {
		let latest: Configuration | null = null;
		for (const reach of this.#reaches.values()) {
			if (reach !== null && reach.configuration.epoch > (latest?.epoch ?? -1)) latest = reach.configuration;
		}
		let first: Reach | null = null;
		for (const [node, reach] of this.#reaches) {
			if (latest !== null && !latest.members.includes(node)) continue;
			if (reach === null) return violated({ node, isUp: false });
			if (reach.waiting > 0) return violated({ node, waiting: reach.waiting });
			first ??= reach;
			if (reach.chain !== first.chain || reach.executed !== first.executed) {
				return violated({ node, executed: reach.executed, otherExecuted: first.executed });
			}
		}
		return holds;
	}
}
