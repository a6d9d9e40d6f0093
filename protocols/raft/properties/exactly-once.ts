/** A session's command takes effect once, however often it was proposed. */
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { Entry, LogIndex, Term } from "../entry.ts";
import { indexAfter } from "../log.ts";
import { type EntryDigest, entryDigest } from "./entry-digest.ts";
import type { RaftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

/** A session's command: `session.serial`. */
type CommandName = string;

/** Where a command was decided first. */
interface FirstCarrier {
	readonly index: LogIndex;
	/** Of what a repetition repeats. */
	readonly digest: EntryDigest;
}

/**
 * From deliveries it sees which positions carry which command of a session; from `applied`, where the host reports it,
 * which of them took effect.
 */
export const exactlyOnce: Property<RaftObservation> = {
	id: "exactly-once",
	kind: "always",
	statement: "A serial of a session names one command, and it takes effect at the first index that carries it only.",
	source: "thesis §6.3; RIFL, SOSP 2015",
	needs: "machine",
	observes: ["batch", "applied"],
	watch: () => new ExactlyOnce(new Map(), new Map()),
};

class ExactlyOnce implements Watcher<RaftObservation> {
	/** The commands of sessions, by index. */
	readonly #carried: Map<LogIndex, CommandName>;
	readonly #first: Map<CommandName, FirstCarrier>;

	constructor(carried: Map<LogIndex, CommandName>, first: Map<CommandName, FirstCarrier>) {
		this.#carried = carried;
		this.#first = first;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "batch") return this.#observeDeliveries(observation);
		return observation.type === "applied" ? this.#observeApplied(observation) : null;
	}

	get state(): unknown {
		return { carried: this.#carried, first: this.#first };
	}

	copy(): ExactlyOnce {
		return new ExactlyOnce(new Map(this.#carried), new Map(this.#first));
	}

	#observeDeliveries({ effects }: Extract<RaftObservation, { type: "batch" }>): Finding | null {
		let finding: Finding | null = null;
		for (const effect of effects) {
			if (effect.type !== "apply" || effect.delivery.type !== "entries") continue;
			let index = effect.delivery.firstIndex;
			for (const entry of effect.delivery.entries) {
				const isOther = entry.kind === "command" && entry.session !== 0 && !this.#carry(index, entry);
				if (isOther) return violated({ index, session: entry.session, serial: entry.serial, differs: "the command" });
				index = indexAfter(index, 1);
			}
			finding = holds;
		}
		return finding;
	}

	/** Takes note that an index carries a session's command. False if its serial named another one before. */
	#carry(index: LogIndex, entry: Entry): boolean {
		// Another member has delivered it before; that it is the same entry is state machine safety.
		if (this.#carried.has(index)) return true;
		const name = `${entry.session}.${entry.serial}`;
		const digest = entryDigest({ ...entry, term: 0 as Term, firstIncomplete: 0 });
		remember(this.#carried, index, name);
		const first = this.#first.get(name);
		if (first === undefined || index < first.index) remember(this.#first, name, { index, digest });
		return first === undefined || first.digest === digest;
	}

	#observeApplied({ node, index }: Extract<RaftObservation, { type: "applied" }>): Finding | null {
		const command = this.#carried.get(index as LogIndex);
		const first = command === undefined ? undefined : this.#first.get(command);
		if (command === undefined || first === undefined) return null;
		return first.index === index ? holds : violated({ node, index, command, firstIndex: first.index });
	}
}
