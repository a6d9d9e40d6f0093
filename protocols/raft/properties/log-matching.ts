/** Log matching, by induction over everything that any log has ever held. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { LogIndex, Term } from "../entry.ts";
import { indexAfter } from "../log.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

type Batch = Extract<RaftObservation, { type: "batch" }>;

/** What stands at an index under a term, in whatever log. */
interface Fact {
	readonly term: Term;
	/** Null where only witnesses were seen to have it. */
	readonly digest: EntryDigest | null;
	/** The term of the entry before it. */
	readonly termBefore: Term;
}

/** The end of a member's log when it was last read: everything up to there agrees with the facts. */
interface ReadEnd {
	readonly index: LogIndex;
	readonly term: Term;
}

/**
 * If an index and a term name one entry and one term before it, in every log, then by induction they name everything
 * before it, so it is enough to look at each new entry and its neighbour.
 */
export const logMatching: Property<RaftObservation> = {
	id: "log-matching",
	kind: "always",
	statement: "If two logs hold an entry with the same index and term, they are identical up to that index.",
	source: "Raft Figure 3, §5.3",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new LogMatching(new Map(), new Map()),
};

class LogMatching implements Watcher<RaftObservation> {
	/** By index, each list by term: mostly one, one more for each leader that wrote there and lost. */
	readonly #facts: Map<LogIndex, readonly Fact[]>;
	readonly #ends: Map<NodeId, ReadEnd>;

	constructor(facts: Map<LogIndex, readonly Fact[]>, ends: Map<NodeId, ReadEnd>) {
		this.#facts = facts;
		this.#ends = ends;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") this.#ends.delete(observation.node);
		if (observation.type !== "batch") return null;
		const { node, machine } = observation;
		const { log } = machine;
		const from = this.#firstUnread(observation);
		if (from > log.lastIndex) return null;
		let termBefore = log.termAt(indexAfter(from, -1)) as Term;
		for (let index = from; index <= log.lastIndex; index = indexAfter(index, 1)) {
			const entry = log.entryAt(index);
			const { term } = entry;
			const digest = entry.kind === "withheld" ? null : entryDigest(entry);
			const known = this.#facts.get(index)?.find((fact) => fact.term === term);
			if (known === undefined) this.#learn(index, { term, digest, termBefore });
			else if (digest !== null && known.digest !== null && known.digest !== digest) {
				return violated({ node, index, term, differs: "the entry" });
			} else if (known.termBefore !== termBefore) {
				return violated({ node, index, term, differs: "the entry before", termBefore, elsewhere: known.termBefore });
			} else if (known.digest === null && digest !== null) this.#learn(index, { term, digest, termBefore });
			termBefore = term;
		}
		this.#ends.set(node, { index: log.lastIndex, term: log.lastTerm });
		return holds;
	}

	get state(): unknown {
		return { facts: this.#facts, ends: this.#ends };
	}

	copy(): LogMatching {
		return new LogMatching(new Map(this.#facts), new Map(this.#ends));
	}

	/** Behind what was read, if that still stands; else the whole log is read again. */
	#firstUnread({ node, machine, effects }: Batch): LogIndex {
		const { log } = machine;
		const end = this.#ends.get(node);
		const first = indexAfter(log.baseIndex, 1);
		if (end === undefined || log.termAt(end.index) !== end.term) return first;
		for (const effect of effects) {
			if (effect.type === "persist" && (effect.write.truncateFrom ?? end.index) < end.index) return first;
		}
		return indexAfter(end.index, 1);
	}

	#learn(index: LogIndex, fact: Fact): void {
		const others = this.#facts.get(index)?.filter(({ term }) => term !== fact.term);
		const facts = others === undefined ? [fact] : [...others, fact].sort((x, y) => x.term - y.term);
		remember(this.#facts, index, facts);
	}
}
