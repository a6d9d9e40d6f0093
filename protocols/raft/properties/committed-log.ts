/** What a group has committed, as its members show it. */
import type { NodeId } from "../../core/index.ts";
import type { LogIndex, Term } from "../entry.ts";
import { indexAfter } from "../log.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

export interface CommittedEntry {
	readonly digest: EntryDigest;
	/** The term of the member that showed it first: it was committed in that term or an earlier one. */
	readonly byTerm: Term;
}

/** An index at which a member takes another entry for committed than was shown before. */
interface Contradiction {
	readonly index: LogIndex;
	readonly term: Term;
}

/** Gathers the entries up to each member's commit index, in the order in which members show them. */
export class CommittedLog {
	readonly #entries: Map<LogIndex, CommittedEntry>;
	/** How far each member's commit index was followed in its present life. */
	readonly #followed: Map<NodeId, LogIndex>;
	#highest: LogIndex;

	constructor(
		entries: Map<LogIndex, CommittedEntry> = new Map(),
		followed: Map<NodeId, LogIndex> = new Map(),
		highest: LogIndex = 0 as LogIndex,
	) {
		this.#entries = entries;
		this.#followed = followed;
		this.#highest = highest;
	}

	/** The highest index that any member took for committed. */
	get highest(): LogIndex {
		return this.#highest;
	}

	/** What was committed at an index; undefined if nobody showed it or it is forgotten. */
	at(index: LogIndex): CommittedEntry | undefined {
		return this.#entries.get(index);
	}

	/** A member begins or ends a life: what it says of its commit index begins anew. */
	forget(node: NodeId): void {
		this.#followed.delete(node);
	}

	/**
	 * Follows a member's commit index. Null if it has not moved; else the first contradiction, or how many entries
	 * were read.
	 */
	follow({ node, machine }: Extract<RaftObservation, { type: "batch" }>): Contradiction | number | null {
		const { commitIndex, term, log } = machine;
		const followed = this.#followed.get(node);
		if (followed === commitIndex) return null;
		this.#followed.set(node, commitIndex);
		const from = Math.max(followed ?? 0, log.baseIndex);
		for (
			let index = indexAfter(from as LogIndex, 1);
			index <= commitIndex && index <= log.lastIndex;
			index = indexAfter(index, 1)
		) {
			const entry = log.entryAt(index);
			// A witness does not know what is committed there, only that something of this term is.
			if (entry.kind === "withheld") continue;
			const digest = entryDigest(entry);
			const known = this.#entries.get(index);
			if (known === undefined) remember(this.#entries, index, { digest, byTerm: term });
			else if (known.digest !== digest) return { index, term: entry.term };
		}
		if (commitIndex > this.#highest) this.#highest = commitIndex;
		return Math.max(0, commitIndex - from);
	}

	get state(): unknown {
		return { entries: this.#entries, followed: this.#followed, highest: this.#highest };
	}

	copy(): CommittedLog {
		return new CommittedLog(new Map(this.#entries), new Map(this.#followed), this.#highest);
	}
}
