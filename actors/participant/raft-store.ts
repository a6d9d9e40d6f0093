/** What a Raft member's store holds, and how it is read by whoever looks at a disk from outside. */
import {
	type Configuration,
	configurationOf,
	type Entry,
	type HardState,
	type LogIndex,
	type RaftDurable,
	type RaftSnapshot,
	type Term,
} from "../../protocols/raft/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";
import { decodeEntries } from "./entry-records.ts";
import { decodeValue } from "./value-codec.ts";

export const HARD_STATE_KEY = "hard-state";

/** What a published snapshot says of itself. */
export interface SnapshotDescription {
	readonly lastIndex: LogIndex;
	readonly lastTerm: Term;
	/** Of version 1: `voters` only. */
	readonly configuration: Pick<Configuration, "voters"> & Partial<Configuration>;
	/** As in {@link RaftSnapshot}. */
	readonly withheld?: true;
}

/** The snapshot that a description of any version speaks of. */
export function describedSnapshot(
	{ lastIndex, lastTerm, configuration, withheld }: SnapshotDescription,
	sizeBytes: number,
): RaftSnapshot {
	const { voters, learners, ...joint } = configuration;
	const whole = { lastIndex, lastTerm, configuration: { ...configurationOf(voters, learners), ...joint }, sizeBytes };
	return withheld === true ? { ...whole, withheld } : whole;
}

/** A store's content in Raft's words, followed from one write to the next for the price of what changes. */
export class RaftStoreView implements RaftDurable {
	hardState: HardState = { term: 0 as Term, votedFor: null };
	snapshot: RaftDurable["snapshot"] = null;
	firstIndex: LogIndex = 1 as LogIndex;
	readonly entries: Entry[] = [];
	damagedFrom?: LogIndex;

	/** Nothing of it is lost that was not got again: what is found damaged now is noted with the next write. */
	get isWhole(): boolean {
		return this.hardState.isUnderRepair !== true && this.damagedFrom === undefined;
	}

	/** Takes what a load has found. */
	static of({ values, snapshot, firstIndex, records, damagedFrom }: StoreContents): RaftStoreView {
		const view = new RaftStoreView();
		const hardState = values.get(HARD_STATE_KEY);
		if (hardState !== undefined) view.hardState = decodeValue(hardState) as HardState;
		if (snapshot !== null) view.#publish(snapshot.description, snapshot.sizeBytes);
		view.firstIndex = firstIndex as LogIndex;
		view.entries.push(...decodeEntries(records));
		if (damagedFrom !== undefined) view.damagedFrom = damagedFrom as LogIndex;
		return view;
	}

	/** Takes one write that has become durable. */
	apply(operations: readonly StoreOperation[]): void {
		for (const operation of operations) {
			switch (operation.type) {
				case "put":
					if (operation.key === HARD_STATE_KEY) this.hardState = decodeValue(operation.value) as HardState;
					break;
				case "append":
					if (this.entries.length === 0) this.firstIndex = operation.firstIndex as LogIndex;
					this.entries.push(...decodeEntries(operation.records));
					break;
				case "truncate-from":
					// What is damaged is cut before anything else.
					delete this.damagedFrom;
					this.entries.length = Math.min(this.entries.length, Math.max(0, operation.index - this.firstIndex));
					break;
				case "compact-through":
					this.#compact(operation.index);
					break;
				case "publish-snapshot":
					this.#publish(operation.description, operation.sizeBytes);
					break;
				case "stage-snapshot":
					break;
			}
		}
	}

	#compact(index: number): void {
		this.entries.splice(0, Math.max(0, index + 1 - this.firstIndex));
		this.firstIndex = Math.max(this.firstIndex, index + 1) as LogIndex;
	}

	#publish(description: Uint8Array, sizeBytes: number): void {
		this.snapshot = describedSnapshot(decodeValue(description) as SnapshotDescription, sizeBytes);
	}
}
