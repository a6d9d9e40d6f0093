/**
 * Storage in the memory of the storage thread. It survives the thread of a participant, not the process: "durable"
 * means here that a restarted participant finds it again.
 */
import type { Settle, StorageEngine, StoreContents, StoreWrite } from "./contract.ts";
import { outcomeOf } from "./outcome.ts";
import { StoreImage } from "./store-image.ts";
import { advanceShapes, checkStoreName, EMPTY_SHAPE } from "./store-shape.ts";

export class MemoryEngine implements StorageEngine {
	readonly #images: Map<string, StoreImage> = new Map();

	load(store: string, settle: Settle<StoreContents>): void {
		settle(
			outcomeOf(() => {
				checkStoreName(store);
				return (this.#images.get(store) ?? new StoreImage(store)).contents();
			}),
		);
	}

	commit(writes: readonly StoreWrite[], settle: Settle<void>): void {
		settle(
			outcomeOf(() => {
				for (const write of writes) checkStoreName(write.store);
				advanceShapes(writes, (store) => this.#images.get(store)?.shape ?? EMPTY_SHAPE);
				for (const write of writes) this.#image(write.store).perform(write.operations);
			}),
		);
	}

	readSnapshot(
		store: string,
		name: string,
		offset: number,
		lengthBytes: number,
		settle: Settle<Uint8Array | null>,
	): void {
		const value = this.#images.get(store)?.readSnapshot(name, offset, lengthBytes) ?? null;
		settle({ ok: true, value });
	}

	async close(): Promise<void> {
		this.#images.clear();
	}

	#image(store: string): StoreImage {
		const known = this.#images.get(store);
		if (known !== undefined) return known;
		const image = new StoreImage(store);
		this.#images.set(store, image);
		return image;
	}
}
