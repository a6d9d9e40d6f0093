/** The simulated disk under observation: what each member's store durably holds, told whenever that changes. */
import type {
	Settle,
	SimulatedDisk,
	StorageEngine,
	StoreContents,
	StoreOperation,
	StoreWrite,
} from "../../runtime/index.ts";

/** A store's content in the words of its protocol, followed from one write to the next. */
export interface StoreView {
	/** Takes one write that has become durable. */
	apply(operations: readonly StoreOperation[]): void;
	/** False: something of it was lost, and its member has not got it again. Not there: its protocol says nothing of that. */
	readonly isWhole?: boolean;
}

export class ObservedDisk<View extends StoreView> implements StorageEngine {
	readonly #disk: SimulatedDisk;
	readonly #viewOf: (contents: StoreContents) => View;
	readonly #persisted: (store: string, durable: View) => void;
	/** Stores whose content is known. */
	readonly #views = new Map<string, View>();
	readonly #lost = new Set<string>();

	/**
	 * @param viewOf reads what a load has found
	 * @param persisted valid during the call only
	 */
	constructor(
		disk: SimulatedDisk,
		viewOf: (contents: StoreContents) => View,
		persisted: (store: string, durable: View) => void,
	) {
		this.#disk = disk;
		this.#viewOf = viewOf;
		this.#persisted = persisted;
	}

	/** What the disk holds of a store now; undefined while that is not known, from a loss of power to the next load. */
	durable(store: string): View | undefined {
		return this.#views.get(store);
	}

	/**
	 * The store is gone with all that it held. That it is empty is then no news of its member, who must not come back: should it
	 * write again all the same, that is told.
	 */
	lose(store: string): void {
		this.forget(store);
		this.#lost.add(store);
	}

	/** The store's machine has lost power: which of its writes survive shows at the next load. */
	forget(store: string): void {
		this.#views.delete(store);
	}

	load(store: string, settle: Settle<StoreContents>): void {
		this.#disk.load(store, (outcome) => {
			if (outcome.ok) {
				const view = this.#viewOf(outcome.value);
				this.#views.set(store, view);
				if (!this.#lost.has(store)) this.#persisted(store, view);
			}
			settle(outcome);
		});
	}

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		this.#disk.commit(writes, (outcome) => {
			if (outcome.ok) for (const write of writes) this.#flushed(write);
			settle(outcome);
		});
	}

	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void {
		this.#disk.readSnapshot(store, name, offset, lengthBytes, settle);
	}

	close(): Promise<void> {
		return this.#disk.close();
	}

	#flushed({ store, operations }: StoreWrite): void {
		const view = this.#views.get(store);
		if (view === undefined) return;
		view.apply(operations);
		this.#persisted(store, view);
	}
}
