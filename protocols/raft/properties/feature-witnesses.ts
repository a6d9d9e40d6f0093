/** Features that a run must have used before it says anything about them: reads, silence, forwarding, ways of snapshots. */
import type { Effect, NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, type Watcher } from "../../verification/index.ts";
import type { LogIndex } from "../entry.ts";
import type { InstallSnapshot } from "../messages.ts";
import type { RaftTypes } from "../vocabulary.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";
import { stateless } from "./stateless.ts";
import { does } from "./witnesses.ts";

type Batch = Extract<RaftObservation, { readonly type: "batch" }>;

export const readByLease: Property<RaftObservation> = answers(
	{
		id: "read-by-lease",
		statement: "A leader of several voters answers a read in the batch that brings it, without asking them.",
		source: "Raft thesis §6.4.1",
	},
	({ machine }, isOfBatch) => machine.role === "leader" && machine.configuration.voters.length > 1 && isOfBatch,
);

export const readAtFollower: Property<RaftObservation> = answers(
	{
		id: "read-at-follower",
		statement: "A member that does not lead answers a read after it has asked its leader.",
		source: "Raft thesis §6.4",
	},
	({ machine }, isOfBatch) => machine.role !== "leader" && !isOfBatch,
);

export const staleRead: Property<RaftObservation> = answers(
	{
		id: "read-from-own-state",
		statement: "A member that does not lead answers a read at once, from a state that is fresh enough.",
		source: "Raft thesis §6.4, read levels",
	},
	({ machine }, isOfBatch) => machine.role !== "leader" && isOfBatch,
);

export const groupSilent: Property<RaftObservation> = does(
	{
		id: "group-silent",
		statement: "An idle leader tells its group that it falls silent.",
		source: "dragonboat's Raft",
	},
	(effect) => effect.type === "send" && effect.message.type === "quiesce",
);

export const proposalForwarded: Property<RaftObservation> = does(
	{
		id: "proposal-forwarded",
		statement: "A follower passes a client's command on to its leader.",
		source: "Raft thesis §6.2",
	},
	(effect) => effect.type === "send" && effect.message.type === "forwarded-proposals",
);

export const chunkSentAgain: Property<RaftObservation> = {
	id: "chunk-sent-again",
	kind: "sometimes",
	statement: "A leader sends a chunk of a snapshot again, since nothing was heard of it.",
	source: "Raft §7",
	needs: "machine",
	observes: ["batch"],
	watch: () => new ChunkSentAgain(new Map()),
};

export const snapshotReplacedTail: Property<RaftObservation> = {
	id: "snapshot-replaced-tail",
	kind: "sometimes",
	statement: "A snapshot replaces a log that has other entries where it ends.",
	source: "Raft §7 (Figure 13, rule 7)",
	needs: "machine",
	observes: ["batch"],
	watch: () => new SnapshotReplacedTail(new Map()),
};

type Told = Pick<Property<RaftObservation>, "id" | "statement" | "source">;

/** A `sometimes` that one answered read witnesses; `isOfBatch`: the batch that answers it has brought it. */
function answers(told: Told, isWitness: (batch: Batch, isOfBatch: boolean) => boolean): Property<RaftObservation> {
	const watcher = stateless((observation) => {
		if (observation.type !== "batch") return null;
		const { effects, asked } = observation;
		for (const effect of effects) {
			if (effect.type !== "apply" || effect.delivery.type !== "query") continue;
			if (isWitness(observation, asked?.has(effect.delivery.requestId) === true)) return holds;
		}
		return null;
	});
	return { ...told, kind: "sometimes", needs: "machine", observes: ["batch"], watch: () => watcher };
}

class ChunkSentAgain implements Watcher<RaftObservation> {
	/** The last chunk of each leader to each member. */
	readonly #sent: Map<string, string>;

	constructor(sent: Map<string, string>) {
		this.#sent = sent;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type !== "batch") return null;
		let found: Finding | null = null;
		for (const effect of observation.effects) {
			const chunk = chunkOf(effect);
			if (chunk === null) continue;
			const way = `${observation.node} ${chunk.to}`;
			const { term, lastIndex, offset } = chunk.message;
			const text = `${term} ${lastIndex} ${offset}`;
			if (this.#sent.get(way) === text) found = holds;
			remember(this.#sent, way, text);
		}
		return found;
	}

	get state(): unknown {
		return this.#sent;
	}

	copy(): ChunkSentAgain {
		return new ChunkSentAgain(new Map(this.#sent));
	}
}

function chunkOf(effect: Effect<RaftTypes>): { readonly to: NodeId; readonly message: InstallSnapshot } | null {
	if (effect.type !== "send" || effect.message.type !== "install-snapshot") return null;
	return { to: effect.to, message: effect.message };
}

class SnapshotReplacedTail implements Watcher<RaftObservation> {
	/** The end of each member's log when last seen. */
	readonly #ends: Map<NodeId, LogIndex>;

	constructor(ends: Map<NodeId, LogIndex>) {
		this.#ends = ends;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type !== "batch") return null;
		const { node, machine, effects } = observation;
		const before = this.#ends.get(node);
		if (before !== machine.log.lastIndex) remember(this.#ends, node, machine.log.lastIndex);
		const isWitness = effects.some((effect) => {
			if (effect.type !== "persist" || before === undefined) return false;
			const { installSnapshot, truncateFrom } = effect.write;
			return installSnapshot !== undefined && truncateFrom !== undefined && before >= installSnapshot.lastIndex;
		});
		return isWitness ? holds : null;
	}

	get state(): unknown {
		return this.#ends;
	}

	copy(): SnapshotReplacedTail {
		return new SnapshotReplacedTail(new Map(this.#ends));
	}
}
