/** A member's term only grows, from what it publishes and, where they are seen, its lives and states. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { Term } from "../entry.ts";
import type { RaftEvent } from "../events.ts";
import type { RaftObservation } from "./observation.ts";

/** What a member has shown of its terms. */
interface Shown {
	/** The latest term in which it led: its own vote in it was durable, so a restart can not undo it. */
	readonly led: Term;
	/** The least that its next term may be. */
	readonly floor: Term;
	/** Its life is being watched from its start; else a crash may have gone unseen. */
	readonly isLifeSeen: boolean;
}

const unseen: Shown = { led: 0 as Term, floor: 0 as Term, isLifeSeen: false };

export const monotoneTerm: Property<RaftObservation> = {
	id: "monotone-term",
	kind: "always",
	statement: "A member's term never decreases in one life, nor in any life below a term in which it has led.",
	source: "Raft Figure 2 (currentTerm), §5.1",
	needs: "events",
	observes: ["started", "ended", "batch", "event"],
	watch: () => new MonotoneTerm(new Map()),
};

class MonotoneTerm implements Watcher<RaftObservation> {
	readonly #shown: Map<NodeId, Shown>;

	constructor(shown: Map<NodeId, Shown>) {
		this.#shown = shown;
	}

	observe(observation: RaftObservation): Finding | null {
		switch (observation.type) {
			case "started":
			case "ended": {
				const { led } = this.#shown.get(observation.node) ?? unseen;
				this.#shown.set(observation.node, { led, floor: led, isLifeSeen: observation.type === "started" });
				return null;
			}
			case "batch": {
				// Its events may have been of the terms that this batch began with, so they are not held against its end.
				const { node, machine } = observation;
				return this.#showTerm(node, machine.term, machine.role === "leader");
			}
			case "event": {
				const { node, event } = observation;
				const isLeader = event.type === "role-changed" && event.role === "leader";
				const term = termOf(event);
				if (term === null || this.#shown.get(node)?.isLifeSeen) return null;
				return this.#showTerm(node, term, isLeader);
			}
			default:
				return null;
		}
	}

	get state(): unknown {
		return this.#shown;
	}

	copy(): MonotoneTerm {
		return new MonotoneTerm(new Map(this.#shown));
	}

	#showTerm(node: NodeId, term: Term, isLeader: boolean): Finding {
		const shown = this.#shown.get(node) ?? unseen;
		if (term < shown.floor) return violated({ node, term, floor: shown.floor });
		const led = isLeader ? term : shown.led;
		const floor = shown.isLifeSeen ? term : led;
		if (led !== shown.led || floor !== shown.floor || shown === unseen) {
			this.#shown.set(node, { led, floor, isLifeSeen: shown.isLifeSeen });
		}
		return holds;
	}
}

/** The term that an event tells, if it tells one. */
function termOf(event: RaftEvent): Term | null {
	return event.type === "role-changed" || event.type === "commit-advanced" || event.type === "quorum-lost"
		? event.term
		: null;
}
