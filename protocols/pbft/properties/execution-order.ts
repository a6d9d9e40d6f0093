/** Execution strictly by sequence number, each request once. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { PbftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

export const executionOrder: Property<PbftObservation> = {
	id: "execution-order",
	kind: "always",
	statement:
		"In one life a member executes every sequence number once and in order, from the state that it began with on.",
	source: "OSDI'99 §4.2 (execution by sequence number)",
	needs: "machine",
	observes: ["started", "event"],
	watch: () => new ExecutionOrder(new Map()),
};

export const exactlyOnce: Property<PbftObservation> = {
	id: "exactly-once",
	kind: "always",
	statement: "A request takes effect at one sequence number only, the same at all correct members.",
	source: "OSDI'99 §4.1 (exactly-once semantics)",
	needs: "machine",
	observes: ["batch"],
	watch: () => new ExactlyOnce(new Map()),
};

class ExecutionOrder implements Watcher<PbftObservation> {
	/** The next sequence number of each member in its present life. */
	readonly #next: Map<NodeId, number>;

	constructor(next: Map<NodeId, number>) {
		this.#next = next;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type === "started") this.#next.set(observation.node, 1);
		if (observation.type !== "event") return null;
		const { node, event } = observation;
		if (event.type === "restored") this.#next.set(node, event.sequence + 1);
		if (event.type !== "executed") return null;
		const expected = this.#next.get(node) ?? event.sequence;
		if (event.sequence !== expected) return violated({ node, sequence: event.sequence, expected });
		this.#next.set(node, expected + 1);
		return holds;
	}

	get state(): unknown {
		return this.#next;
	}

	copy(): ExecutionOrder {
		return new ExecutionOrder(new Map(this.#next));
	}
}

class ExactlyOnce implements Watcher<PbftObservation> {
	/** Where each request took effect, by `client:timestamp`. */
	readonly #places: Map<string, number>;

	constructor(places: Map<string, number>) {
		this.#places = places;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type !== "batch") return null;
		let finding: Finding | null = null;
		for (const effect of observation.effects) {
			if (effect.type !== "apply") continue;
			// What was executed tentatively takes effect when it is confirmed.
			if (effect.delivery.type !== "execute" && effect.delivery.type !== "confirm") continue;
			const { sequence, requests } = effect.delivery;
			for (const { client, timestamp } of requests) {
				const name = `${client}:${timestamp}`;
				const place = this.#places.get(name);
				if (place !== undefined && place !== sequence) {
					return violated({ node: observation.node, request: name, sequence, other: place });
				}
				remember(this.#places, name, sequence);
			}
			finding = holds;
		}
		return finding;
	}

	get state(): unknown {
		return this.#places;
	}

	copy(): ExactlyOnce {
		return new ExactlyOnce(new Map(this.#places));
	}
}
