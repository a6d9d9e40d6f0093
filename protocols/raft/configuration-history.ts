/**
 * The configurations of a log: that of its snapshot (or of the first boot), then one for each configuration entry behind
 * it. The latest is in force, committed or not; the others are there for the day it is cut, and for snapshots (§6, §7).
 */
import { assert, must } from "../core/index.ts";
import type { Configuration, LogIndex } from "./entry.ts";

/** A configuration and where it comes from. */
export interface PlacedConfiguration {
	/** The index of its entry; of one that came with a snapshot the snapshot's last, at the first boot 0. */
	readonly index: LogIndex;
	readonly configuration: Configuration;
}

export class ConfigurationHistory {
	/** Ascending by index. The first is committed and never cut. */
	#known: readonly PlacedConfiguration[];

	constructor(base: PlacedConfiguration) {
		this.#known = [base];
	}

	get latest(): PlacedConfiguration {
		return must(this.#known.at(-1), "there is always a configuration");
	}

	/** The one in force at an index that is not before the first. */
	asOf(index: LogIndex): PlacedConfiguration {
		return must(
			this.#known.findLast((placed) => placed.index <= index),
			"the configuration of an index is known from its snapshot on",
		);
	}

	/** Those of the entries in `(after, through]`. */
	between(after: LogIndex, through: LogIndex): readonly PlacedConfiguration[] {
		return this.#known.filter(({ index }) => index > after && index <= through);
	}

	/** Takes the configuration of an entry that was just appended. */
	push(placed: PlacedConfiguration): void {
		assert(placed.index > this.latest.index, "configurations come in the order of the log", { index: placed.index });
		this.#known = [...this.#known, placed];
	}

	/** The log is cut before `index`. Returns whether another configuration is in force now. */
	truncateFrom(index: LogIndex): boolean {
		if (this.latest.index < index) return false;
		this.#known = this.#known.filter((placed) => placed.index < index);
		assert(this.#known.length > 0, "what is committed is never cut", { index });
		return true;
	}

	/** Forgets what was in force before `index`, which a snapshot covers. */
	forgetBefore(index: LogIndex): void {
		const first = this.asOf(index);
		this.#known = this.#known.filter((placed) => placed.index >= first.index);
	}

	/** An independent history; its configurations are immutable and shared. */
	copy(): ConfigurationHistory {
		const copy = new ConfigurationHistory(this.latest);
		copy.#known = this.#known;
		return copy;
	}

	/** As plain data. */
	get view(): unknown {
		return this.#known;
	}
}
