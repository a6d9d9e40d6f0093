/**
 * Properties that watch a swarm in production: those of `protocols/raft/properties` that must always hold and need no more
 * than members publish. They are the ones that tests, the simulator and the model checker watch.
 *
 * What they cost: a look at each event that a member tells, which are elections, snapshots and changes of members, none of
 * them on the way of a command. What they remember is bounded by the properties themselves (`LEADERS_MAX` leaders, a few words
 * for each member), and a violated one is watched no further: one alert for each property.
 */
import type { NodeId } from "../../protocols/core/index.ts";
import type { RaftEvent } from "../../protocols/raft/index.ts";
import { type RaftObservation, raftProperties } from "../../protocols/raft/properties/index.ts";
import { type FindingDetails, type Property, WatchList } from "../../protocols/verification/index.ts";
import type { SwarmEvent } from "./contract.ts";

/** What a swarm shows of its members: what they publish, and the ends of their threads. */
const shown: ReadonlySet<unknown> = new Set<RaftObservation["type"]>(["event", "ended"]);

/** Raft's properties that can be judged by what a swarm shows. */
export const eventProperties: readonly Property<RaftObservation>[] = raftProperties.filter(
	({ needs, observes }) => needs === "events" || (observes?.every((type) => shown.has(type)) ?? false),
);

/** A property of the group that does not hold any more. */
export interface PropertyAlert {
	readonly type: "property-violated";
	/** The property's id. */
	readonly property: string;
	readonly statement: string;
	readonly source: string;
	/** The values that show it. */
	readonly details: FindingDetails;
}

export class Monitors {
	readonly #list = new WatchList<RaftObservation>(
		eventProperties.filter(({ kind }) => kind === "always"),
		"events",
	);
	readonly #alert: (alert: PropertyAlert) => void;
	readonly #alerted = new Set<string>();

	constructor(alert: (alert: PropertyAlert) => void) {
		this.#alert = alert;
	}

	heard(event: SwarmEvent): void {
		const observation = observationOf(event);
		if (observation === null) return;
		this.#list.observe(observation);
		if (this.#list.violation === null) return;
		for (const { property, violation } of this.#list.results) {
			if (violation === null || this.#alerted.has(property.id)) continue;
			this.#alerted.add(property.id);
			const { id, statement, source } = property;
			this.#alert({ type: "property-violated", property: id, statement, source, details: violation.details });
		}
	}
}

/** What an event of a swarm shows to watchers of its group; null: nothing. */
export function observationOf(event: SwarmEvent): RaftObservation | null {
	const node = event.node as NodeId | null;
	if (node === null) return null;
	switch (event.type) {
		case "thread-ended":
			return { type: "ended", node };
		case "role-changed":
		case "log-compacted":
		case "snapshot-installed":
		case "snapshot-send-started":
		case "quorum-lost":
			return { type: "event", node, event: event satisfies RaftEvent };
		default:
			return null;
	}
}
