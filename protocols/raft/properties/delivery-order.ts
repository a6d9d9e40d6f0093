/** Each position is handed to the application once, in order. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex } from "../entry.ts";
import { indexAfter } from "../log.ts";
import type { RaftObservation } from "./observation.ts";

export const deliveryOrder: Property<RaftObservation> = {
	id: "delivery-order",
	kind: "always",
	statement: "In one life an application is handed every index once and in order, from the snapshot it loaded on.",
	source: "Raft Figure 2 (lastApplied), §7",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new DeliveryOrder(new Map()),
};

class DeliveryOrder implements Watcher<RaftObservation> {
	/** The next index that each member is to hand over in its present life. */
	readonly #next: Map<NodeId, LogIndex>;

	constructor(next: Map<NodeId, LogIndex>) {
		this.#next = next;
	}

	observe(observation: RaftObservation): Finding | null {
		switch (observation.type) {
			case "started":
				this.#next.set(observation.node, 1 as LogIndex);
				return null;
			case "ended":
				this.#next.delete(observation.node);
				return null;
			case "batch":
				return this.#check(observation);
			default:
				return null;
		}
	}

	get state(): unknown {
		return this.#next;
	}

	copy(): DeliveryOrder {
		return new DeliveryOrder(new Map(this.#next));
	}

	#check({ node, effects }: Extract<RaftObservation, { type: "batch" }>): Finding | null {
		let finding: Finding | null = null;
		for (const effect of effects) {
			if (effect.type !== "apply") continue;
			const { delivery } = effect;
			if (delivery.type === "restore-snapshot") this.#next.set(node, indexAfter(delivery.snapshot.lastIndex, 1));
			if (delivery.type !== "entries") continue;
			const { firstIndex, entries } = delivery;
			const expected = this.#next.get(node) ?? firstIndex;
			if (firstIndex !== expected) return violated({ node, firstIndex, expected });
			this.#next.set(node, indexAfter(firstIndex, entries.length));
			finding = holds;
		}
		return finding;
	}
}
