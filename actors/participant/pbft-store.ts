/** What a PBFT member's store holds, and how it is read by whoever looks at a disk from outside. */
import type {
	BaseRecord,
	CheckpointCertificate,
	JournalRecord,
	PbftDurable,
	ViewNumber,
	ViewRecord,
} from "../../protocols/pbft/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";
import { decodeJournalRecord } from "./journal-records.ts";
import { decodeValue } from "./value-codec.ts";

export const VIEW_KEY = "view";
export const STABLE_KEY = "stable";

/** A member before its first boot. */
export const firstView: ViewRecord = {
	view: 0 as ViewNumber,
	isActive: true,
	viewChange: null,
	opened: null,
	alarm: null,
};

/** A store's content in PBFT's words, followed from one write to the next for the price of what changes. */
export class PbftStoreView implements PbftDurable {
	view: ViewRecord = firstView;
	stable: CheckpointCertificate | null = null;
	base: BaseRecord | null = null;
	firstIndex = 1;
	readonly records: JournalRecord[] = [];

	/** Takes what a load has found. */
	static of({ values, snapshot, firstIndex, records }: StoreContents): PbftStoreView {
		const durable = new PbftStoreView();
		for (const [key, value] of values) durable.#put(key, value);
		if (snapshot !== null) durable.base = decodeValue(snapshot.description) as BaseRecord;
		durable.firstIndex = firstIndex;
		durable.#append(records);
		return durable;
	}

	/** Takes one write that has become durable. */
	apply(operations: readonly StoreOperation[]): void {
		for (const operation of operations) {
			switch (operation.type) {
				case "put":
					this.#put(operation.key, operation.value);
					break;
				case "append":
					if (this.records.length === 0) this.firstIndex = operation.firstIndex;
					this.#append(operation.records);
					break;
				case "truncate-from":
					this.records.length = Math.min(this.records.length, Math.max(0, operation.index - this.firstIndex));
					break;
				case "compact-through":
					this.records.splice(0, Math.max(0, operation.index + 1 - this.firstIndex));
					this.firstIndex = Math.max(this.firstIndex, operation.index + 1);
					break;
				case "publish-snapshot":
					this.base = decodeValue(operation.description) as BaseRecord;
					break;
				case "stage-snapshot":
					break;
			}
		}
	}

	#put(key: string, value: Uint8Array): void {
		if (key === VIEW_KEY) this.view = decodeValue(value) as ViewRecord;
		if (key === STABLE_KEY) this.stable = decodeValue(value) as CheckpointCertificate;
	}

	#append(records: readonly Uint8Array[]): void {
		for (const record of records) this.records.push(decodeJournalRecord(record));
	}
}
