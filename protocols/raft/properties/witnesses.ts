/**
 * What a run must have shown before its silence means anything: a group that never elects a leader keeps every other
 * property of this room.
 */
import type { Effect, NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, type Watcher } from "../../verification/index.ts";
import type { LogIndex, Term } from "../entry.ts";
import type { RaftEvent } from "../events.ts";
import { indexAfter } from "../log.ts";
import type { RaftTypes } from "../vocabulary.ts";
import type { RaftObservation } from "./observation.ts";
import { stateless } from "./stateless.ts";

export const leaderElected: Property<RaftObservation> = publishes(
	{ id: "leader-elected", statement: "A leader is elected.", source: "Raft §5.2" },
	(event) => event.type === "role-changed" && event.role === "leader",
);

export const quorumLost: Property<RaftObservation> = publishes(
	{ id: "quorum-lost", statement: "A leader that hears no quorum steps down.", source: "thesis §6.2" },
	(event) => event.type === "quorum-lost",
);

export const logCompacted: Property<RaftObservation> = publishes(
	{ id: "log-compacted", statement: "A member's own snapshot shortens its log.", source: "Raft §7" },
	(event) => event.type === "log-compacted",
);

export const snapshotInstalled: Property<RaftObservation> = publishes(
	{
		id: "snapshot-installed",
		statement: "A leader's snapshot replaces a member's state.",
		source: "Raft §7 (Figure 13)",
	},
	(event) => event.type === "snapshot-installed",
);

export const conflictCut: Property<RaftObservation> = does(
	{
		id: "conflict-cut",
		statement: "A member removes entries from its log that conflict with its leader's.",
		source: "Raft §5.3",
	},
	(effect) => effect.type === "persist" && effect.write.truncateFrom !== undefined,
);

export const readAnswered: Property<RaftObservation> = does(
	{ id: "read-answered", statement: "A linearizable read is answered.", source: "thesis §6.4" },
	(effect) => effect.type === "apply" && effect.delivery.type === "query",
);

export const earlierTermCommitted: Property<RaftObservation> = {
	id: "earlier-term-committed",
	kind: "sometimes",
	statement: "A leader commits an entry of an earlier term, by committing one of its own behind it.",
	source: "Raft §5.4.2 (Figure 8)",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new EarlierTermCommitted(new Map()),
};

export const leaderReplaced: Property<RaftObservation> = {
	id: "leader-replaced",
	kind: "sometimes",
	statement: "A leader crashes, and another election follows it.",
	source: "Raft §5.2",
	needs: "machine",
	observes: ["ended", "event"],
	watch: () => new LeaderReplaced(null, null),
};

type Told = Pick<Property<RaftObservation>, "id" | "statement" | "source">;

/** A `sometimes` that one published event witnesses. */
export function publishes(told: Told, isWitness: (event: RaftEvent) => boolean): Property<RaftObservation> {
	const watcher = stateless((observation) =>
		observation.type === "event" && isWitness(observation.event) ? holds : null,
	);
	return { ...told, kind: "sometimes", needs: "events", observes: ["event"], watch: () => watcher };
}

/** A `sometimes` that one effect witnesses. */
export function does(told: Told, isWitness: (effect: Effect<RaftTypes>) => boolean): Property<RaftObservation> {
	const watcher = stateless((observation) =>
		observation.type === "batch" && observation.effects.some(isWitness) ? holds : null,
	);
	return { ...told, kind: "sometimes", needs: "machine", observes: ["batch"], watch: () => watcher };
}

class EarlierTermCommitted implements Watcher<RaftObservation> {
	/** The commit index of each member when last seen. */
	readonly #commits: Map<NodeId, LogIndex>;

	constructor(commits: Map<NodeId, LogIndex>) {
		this.#commits = commits;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") this.#commits.delete(observation.node);
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const { commitIndex, role, term, log } = machine;
		const before = this.#commits.get(node) ?? commitIndex;
		if (this.#commits.get(node) !== commitIndex) this.#commits.set(node, commitIndex);
		if (role !== "leader" || before === commitIndex) return null;
		// Terms grow along the log, so the first of these entries is of the earliest term.
		const first = log.termAt(indexAfter(before, 1));
		return first !== undefined && first < term ? holds : null;
	}

	get state(): unknown {
		return this.#commits;
	}

	copy(): EarlierTermCommitted {
		return new EarlierTermCommitted(new Map(this.#commits));
	}
}

class LeaderReplaced implements Watcher<RaftObservation> {
	/** The leader of the latest term, while it is up. */
	#leader: { readonly node: NodeId; readonly term: Term } | null;
	/** The term of a leader that crashed and was not replaced yet. */
	#crashed: Term | null;

	constructor(leader: { readonly node: NodeId; readonly term: Term } | null, crashed: Term | null) {
		this.#leader = leader;
		this.#crashed = crashed;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "ended" && observation.node === this.#leader?.node) {
			this.#crashed = this.#leader.term;
			this.#leader = null;
		}
		if (observation.type !== "event") return null;
		const { node, event } = observation;
		if (event.type !== "role-changed" || event.role !== "leader") return null;
		if (event.term > (this.#leader?.term ?? 0)) this.#leader = { node, term: event.term };
		if (this.#crashed === null || event.term <= this.#crashed) return null;
		this.#crashed = null;
		return holds;
	}

	get state(): unknown {
		return { leader: this.#leader, crashed: this.#crashed };
	}

	copy(): LeaderReplaced {
		return new LeaderReplaced(this.#leader, this.#crashed);
	}
}
