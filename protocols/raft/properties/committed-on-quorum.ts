/** What is committed is on a quorum's disks, and stays there. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { isWitness, votersOf } from "../configuration.ts";
import type { Configuration, LogIndex } from "../entry.ts";
import { indexAfter } from "../log.ts";
import type { RaftDurable } from "../vocabulary.ts";
import { DiskLogs } from "./disk-log.ts";
import { type EntryDigest, entryDigest, withheldDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";
import { unordered } from "./unordered.ts";

export const committedOnQuorum: Property<RaftObservation> = {
	id: "committed-on-quorum",
	kind: "always",
	statement:
		"From when a leader commits an entry, it or a snapshot that covers it is on the disks of a quorum, and not of witnesses alone; a disk under repair may have lost it.",
	source: "Raft §5.3, §5.4",
	needs: "disk",
	observes: ["started", "ended", "batch", "persisted", "left"],
	watch: () => new CommittedOnQuorum(new DiskLogs(), new Map(), new Map(), new Map(), new Map(), []),
};

class CommittedOnQuorum implements Watcher<RaftObservation> {
	readonly #disks: DiskLogs;
	/** What leaders have committed. */
	readonly #committed: Map<LogIndex, EntryDigest>;
	/** The same as witnesses have it; empty in a group without them. */
	readonly #withheld: Map<LogIndex, EntryDigest>;
	/** How far each leader's commit index was followed in its present life. */
	readonly #followed: Map<NodeId, LogIndex>;
	/** The configuration of each member after its last batch. */
	readonly #configurations: Map<NodeId, Configuration>;
	/** Those of the last leader to commit: a batch may have committed by one before it appended the next. */
	#deciding: readonly Configuration[];

	constructor(
		disks: DiskLogs,
		committed: Map<LogIndex, EntryDigest>,
		withheld: Map<LogIndex, EntryDigest>,
		followed: Map<NodeId, LogIndex>,
		configurations: Map<NodeId, Configuration>,
		deciding: readonly Configuration[],
	) {
		this.#disks = disks;
		this.#committed = committed;
		this.#withheld = withheld;
		this.#followed = followed;
		this.#configurations = configurations;
		this.#deciding = deciding;
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
				this.#configurations.delete(observation.node);
				return null;
			default:
				return null;
		}
	}

	get state(): unknown {
		return {
			disks: this.#disks.state,
			committed: this.#committed,
			withheld: this.#withheld,
			followed: this.#followed,
			configurations: new Map([...this.#configurations].map(([node, members]) => [node, unordered(members)])),
			deciding: this.#deciding.map(unordered),
		};
	}

	copy(): CommittedOnQuorum {
		return new CommittedOnQuorum(
			this.#disks.copy(),
			new Map(this.#committed),
			new Map(this.#withheld),
			new Map(this.#followed),
			new Map(this.#configurations),
			this.#deciding,
		);
	}

	#followLeader({ node, machine }: Extract<RaftObservation, { type: "batch" }>): Finding | null {
		const { role, commitIndex, configuration, log } = machine;
		const before = this.#configurations.get(node) ?? configuration;
		if (before !== configuration || !this.#configurations.has(node)) this.#configurations.set(node, configuration);
		const followed = this.#followed.get(node);
		if (followed === commitIndex) return null;
		this.#followed.set(node, commitIndex);
		if (role !== "leader") return null;
		this.#deciding = before === configuration ? [configuration] : [before, configuration];
		const from = Math.max(followed ?? 0, log.baseIndex) as LogIndex;
		// A commit index beyond the log is another property's finding.
		const through = Math.min(commitIndex, log.lastIndex);
		for (let index = indexAfter(from, 1); index <= through; index = indexAfter(index, 1)) {
			const entry = log.entryAt(index);
			remember(this.#committed, index, entryDigest(entry));
			if (entry.kind === "command" && configuration.witnesses.length > 0) {
				remember(this.#withheld, index, withheldDigest(entry.term));
			}
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
		if (digest === undefined || this.#deciding.length === 0) return null;
		const withheld = this.#withheld.get(index);
		const digests = withheld === undefined ? [digest] : [digest, withheld];
		const isHolder = (voter: NodeId): boolean => {
			const disk = this.#disks.of(voter);
			return disk?.isUnderRepair === true || disk?.holds(index, ...digests) === true;
		};
		const voters = [...new Set(this.#deciding.flatMap(votersOf))];
		const isDecided = this.#deciding.some((configuration) => isDecidedBy(configuration, isHolder));
		const isWhole = voters.some((voter) => isHolder(voter) && !this.#deciding.some((each) => isWitness(each, voter)));
		if (isDecided && isWhole) return null;
		return violated({ index, holders: voters.filter(isHolder).join(" "), voters: voters.join(" ") });
	}
}

/** More than half of the voters, and in a joint configuration of the outgoing ones: counted apart from the machine's count. */
function isDecidedBy({ voters, outgoing }: Configuration, holds: (voter: NodeId) => boolean): boolean {
	return [voters, outgoing].every((half) => half.length === 0 || 2 * half.filter(holds).length > half.length);
}
