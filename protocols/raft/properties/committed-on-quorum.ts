/** What is committed is on a quorum's disks, and stays there. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { Configuration, LogIndex } from "../entry.ts";
import { indexAfter } from "../log.ts";
import type { RaftDurable } from "../vocabulary.ts";
import { DiskLogs } from "./disk-log.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

export const committedOnQuorum: Property<RaftObservation> = {
	id: "committed-on-quorum",
	kind: "always",
	statement: "From when a leader commits an entry, it or a snapshot that covers it is on the disks of a quorum.",
	source: "Raft §5.3, §5.4",
	needs: "disk",
	observes: ["started", "ended", "batch", "persisted", "left"],
	watch: () => new CommittedOnQuorum(new DiskLogs(), new Map(), new Map(), null),
};

class CommittedOnQuorum implements Watcher<RaftObservation> {
	readonly #disks: DiskLogs;
	/** What leaders have committed. */
	readonly #committed: Map<LogIndex, EntryDigest>;
	/** How far each leader's commit index was followed in its present life. */
	readonly #followed: Map<NodeId, LogIndex>;
	/** That of the last leader to commit. */
	#configuration: Configuration | null;

	constructor(
		disks: DiskLogs,
		committed: Map<LogIndex, EntryDigest>,
		followed: Map<NodeId, LogIndex>,
		configuration: Configuration | null,
	) {
		this.#disks = disks;
		this.#committed = committed;
		this.#followed = followed;
		this.#configuration = configuration;
	}

	observe(observation: RaftObservation): Finding | null {
		switch (observation.type) {
			case "batch":
				return this.#followLeader(observation);
			case "persisted":
				return this.#followDisk(observation.node, observation.durable);
			case "left":
				// A disk that was not empty when the watch began shows itself here first.
				return this.#disks.of(observation.from) !== undefined
					? null
					: this.#followDisk(observation.from, observation.durable);
			case "started":
			case "ended":
				this.#followed.delete(observation.node);
				return null;
			default:
				return null;
		}
	}

	get state(): unknown {
		return {
			disks: this.#disks.state,
			committed: this.#committed,
			followed: this.#followed,
			// A set: the order of names must not tell states apart that are equal but for the names.
			voters: new Set(this.#configuration?.voters),
		};
	}

	copy(): CommittedOnQuorum {
		return new CommittedOnQuorum(
			this.#disks.copy(),
			new Map(this.#committed),
			new Map(this.#followed),
			this.#configuration,
		);
	}

	#followLeader({ node, machine }: Extract<RaftObservation, { type: "batch" }>): Finding | null {
		const { role, commitIndex, configuration, log } = machine;
		const followed = this.#followed.get(node);
		if (followed === commitIndex) return null;
		this.#followed.set(node, commitIndex);
		if (role !== "leader") return null;
		this.#configuration = configuration;
		const from = Math.max(followed ?? 0, log.baseIndex) as LogIndex;
		for (let index = indexAfter(from, 1); index <= commitIndex; index = indexAfter(index, 1)) {
			remember(this.#committed, index, entryDigest(log.entryAt(index)));
			const finding = this.#check(index);
			if (finding !== null) return finding;
		}
		return holds;
	}

	#followDisk(node: NodeId, durable: RaftDurable): Finding | null {
		const lostFrom = this.#disks.follow(node, durable);
		if (lostFrom === null) return null;
		for (let index = lostFrom; this.#committed.has(index); index = indexAfter(index, 1)) {
			const finding = this.#check(index);
			if (finding !== null) return finding;
		}
		return holds;
	}

	/** A violation if too few disks have what is committed at `index`. */
	#check(index: LogIndex): Finding | null {
		const digest = this.#committed.get(index);
		if (digest === undefined || this.#configuration === null) return null;
		const { voters } = this.#configuration;
		let holders = 0;
		for (const voter of voters) if (this.#disks.of(voter)?.holds(index, digest)) holders++;
		if (holders > voters.length / 2) return null;
		const names = voters.filter((voter) => this.#disks.of(voter)?.holds(index, digest));
		return violated({ index, holders: names.join(" "), voters: voters.join(" ") });
	}
}
